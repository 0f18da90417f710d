//! The child process: starting it, exchanging messages with it, and ending it.

use super::protocol::{self, Message};
use super::{Installation, engine_program};
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Number of bytes kept from the end of the child's standard error.
const STDERR_BYTES: usize = 2048;
/// Inherited variables that would change what the child's libraries load or how many threads they
/// run.
const FOREIGN_PREFIXES: [&str; 5] = ["LD_", "DYLD_", "OMP_", "GOMP_", "KMP_"];

/// A running child. Dropping it ends the child and its helper threads.
pub(super) struct Process {
    child: Child,
    /// Messages for the child; each is answered on `answers`.
    requests: Option<Sender<Message>>,
    pub(super) answers: Receiver<io::Result<Message>>,
    threads: Vec<JoinHandle<()>>,
    stderr: Arc<Mutex<Vec<u8>>>,
}

impl Process {
    /// Starts an engine and greets it; its `Ready` is the first answer.
    pub(super) fn start(installation: &Installation) -> io::Result<Self> {
        let (program, model) = (&installation.program, installation.model());
        let mut command = Command::new(program.join(engine_program()));
        command
            .arg("serve")
            .arg("--model")
            .arg(model)
            .current_dir(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if FOREIGN_PREFIXES.iter().any(|p| text.starts_with(p)) {
                command.env_remove(&name);
            }
        }
        command.stderr(Stdio::piped());
        #[cfg(windows)]
        {
            use std::os::windows::process::CommandExt;
            // CREATE_NO_WINDOW: no console flashes up over the host.
            command.creation_flags(0x0800_0000);
        }
        let (mut child, mut link) = Link::spawn(command)?;
        let errors = child.stderr.take();
        let (requests, inbox) = bounded::<Message>(1);
        let (outbox, answers) = bounded(1);
        let stderr = Arc::new(Mutex::new(Vec::new()));
        // From here on an early return ends the child.
        let mut process = Self {
            child,
            requests: Some(requests),
            answers,
            threads: Vec::new(),
            stderr,
        };
        if let Some(mut from) = errors {
            let kept = process.stderr.clone();
            process.threads.push(spawn("mirrornet stderr", move || {
                keep_last(&mut from, &kept)
            })?);
        }
        // The exchange blocks in its own thread, so that a child that neither reads nor writes is
        // handled alike on all systems: it is killed, and the blocked call returns.
        process.threads.push(spawn("mirrornet pipe", move || {
            for message in inbox {
                let answer = link.exchange(&message);
                let failed = answer.is_err();
                if outbox.send(answer).is_err() || failed {
                    return;
                }
            }
        })?);
        process.ask(Message::Hello {
            protocol: protocol::PROTOCOL_VERSION,
        });
        Ok(process)
    }

    /// Sends a message, one at a time; its answer comes on `answers`.
    pub(super) fn ask(&mut self, message: Message) {
        if let Some(requests) = &self.requests {
            // The pipe thread ends only after having answered with an error.
            let _ = requests.send(message);
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns whether the child has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends the child, and describes for the player in a few words how it ended.
    pub(super) fn post_mortem(mut self) -> String {
        // A child that closed its pipe is about to end: its own status says more than our kill.
        let ended = self.wait(Duration::from_millis(100));
        self.end();
        let how = match ended {
            Some(status) => status.to_string(),
            None => "killed".into(),
        };
        let stderr = self.stderr.lock();
        let text = String::from_utf8_lossy(&stderr);
        match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
            Some(line) => format!("{how}, \"{line}\""),
            None => how,
        }
    }

    fn wait(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        let until = Instant::now() + limit;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                _ => return None,
            }
        }
    }

    /// Ends the child at once: it holds nothing that it would have to save, a host that removes an
    /// instance waits for this, and libtorch takes 100 ms to end by itself.
    fn end(&mut self) {
        self.requests = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(f)
}

/// Reads to the end, keeping the last [`STDERR_BYTES`].
fn keep_last(from: &mut impl Read, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 512];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let mut kept = kept.lock();
        kept.extend_from_slice(&buffer[..n]);
        let excess = kept.len().saturating_sub(STDERR_BYTES);
        kept.drain(..excess);
    }
}

/// Closes what this process has inherited beyond its three standard streams: descriptors that a
/// host opened without close-on-exec, whose holder keeps devices and locks busy. For the engine's
/// program, before it opens anything itself.
///
/// The host could mark them before it starts the engine, but only between fork and exec, and a
/// fork stops every thread of a host with gigabytes in memory for some hundred milliseconds.
pub fn close_inherited() {
    #[cfg(target_os = "linux")]
    #[allow(unsafe_code)]
    // SAFETY: nothing in this process owns these descriptors yet. Kernels before 5.9 refuse the
    // call, and then they stay open, as ever.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32);
    }
    // On Windows a child inherits only the handles it is given, and on macOS std starts it with
    // close-on-exec as the default.
}

/// Our end of the child's standard input and output.
///
/// On Unix a socket pair: a write to a dead child's *pipe* would raise SIGPIPE, whose default
/// action kills the host. Rust's `UnixStream` sends with MSG_NOSIGNAL where that exists; on macOS
/// the socket option does the same.
#[cfg(unix)]
struct Link {
    stream: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl Link {
    fn spawn(mut command: Command) -> io::Result<(Child, Self)> {
        use std::os::{fd::OwnedFd, unix::net::UnixStream};
        let (stream, theirs) = UnixStream::pair()?;
        #[cfg(target_vendor = "apple")]
        rustix::net::sockopt::set_socket_nosigpipe(&stream, true)?;
        let child = command
            .stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .spawn()?;
        // `command` is dropped here and with it our copies of the child's ends: the stream ends
        // when the child does.
        Ok((child, Self { stream }))
    }

    fn exchange(&mut self, message: &Message) -> io::Result<Message> {
        protocol::write(&mut self.stream, message)?;
        answered(protocol::read(&mut self.stream)?)
    }
}

/// Our ends of the child's standard input and output.
#[cfg(not(unix))]
struct Link {
    stdin: std::process::ChildStdin,
    stdout: std::process::ChildStdout,
}

#[cfg(not(unix))]
impl Link {
    fn spawn(mut command: Command) -> io::Result<(Child, Self)> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok((child, Self { stdin, stdout })),
            _ => Err(io::Error::other("the system made no pipes")),
        }
    }

    fn exchange(&mut self, message: &Message) -> io::Result<Message> {
        protocol::write(&mut self.stdin, message)?;
        answered(protocol::read(&mut self.stdout)?)
    }
}

fn answered(message: Option<Message>) -> io::Result<Message> {
    message.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
