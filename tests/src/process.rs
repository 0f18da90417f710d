//! Observation of processes from outside: children and mapped files. Linux; elsewhere the lists are
//! empty.

use std::fs;

/// Direct children of process `pid` that still run (zombies don't count).
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&child| {
            let Ok(stat) = fs::read_to_string(format!("/proc/{child}/stat")) else {
                return false;
            };
            // pid (name) state ppid ...; the name may hold anything, even brackets.
            let mut fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
            let state = fields.next();
            state != Some("Z") && fields.next().and_then(|p| p.parse().ok()) == Some(pid)
        })
        .collect()
}

/// libtorch's files among those mapped into process `pid`.
pub fn torch_mapped(pid: u32) -> Vec<String> {
    let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else {
        return Vec::new();
    };
    let mut files: Vec<String> = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            name.starts_with("libtorch") || name.starts_with("libc10")
        })
        .map(String::from)
        .collect();
    files.dedup();
    files
}

/// Sends a signal to a process, e.g. `libc::SIGKILL`.
///
/// # Panics
/// When there is no such process.
#[cfg(unix)]
#[allow(unsafe_code)]
pub fn signal(pid: u32, signal: i32) {
    // SAFETY: kill only takes numbers.
    let result = unsafe { libc::kill(pid as i32, signal) };
    assert_eq!(
        result,
        0,
        "could not send signal {signal} to {pid}: {}",
        std::io::Error::last_os_error()
    );
}
