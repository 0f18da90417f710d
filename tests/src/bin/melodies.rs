//! Writes the foreign melodies on which the goals of the match are measured, for
//! `mirrornet evaluate --foreign`.

use std::path::Path;

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [flag, out] = arguments.as_slice() else {
        eprintln!("usage: melodies --out DIR");
        std::process::exit(2);
    };
    if flag != "--out" {
        eprintln!("unknown argument {}: expected --out DIR", flag.display());
        std::process::exit(2);
    }
    tests::melody::write_measured(Path::new(out));
}
