//! Writing whole files, and the checks of where they go.

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    for text in ["first, long", "second"] {
        write_atomically(&path, text.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(names(folder.path()), ["a.txt"]);
}

#[test]
fn a_failed_write_leaves_the_old_file_and_no_temporary_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    write_atomically(&path, b"old").unwrap();
    let failed = replace_with(&path, |temporary| {
        assert_eq!(temporary.parent(), path.parent());
        assert_eq!(temporary.extension(), path.extension());
        fs::write(temporary, "half")?;
        Err(io::Error::other("disk full"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "disk full");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names(folder.path()), ["a.txt"]);
    assert!(write_atomically(&folder.path().join("missing/a.txt"), b"x").is_err());
    assert!(write_atomically(Path::new(".."), b"x").is_err());
}

#[cfg(unix)]
mod links {
    use super::super::*;
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, symlink};

    #[test]
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let (file, link) = (inner.join("a.txt"), folder.path().join("link.txt"));
        fs::write(&file, "old").unwrap();
        symlink("inner/a.txt", &link).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        // One that leads to nothing yet.
        let dangling = folder.path().join("dangling.txt");
        symlink("inner/b.txt", &dangling).unwrap();
        replace_with(&dangling, |temporary| fs::write(temporary, "made")).unwrap();
        assert!(dangling.is_symlink());
        assert_eq!(fs::read_to_string(inner.join("b.txt")).unwrap(), "made");
        assert_eq!(super::names(&inner), ["a.txt", "b.txt"]);
        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(write_atomically(&circle, b"x").is_err());
    }

    #[test]
    fn a_file_with_two_names_keeps_both() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&a, "old and long").unwrap();
        fs::hard_link(&a, &b).unwrap();
        write_atomically(&a, b"new").unwrap();
        assert_eq!(fs::read_to_string(&b).unwrap(), "new");
    }

    #[test]
    fn a_pipe_and_a_device_are_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.wav");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || {
                let mut text = String::new();
                File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                text
            })
        };
        // The check doesn't wait for the reader.
        check_outputs(&[], &[("--out", &pipe)]).unwrap();
        write_atomically(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), "through");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        let device = Path::new("/dev/null");
        write_atomically(device, b"x").unwrap();
        replace_with(device, |temporary| fs::write(temporary, "x")).unwrap();
        assert!(fs::metadata(device).unwrap().file_type().is_char_device());
        // It may take several outputs.
        check_outputs(&[], &[("--out", device), ("--patch", device)]).unwrap();
    }

    #[test]
    fn the_same_file_is_seen_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in.wav");
        fs::write(&input, "sound").unwrap();
        let soft = folder.path().join("soft.wav");
        symlink("in.wav", &soft).unwrap();
        let hard = folder.path().join("hard.wav");
        fs::hard_link(&input, &hard).unwrap();
        let around = folder.path().join("sub/../in.wav");
        fs::create_dir(folder.path().join("sub")).unwrap();
        for path in [&input, &soft, &hard, &around] {
            let error = check_outputs(&[("the reference", &input)], &[("--out", path)]);
            let error = error.unwrap_err().to_string();
            assert!(
                error.contains("--out") && error.contains("the reference"),
                "{error}"
            );
        }
        // Two outputs that aren't there yet, one by a link.
        let (new, link) = (folder.path().join("new"), folder.path().join("link"));
        symlink("new", &link).unwrap();
        assert!(check_outputs(&[], &[("--out", &new), ("--patch", &link)]).is_err());
        assert_eq!(fs::read_to_string(&input).unwrap(), "sound");
        assert!(!new.exists());
    }
}

#[test]
fn outputs_are_checked_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let check = |name: &str| check_outputs(&[], &[("--out", &path(name))]);
    check("new.wav").unwrap();
    assert!(names(folder.path()).is_empty());
    let error = check("missing/new.wav").unwrap_err().to_string();
    assert!(
        error.contains("no folder") && error.contains("make it first"),
        "{error}"
    );
    fs::create_dir(path("folder")).unwrap();
    assert!(
        check("folder")
            .unwrap_err()
            .to_string()
            .contains("a folder")
    );
    let (a, b) = (path("a"), path("./a"));
    assert!(check_outputs(&[], &[("--out", &a), ("--patch", &b)]).is_err());
    check_outputs(&[("the reference", &path("b"))], &[("--out", &a)]).unwrap();
}
