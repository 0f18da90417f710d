//! The report of an evaluation as a table.

use super::{Baselines, Row};
use matcher::search::{MAX_CANDIDATES, Score};

/// Largest movement of an envelope's parameters during a held note that counts as steady, as a
/// share of their range.
const STEADY: f32 = 0.02;

/// The report of evaluated clips by kind (`sets`), of the movement of held notes as shares of their
/// range (`moved`), and of the comparisons with baselines (`rivals`).
pub fn text(sets: &[(&str, Vec<Row>)], moved: &[f32], rivals: &[Baselines]) -> String {
    let mut lines = Vec::new();
    for (name, rows) in sets {
        lines.push(format!(
            "{name:20}   likeness                                     closed                         mel distance [dB]\n\
             {:20}   default  patch   live    one refined       patch   live    one refined   default  patch   live    one refined   settled  pitch  refined",
            ""
        ));
        lines.extend(rows.iter().map(|row| line(&row.name, &[row])));
        let all: Vec<&Row> = rows.iter().collect();
        lines.push(line("mean", &all));
        let worst = |what: &str, of: &dyn Fn(&Row) -> Option<Score>| {
            let scored = rows.iter().filter_map(|row| Some((row, of(row)?.likeness)));
            let worst = scored.min_by(|a, b| a.1.total_cmp(&b.1));
            worst.map(|(row, likeness)| format!("worst {what}: {}, {likeness:.3}", row.name))
        };
        lines.extend(worst("live", &|row| Some(row.live)));
        lines.extend(worst("refined", &|row| row.refined));
        lines.push(String::new());
    }
    if !moved.is_empty() {
        let steady = moved.iter().filter(|&&m| m <= STEADY).count();
        let mut sorted = moved.to_vec();
        sorted.sort_by(f32::total_cmp);
        lines.push(format!(
            "held notes whose envelopes' parameters move by at most {:.0} % of their range: {steady} of {} \
             (median movement {:.1} %)",
            100.0 * STEADY,
            moved.len(),
            100.0 * sorted[moved.len() / 2]
        ));
    }
    if !rivals.is_empty() {
        let share = |wins: fn(&&Baselines) -> bool| {
            let won = rivals.iter().filter(wins).count();
            format!("{won} of {}", rivals.len())
        };
        let mean =
            |of: fn(&Baselines) -> f32| rivals.iter().map(of).sum::<f32>() / rivals.len() as f32;
        lines.push(format!(
            "the encoder's one answer ({:.3}) beats the best of 1,000 random patches ({:.3}) on {}\n\
             its best of up to {MAX_CANDIDATES} ({:.3}) beats it on {}\n\
             encoder and 2 s of search ({:.3}) beat CMA-ES, 2,000 renders ({:.3}), on {}",
            mean(|p| p.one),
            mean(|p| p.random),
            share(|p| p.one > p.random),
            mean(|p| p.encoder),
            share(|p| p.encoder > p.random),
            mean(|p| p.refined),
            mean(|p| p.blind),
            share(|p| p.refined > p.blind),
        ));
    }
    lines.join("\n")
}

/// One row, or the mean of many.
fn line(name: &str, rows: &[&Row]) -> String {
    let mean = |of: &dyn Fn(&Row) -> Option<f32>| {
        let values: Option<Vec<f32>> = rows.iter().map(|row| of(row)).collect();
        match values {
            Some(values) => format!(
                "{:6.3}",
                values.iter().sum::<f32>() / values.len().max(1) as f32
            ),
            None => "     -".into(),
        }
    };
    type Column = fn(&Row) -> Option<Score>;
    let columns: [Column; 5] = [
        |row| Some(row.default),
        |row| Some(row.patch),
        |row| Some(row.live),
        |row| row.one,
        |row| row.refined,
    ];
    let mut text = format!("{name:20}  ");
    for column in columns {
        text += &format!("  {}", mean(&|row| column(row).map(|s| s.likeness)));
    }
    text += "    ";
    for column in &columns[1..] {
        text += &format!("  {}", mean(&|row| column(row).map(|s| row.closed(s))));
    }
    text += "  ";
    for column in columns {
        text += &format!("  {}", mean(&|row| column(row).map(|s| s.mel)));
    }
    text += &format!("    {}", mean(&|row| Some(row.settled)));
    text += &format!("  {}", mean(&|row| Some(row.pitch)));
    text += &format!("   {}", mean(&|row| row.refined_pitch));
    if let [row] = rows
        && let Some(renders) = row.renders
    {
        text += &format!("   {renders} renders");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(likeness: f32, refined: Option<f32>) -> Row {
        let score = |likeness| Score { likeness, mel: 3.0 };
        Row {
            name: "clip".into(),
            default: score(0.5),
            patch: score(likeness),
            live: score(likeness),
            settled: 0.9,
            pitch: 1.0,
            one: refined.map(score),
            refined: refined.map(score),
            renders: None,
            refined_pitch: refined,
        }
    }

    #[test]
    fn the_mean_line_averages_what_all_rows_have() {
        let (a, b) = (row(0.6, Some(0.9)), row(0.8, None));
        let both = line("mean", &[&a, &b]);
        // Closed 0.2 and 0.6 of the default's distance.
        assert!(both.contains(" 0.700") && both.contains(" 0.400"), "{both}");
        let searched = line("a", &[&a]);
        // Likeness, closed and mel distance of a search that one row has not had, twice, and its
        // pitch.
        assert_eq!(both.matches(" -").count(), 7, "{both}");
        assert_eq!(searched.matches(" -").count(), 0, "{searched}");
    }
}
