//! The page: one HTML file that is also well-formed XML, with sounds and pictures inside.

use super::article::{ID, heads};
use super::html::{escape, figure, percent, thousands};
use super::intervals::Mean;
use super::trial::{MEASURES, Measure, Trial};
use super::unseen::Rivals;
use super::{Experiment, Report, record};
use std::fmt::Write;

/// Sounds of an experiment that are shown: so many of the first ones, and of the worst.
const FIRST: usize = 3;
const WORST: usize = 3;

/// The page about a report.
pub fn page(report: &Report) -> String {
    let experiments: String = report.experiments.iter().map(experiment).collect();
    include_str!("page.html")
        .replace("{{style}}", include_str!("page.css"))
        .replace("{{script}}", include_str!("page.js"))
        .replace("{{renders}}", &thousands(report.renders))
        .replace("{{knobs}}", &synth::MATCHED_COUNT.to_string())
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{summary}}", &summary(report))
        .replace("{{command}}", &escape(&report.command))
        .replace(
            "{{training}}",
            &record::section(&report.training, &report.weights),
        )
        .replace("{{unseen}}", &unseen(report))
        .replace("{{experiments}}", &experiments)
}

/// The figures at the page's head.
fn summary(report: &Report) -> String {
    let tile = |value: String, what: &str| {
        format!("<div><dt>{what}</dt><dd>{value}<small> %</small></dd></div>\n")
    };
    let names = [
        "alike: its own sounds",
        "alike: with an unknown vibrato",
        "alike: other instruments",
    ];
    let mut html = String::new();
    for (experiment, name) in report.experiments.iter().zip(names) {
        if let Some(mean) = experiment.means(0)[3] {
            html += &tile(percent(mean.mean as f32, 1), name);
        }
    }
    let last = Rivals::NAMES.len() - 1;
    if let Some(win) = report.win(last) {
        let share = win.count as f32 / win.of as f32;
        html += &tile(
            percent(share, 0),
            "of unseen patches more alike than CMA-ES’s",
        );
    }
    html
}

/// An experiment: its figures, and the articles of the sounds that are shown.
fn experiment(experiment: &Experiment) -> String {
    let (id, count) = (experiment.id, experiment.trials.len());
    if count == 0 {
        return String::new();
    }
    let row = |(number, measure): (usize, &Measure)| {
        let cells = experiment.means(number).map(|mean| cell(measure, mean));
        format!(
            "<tr><th scope=\"row\">{}</th>{}</tr>\n",
            measure.name,
            cells.concat()
        )
    };
    let rows: String = MEASURES.iter().enumerate().map(row).collect();
    let one = experiment.one_patch().map_or(String::new(), |mean| {
        format!(
            " With one patch for all notes the search comes to {}.",
            value(&MEASURES[0], &mean)
        )
    });
    let shown = shown(experiment);
    let mut html = format!(
        "<section class=\"panel\" aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n\
         <p class=\"lead\">{}</p>\n<div class=\"scroll\"><table>\n{}<tbody>\n{rows}</tbody>\n</table>\
         </div>\n<p class=\"note\">Means of {} with their 95 % intervals.{one}</p>\n{}</section>\n",
        experiment.title,
        experiment.about,
        heads(),
        sounds(count),
        list(experiment, &shown)
    );
    for &i in &shown {
        html += &experiment.trials[i]
            .article
            .replace(ID, &format!("{id}-{}", i + 1));
    }
    html
}

fn sounds(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} sound{plural}", figure(count as f64, &thousands(count)))
}

/// A mean with its interval.
fn value(measure: &Measure, mean: &Mean) -> String {
    let (factor, digits) = measure.scale;
    let spread = mean.plus_minus.map_or(String::new(), |by| {
        format!("<small> ± {:.digits$}</small>", factor * by)
    });
    measure.text(mean.mean) + &spread
}

fn cell(measure: &Measure, mean: Option<Mean>) -> String {
    let text = mean.map_or("–".into(), |mean| value(measure, &mean));
    format!("<td>{text}</td>")
}

/// The first trials and the worst ones, in order.
fn shown(experiment: &Experiment) -> Vec<usize> {
    let count = experiment.trials.len();
    let mut shown: Vec<usize> = (0..count.min(FIRST)).collect();
    let rest = experiment.worst().into_iter().filter(|i| *i >= FIRST);
    shown.extend(rest.take(WORST));
    shown
}

/// The table of all trials, the worst first.
fn list(experiment: &Experiment, shown: &[usize]) -> String {
    let mut rows = String::new();
    for i in experiment.worst() {
        let trial: &Trial = &experiment.trials[i];
        let name = match shown.contains(&i) {
            true => format!(
                "<a href=\"#{}-{}\">{}</a>",
                experiment.id,
                i + 1,
                escape(&trial.name)
            ),
            false => escape(&trial.name),
        };
        let alike = trial
            .answers
            .each()
            .map(|figures| MEASURES[0].text(f64::from(figures.likeness)));
        let alike: String = alike
            .iter()
            .map(|text| format!("<td>{text}</td>"))
            .collect();
        let searched = &trial.answers.searched;
        let others = MEASURES[1..]
            .iter()
            .filter_map(|m| Some(m.text((m.of)(searched)?)));
        let others: String = others.map(|text| format!("<td>{text}</td>")).collect();
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{name}</th>{alike}<td>{}</td>{others}</tr>",
            MEASURES[0].text(f64::from(trial.one_patch))
        );
    }
    let others: String = MEASURES[1..]
        .iter()
        .map(|m| format!("<th scope=\"col\">{}</th>", m.name))
        .collect();
    format!(
        "<details><summary>All {}, the least alike first</summary>\n<div class=\"scroll\"><table>\n\
         <thead><tr><td></td><th scope=\"col\">default</th><th scope=\"col\">encoder</th>\
         <th scope=\"col\">live</th><th scope=\"col\">searched</th><th scope=\"col\">one patch</th>\
         {others}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n\
         <p class=\"note\">Likeness of each answer, of the search’s best single patch, and the other \
         figures of the search. The first {FIRST} and the {WORST} least alike are below.</p></details>\n",
        sounds(experiment.trials.len())
    )
}

/// The comparison with searches that have no encoder.
fn unseen(report: &Report) -> String {
    let Some(ours) = report.mean(None) else {
        return String::new();
    };
    let sizes = &report.sizes;
    let notes = [
        String::new(),
        thousands(sizes.random),
        thousands(sizes.library),
        thousands(sizes.blind),
    ];
    let alike = &MEASURES[0];
    let most = report.unseen.iter().map(|r| r.renders).max().unwrap_or(0);
    let mut rows = format!(
        "<tr><th scope=\"row\">encoder and search</th><td>{}</td><td>{}</td><td>–</td></tr>\n",
        figure(most as f64, &thousands(most)),
        value(alike, &ours)
    );
    for (i, name) in Rivals::NAMES.iter().enumerate() {
        let (Some(mean), Some(win)) = (report.mean(Some(i)), report.win(i)) else {
            continue;
        };
        let renders = if i == 0 { "1" } else { &notes[i] };
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{name}</th><td>{renders}</td><td>{}</td><td>{} of {}\
             <small> {:.0} to {:.0} %</small></td></tr>",
            value(alike, &mean),
            figure(win.count as f64, &win.count.to_string()),
            win.of,
            100.0 * win.low,
            100.0 * win.high
        );
    }
    format!(
        "<section class=\"panel\" aria-labelledby=\"unseen\">\n<h2 id=\"unseen\">Unseen patches, and searches \
         without an encoder</h2>\n<p class=\"lead\">Patches drawn from the whole of each range, playing \
         melodies of the same generator with the notes given; one patch is sought. The random patches \
         and the library are drawn alike and play the same notes; CMA-ES begins in the middle of all \
         ranges.</p>\n<div class=\"scroll\"><table>\n<thead><tr><td></td><th scope=\"col\">renders</th>\
         <th scope=\"col\">likeness</th><th scope=\"col\">ours is more alike</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n<p class=\"note\">Means of {} and shares with their \
         95 % intervals (Student’s t, Wilson). A tie counts against us.</p>\n</section>\n",
        sounds(report.unseen.len())
    )
}
