//! One sound of the page: players, spectrograms, likeness over time, figures and knobs.

use super::charts::{chart, likeness_over_time};
use super::dials::dials;
use super::html::{data_uri, escape, figure, percent, thousands, tick};
use super::pair::{self, LIVE, LOWER, SEARCHED, Stop, UPPER};
use super::trial::{Answers, Example, Figures, MEASURES, Measure};
use crate::evaluate::Played;
use crate::wav;
use ear::CHANNELS;
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

/// Stands for the article's identifier, which the page chooses.
pub const ID: &str = "{{id}}";

/// The article about a sound, heard by ears with channels at `centre` Hz.
pub fn article(example: &Example, centre: &[f32; CHANNELS]) -> String {
    let mirrored = &example.mirrored;
    let subject = &example.subject;
    let name = escape(&subject.name);
    let [heard, live, searched] = equally_loud([
        &subject.clip.mono,
        &mirrored.live.mono,
        &mirrored.searched.mono,
    ]);
    let rate = example.subject.clip.rate as u32;
    let player = |class: &str, title: &str, note: &str, sound: &[f32]| {
        let uri = data_uri("audio/wav", &wav::encode_16(rate, sound));
        format!(
            "<section class=\"player {class}\">\n<div><h4>{title}</h4><p>{note}</p></div>\n\
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
        "<article id=\"{ID}\" aria-labelledby=\"{ID}-name\">\n\
         <header><h3 id=\"{ID}-name\">{name}</h3><p>{}</p></header>\n<div class=\"players\">\n",
        escape(&subject.about)
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
        example.subject.name.to_lowercase(),
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
         <figcaption>Frequency in Hz; the notes are between the two.</figcaption>\n\
         </figure>\n"
    );
    html
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
    let seconds = example.subject.clip.mono.len() as f64 / example.subject.clip.rate;
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

/// The table of figures: a column for each answer.
fn figures(example: &Example) -> String {
    let row = |measure: &Measure| {
        let cell = |figures: &Figures| {
            let value = (measure.of)(figures).map(|value| measure.text(value));
            format!("<td>{}</td>", value.unwrap_or("–".into()))
        };
        let cells: String = example.answers.each().map(cell).concat();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", measure.name)
    };
    let rows: String = MEASURES.iter().map(row).collect();
    let found = &example.mirrored.found;
    format!(
        "<section><h4>Figures</h4>\n<div class=\"scroll\"><table>\n{}<tbody>\n{rows}</tbody>\n\
         </table></div>\n<p class=\"note\">The search made {} renders; with one patch for all notes \
         it came to {} %.</p></section>\n",
        heads(),
        figure(found.renders as f64, &thousands(found.renders)),
        percent(found.one_patch.likeness, 1)
    )
}

/// The head of a table with a column for each answer.
pub fn heads() -> String {
    let head = |name: &&str| format!("<th scope=\"col\" class=\"{name}\">{name}</th>");
    let heads: String = Answers::<()>::NAMES.iter().map(head).collect();
    format!("<thead><tr><td></td>{heads}</tr></thead>\n")
}

/// The dials.
fn knobs(example: &Example) -> String {
    let items: String = dials(example)
        .iter()
        .map(|dial| {
            let value = |class: &str, text: &str| {
                format!("<span class=\"value {class}\">{}</span>", escape(text))
            };
            let input = dial.input.as_deref();
            format!(
                "<li>{}<span class=\"name\">{}</span>{}{}{}</li>\n",
                dial.svg,
                escape(dial.name),
                input.map_or(String::new(), |text| value("heard", text)),
                value("searched", &dial.searched),
                value("live", &dial.live)
            )
        })
        .collect();
    let input = match example.values.input {
        Some(_) => "<span class=\"key heard\">the input’s</span>, ",
        None => "",
    };
    format!(
        "<section><h4>Knobs: {input}<span class=\"key searched\">searched</span>, \
         <span class=\"key live\">live</span></h4>\n<ul class=\"dials\">\n{items}</ul></section>\n"
    )
}
