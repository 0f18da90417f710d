//! The page: one HTML file that is also well-formed XML, with sounds and pictures inside.

use super::Example;
use super::charts::{chart, likeness_over_time};
use super::dials::dials;
use super::pair::{self, LIVE, LOWER, SEARCHED, Stop, UPPER};
use crate::evaluate::Played;
use crate::wav;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ear::CHANNELS;
use matcher::search::Score;
use std::fmt::Write;
use std::ops::Range;

/// Frequencies marked at the pictures, in Hz, as far as the ear hears them.
const MARKS: [(f32, &str); 5] = [
    (200.0, "200"),
    (500.0, "500"),
    (1_000.0, "1k"),
    (2_000.0, "2k"),
    (5_000.0, "5k"),
];
/// Highest sample of an example's players, full scale being 1.
const PEAK: f32 = 0.9;

/// The page about `examples`, heard by ears with channels at `centre` Hz.
pub fn page(examples: &[Example], renders: u32, centre: &[f32; CHANNELS]) -> String {
    let articles: String = examples.iter().map(|e| article(e, centre)).collect();
    include_str!("page.html")
        .replace("{{style}}", include_str!("page.css"))
        .replace("{{script}}", include_str!("page.js"))
        .replace("{{renders}}", &thousands(renders as usize))
        .replace("{{knobs}}", &synth::MATCHED_COUNT.to_string())
        .replace("{{summary}}", &summary(examples))
        .replace("{{examples}}", &articles)
}

/// `text` with the characters that mean something in HTML replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// A number with its exact value for programs.
fn figure(value: f64, text: &str) -> String {
    format!(r#"<data value="{value}">{text}</data>"#)
}

/// A share as a percentage with `digits` digits, without its sign.
fn percent(share: f32, digits: usize) -> String {
    figure(f64::from(share), &format!("{:.digits$}", 100.0 * share))
}

/// A count with its thousands set apart.
fn thousands(count: usize) -> String {
    match count {
        0..1_000 => count.to_string(),
        _ => format!("{},{:03}", count / 1_000, count % 1_000),
    }
}

fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

/// The figures at the page's head: means over `examples`.
fn summary(examples: &[Example]) -> String {
    let mean = |of: &dyn Fn(&Example) -> f32| {
        examples.iter().map(of).sum::<f32>() / examples.len().max(1) as f32
    };
    let seconds: f64 = examples.iter().map(|e| work(e).as_secs_f64()).sum();
    let alike = |of: &dyn Fn(&Example) -> f32, what: &str| {
        let value = percent(mean(of), 0);
        format!("<div><dt>{what}</dt><dd>{value}<small> %</small></dd></div>\n")
    };
    alike(&|e| e.default.likeness, "alike with the default patch")
        + &alike(
            &|e| e.mirrored.live.score.likeness,
            "alike live, on the first listen",
        )
        + &alike(
            &|e| e.mirrored.searched.score.likeness,
            "alike after a search",
        )
        + &format!(
            "<div><dt>of work for all three</dt><dd>{}<small> s</small></dd></div>\n",
            figure(seconds, &format!("{seconds:.0}"))
        )
}

/// Time that the answers of an example took.
fn work(example: &Example) -> std::time::Duration {
    example.mirrored.live.time + example.mirrored.searched.time
}

fn article(example: &Example, centre: &[f32; CHANNELS]) -> String {
    let mirrored = &example.mirrored;
    let name = escape(example.reference.name);
    let id = escape(&example.reference.name.to_lowercase().replace(' ', "-"));
    let [heard, live, searched] = equally_loud([
        &example.clip.mono,
        &mirrored.live.mono,
        &mirrored.searched.mono,
    ]);
    let rate = example.clip.rate as u32;
    let player = |class: &str, title: &str, note: &str, sound: &[f32]| {
        let uri = data_uri("audio/wav", &wav::encode_16(rate, sound));
        format!(
            "<section class=\"player {class}\">\n<div><h3>{title}</h3><p>{note}</p></div>\n\
             <audio controls=\"controls\" preload=\"auto\" aria-label=\"{name}, {}\" src=\"{uri}\"></audio>\n\
             </section>\n",
            title.to_lowercase()
        )
    };
    let alike = |answer: &Played| {
        format!(
            "<strong>{} %</strong> alike",
            percent(answer.score.likeness, 1)
        )
    };
    let mut html = format!(
        "<article id=\"{id}\" aria-labelledby=\"{id}-name\">\n\
         <header><h2 id=\"{id}-name\">{name}</h2><p>{}</p></header>\n<div class=\"players\">\n",
        escape(example.reference.about)
    );
    html += &player("heard", "Heard", "the reference", &heard);
    html += &player("live", "Live", &alike(&mirrored.live), &live);
    html += &player(
        "searched",
        "Searched",
        &alike(&mirrored.searched),
        &searched,
    );
    html += "</div>\n<div class=\"pairs\">\n";
    for (style, answer) in [
        (("live", "live", LIVE.as_slice()), &mirrored.live),
        (
            ("searched", "after the search", &SEARCHED),
            &mirrored.searched,
        ),
    ] {
        html += &spectrograms(example, style, answer, centre);
    }
    html += "</div>\n";
    html += &likeness(example);
    html += "<div class=\"lower\">\n";
    html += &figures(example);
    html += &knobs(example);
    html += "</div>\n</article>\n";
    html
}

/// Sounds at the first one's level, together as loud as fits.
fn equally_loud(sounds: [&[f32]; 3]) -> [Vec<f32>; 3] {
    let rms = |sound: &[f32]| {
        let power: f64 = sound.iter().map(|x| f64::from(x * x)).sum();
        (power / sound.len().max(1) as f64).sqrt() as f32
    };
    let gains = sounds.map(|sound| rms(sounds[0]) / rms(sound).max(1e-9));
    let peak = |(sound, gain): (&&[f32], &f32)| {
        gain * sound.iter().fold(0.0f32, |peak, x| peak.max(x.abs()))
    };
    let highest = sounds.iter().zip(&gains).map(peak).fold(1e-9, f32::max);
    std::array::from_fn(|i| {
        let gain = gains[i] * PEAK / highest;
        sounds[i].iter().map(|x| gain * x).collect()
    })
}

/// The pair of spectrograms of the melody and an answer.
fn spectrograms(
    example: &Example,
    (class, what, colours): (&str, &str, &[Stop]),
    answer: &Played,
    centre: &[f32; CHANNELS],
) -> String {
    let mirrored = &example.mirrored;
    let png = pair::png(&mirrored.heard, &mirrored.notes, &answer.heard, colours);
    let alt = format!(
        "Auditory spectrograms of the {}: heard above, played {what} below, upside down. The two \
         are {:.0} percent alike.",
        example.reference.name.to_lowercase(),
        100.0 * answer.score.likeness
    );
    let mut html = String::from("<figure>\n<div class=\"display\"><div class=\"picture\">");
    let _ = write!(
        html,
        "<img alt=\"{}\" src=\"{}\"/>",
        escape(&alt),
        data_uri("image/png", &png)
    );
    for (hz, text) in MARKS {
        if let Some(height) = height(centre, hz) {
            let at =
                |range: Range<f32>, share: f32| range.start + share * (range.end - range.start);
            for top in [at(UPPER, 1.0 - height), at(LOWER, height)] {
                html += &tick(top, text);
            }
        }
    }
    let _ = write!(
        html,
        "<span class=\"label heard\" style=\"top:8px\">heard</span>\
         <span class=\"label {class}\" style=\"bottom:8px\">played {what}</span>\
         <i class=\"cursor\"></i></div></div>\n\
         <figcaption>Frequency in Hz; the notes that were heard are between the two.</figcaption>\n\
         </figure>\n"
    );
    html
}

/// A mark at an axis, `top` of its height from the top.
fn tick(top: f32, text: &str) -> String {
    format!(
        "<span class=\"tick\" style=\"top:{:.2}%\">{text}</span>",
        100.0 * top
    )
}

/// The height of `hz` in a spectrogram, from 0 at its lowest channel to 1 at its highest.
fn height(centre: &[f32; CHANNELS], hz: f32) -> Option<f32> {
    let (low, high) = (centre[0], centre[CHANNELS - 1]);
    (low..=high)
        .contains(&hz)
        .then(|| (hz / low).ln() / (high / low).ln())
}

/// The curves of likeness over time.
fn likeness(example: &Example) -> String {
    let mirrored = &example.mirrored;
    let curve = |answer: &Played| likeness_over_time(&mirrored.heard, &answer.heard);
    let (live, searched) = (curve(&mirrored.live), curve(&mirrored.searched));
    let seconds = example.clip.mono.len() as f64 / example.clip.rate;
    let chart = chart(&[("live", &live), ("searched", &searched)], seconds);
    let marks: String = [0.0, 0.25, 0.5, 0.75, 1.0]
        .iter()
        .map(|top| {
            let value = 1.0 - top * (1.0 - chart.floor);
            tick(*top, &format!("{:.0}%", 100.0 * value))
        })
        .collect();
    let times: String = (0..=seconds.floor() as usize)
        .map(|s| format!("<span>{s} s</span>"))
        .collect();
    let last = |curve: &[(f64, f32)]| curve.last().map_or(0.0, |p| 100.0 * p.1);
    let label = format!(
        "Likeness over time: live it ends at {:.0} percent, after the search at {:.0} percent.",
        last(&live),
        last(&searched)
    );
    format!(
        "<figure class=\"chart\" role=\"group\" aria-label=\"{}\">\n<div class=\"display\">\
         <div class=\"picture\">{}{marks}<i class=\"cursor\"></i></div>\
         <div class=\"times\" aria-hidden=\"true\">{times}</div></div>\n\
         <figcaption>Likeness over time: <span class=\"key live\">live (dashed)</span> and \
         <span class=\"key searched\">searched</span>.</figcaption>\n</figure>\n",
        escape(&label),
        chart.svg
    )
}

/// The table of figures: a column each for the default patch, the live loop and the search.
fn figures(example: &Example) -> String {
    let mirrored = &example.mirrored;
    let (live, searched) = (&mirrored.live, &mirrored.searched);
    let row = |name: &str, cells: [Option<String>; 3]| {
        let cell = |text: Option<String>| format!("<td>{}</td>", text.unwrap_or("–".into()));
        let cells: String = cells.into_iter().map(cell).collect();
        format!("<tr><th scope=\"row\">{name}</th>{cells}</tr>\n")
    };
    let scores = |of: &dyn Fn(Score) -> String| {
        [example.default, live.score, searched.score].map(|score| Some(of(score)))
    };
    let count = |n: usize| Some(figure(n as f64, &thousands(n)));
    let seconds = |answer: &Played| {
        let seconds = answer.time.as_secs_f64();
        Some(figure(seconds, &format!("{seconds:.1} s")))
    };
    let pitch = |answer: &Played| Some(percent(answer.pitch, 0) + " %");
    let rows = row("likeness", scores(&|s| percent(s.likeness, 1) + " %"))
        + &row(
            "mel distance",
            scores(&|s| figure(f64::from(s.mel), &format!("{:.1} dB", s.mel))),
        )
        + &row("pitch agreement", [None, pitch(live), pitch(searched)])
        + &row("renders", [None, count(1), count(mirrored.found.renders)])
        + &row("work", [None, seconds(live), seconds(searched)]);
    format!(
        "<section><h3>Figures</h3>\n<table>\n<thead><tr><td></td><th scope=\"col\">default</th>\
         <th scope=\"col\" class=\"live\">live</th>\
         <th scope=\"col\" class=\"searched\">searched</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></section>\n"
    )
}

/// Writes the dials of an example.
fn knobs(example: &Example) -> String {
    let items: String = dials(example)
        .iter()
        .map(|dial| {
            format!(
                "<li>{}<span class=\"name\">{}</span><span class=\"value searched\">{}</span>\
                 <span class=\"value live\">{}</span></li>\n",
                dial.svg,
                escape(dial.name),
                escape(&dial.searched),
                escape(&dial.live)
            )
        })
        .collect();
    format!(
        "<section><h3>Knobs: <span class=\"key searched\">searched</span>, \
         <span class=\"key live\">live</span></h3>\n<ul class=\"dials\">\n{items}</ul></section>\n"
    )
}
