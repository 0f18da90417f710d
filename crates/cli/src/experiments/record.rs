//! The model's training record, as it stands in its `encoder.json`.

use super::charts::{Curve, chart};
use super::html::{escape, figure, thousands, tick};
use serde_json::Value;

/// The section about the training of a model with the record `training`, whose weights have this
/// hash. What a record hasn't is left out.
pub fn section(training: &Value, weights: &str) -> String {
    let text = |name: &str| training[name].as_str().map(str::to_owned);
    let count = |name: &str| {
        let count = training[name].as_u64()?;
        Some(figure(count as f64, &thousands(count as usize)))
    };
    let minutes = |name: &str| {
        let minutes = training[name].as_f64()?;
        Some(figure(minutes, &format!("{minutes:.0}")) + " minutes")
    };
    let code = |text: String| format!("<code>{}</code>", escape(&text));
    let plain = |text: String| escape(&text);
    let rows = [
        ("command", text("command").map(code)),
        ("version", text("version").map(plain)),
        ("commit", text("commit").map(code)),
        ("libtorch", text("torch").map(plain)),
        ("time", minutes("minutes")),
        ("CPU time", minutes("cpu_minutes")),
        ("steps", count("steps")),
        ("own windows", count("own_samples_seen")),
        ("foreign windows", count("foreign_windows_seen")),
        ("weights", Some(code(weights.to_owned()))),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let rows: String = rows
        .map(|(name, value)| format!("<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>\n"))
        .collect();
    let recipe = match &training["recipe"] {
        Value::Null => String::new(),
        recipe => format!(
            "<details><summary>Recipe</summary><pre>{}</pre></details>\n",
            escape(&format!("{recipe:#}"))
        ),
    };
    format!(
        "<section class=\"panel\" aria-labelledby=\"training\">\n<h2 id=\"training\">The encoder’s \
         training</h2>\n{}<div class=\"scroll\"><table class=\"record\"><tbody>\n{rows}</tbody>\
         </table></div>\n{recipe}</section>\n",
        curves(training)
    )
}

/// The likeness on held-out windows over the steps.
fn curves(training: &Value) -> String {
    let points = training["history"].as_array().cloned().unwrap_or_default();
    let curve = |name: &str| -> Curve {
        let point = |p: &Value| {
            let quality = p["quality"][name].as_f64()?;
            Some((p["step"].as_f64()?, quality as f32))
        };
        points.iter().filter_map(point).collect()
    };
    let (own, foreign) = (curve("own"), curve("foreign"));
    let steps = points.last().and_then(|p| p["step"].as_f64());
    let Some(steps) = steps.filter(|_| own.len() > 1) else {
        return String::new();
    };
    let chart = chart(&[("live", &own), ("heard", &foreign)], steps);
    let marks: String = [0.0, 0.25, 0.5, 0.75, 1.0]
        .iter()
        .map(|top| {
            let value = 1.0 - top * (1.0 - chart.floor);
            tick(*top, &format!("{:.0}%", 100.0 * value))
        })
        .collect();
    let last = |curve: &Curve| curve.last().map_or(0.0, |p| 100.0 * p.1);
    format!(
        "<figure class=\"chart\" role=\"group\" aria-label=\"Likeness on held-out windows over the steps \
         of the training: on its own sounds it ends at {:.0} percent, on other instruments at {:.0} \
         percent.\">\n<div class=\"display\"><div class=\"picture\">{}{marks}</div>\
         <div class=\"times\" aria-hidden=\"true\"><span>0</span><span>{} steps</span></div></div>\n\
         <figcaption>Likeness of one answer to a window of a second that was held out: \
         <span class=\"key live\">own sounds (dashed)</span> and \
         <span class=\"key heard\">other instruments</span>.</figcaption>\n</figure>\n",
        last(&own),
        last(&foreign),
        chart.svg,
        thousands(steps as usize)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_record_has_is_shown_and_what_it_has_not_is_left_out() {
        let point = |step: u64| json!({"step": step, "quality": {"own": 0.7, "foreign": null}});
        let record = json!({
            "command": "train <all>",
            "steps": 12_345,
            "history": [point(10), point(20)],
            "recipe": {"batch": 32},
        });
        let html = section(&record, "abc");
        for wanted in ["train &lt;all&gt;", "12,345", "abc", "20 steps", "batch"] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(!html.contains("commit"));
        let bare = section(&Value::Null, "abc");
        assert!(bare.contains("abc") && !bare.contains("figure") && !bare.contains("details"));
    }
}
