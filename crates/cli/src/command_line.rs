//! A command as records and pages have it.

/// The command `program` with `args` and without the names of the player's files and folders, which
/// follow the options `paths`.
pub fn recorded(program: &str, paths: &[&str], args: impl Iterator<Item = String>) -> String {
    let mut words = vec![program.to_owned()];
    let mut is_path = false;
    for arg in args {
        let option = arg.split('=').next().unwrap_or_default();
        let names_path = paths.contains(&option);
        words.push(match (is_path, names_path && arg.contains('=')) {
            (true, _) => "...".into(),
            (_, true) => format!("{option}=..."),
            _ => arg.clone(),
        });
        is_path = !is_path && names_path && !arg.contains('=');
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FAULTS E10.
    #[test]
    fn a_record_names_no_files() {
        let args = "train --minutes 20 --references my/secret --out=my/model --seed 3";
        let words = args.split(' ').map(str::to_owned);
        assert_eq!(
            recorded("mirrornet-trainer", &["--out", "--references"], words),
            "mirrornet-trainer train --minutes 20 --references ... --out=... --seed 3"
        );
    }
}
