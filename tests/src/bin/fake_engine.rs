//! A stand-in for `mirrornet-trainer serve` that the tests start in its place, and a stand-in for a
//! plain C host. It behaves as the file `mode` in its working folder says: the mode's name, then
//! its number.

use matcher::engine::protocol::{self, Message, OUTPUT_LEN, PROTOCOL_VERSION};
use matcher::{Contract, Encoder, INPUT_LEN};
use std::io::{Read, Write, stdin, stdout};
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => serve(&arguments),
        Some("host") => host(std::path::Path::new(&arguments[2])),
        _ => panic!("expected serve or host, got {arguments:?}"),
    }
}

fn forever() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}

fn serve(arguments: &[String]) {
    matcher::engine::close_inherited();
    let mode = std::fs::read_to_string("mode").expect("the working folder is the engine's");
    let (mode, number) = mode.trim().split_once(' ').unwrap_or((mode.trim(), "0"));
    let number: usize = number.parse().expect("a number after the mode");
    let environment: Vec<String> = std::env::vars_os()
        .map(|(k, v)| format!("{}={}", k.to_string_lossy(), v.to_string_lossy()))
        .collect();
    std::fs::write("environment", environment.join("\n")).unwrap();
    std::fs::write("arguments", arguments[1..].join("\n")).unwrap();
    let count = std::fs::read_to_string("starts").map_or(0, |s| s.len());
    std::fs::write("starts", "x".repeat(count + 1)).unwrap();

    match mode {
        "hang-at-start" => forever(),
        "garbage" => {
            stdout()
                .write_all(b"Segmentation fault (core dumped)\n")
                .unwrap();
            stdout().flush().unwrap();
            forever();
        }
        "oversized" => {
            let mut frame = u32::MAX.to_le_bytes().to_vec();
            frame.push(2);
            stdout().write_all(&frame).unwrap();
            stdout().flush().unwrap();
            forever();
        }
        "die-at-start" => {
            eprintln!("libtorch_cpu.so: cannot open shared object file");
            std::process::exit(127);
        }
        _ => {}
    }

    let mut input = stdin().lock();
    let mut output = stdout().lock();
    match protocol::read(&mut input).unwrap() {
        Some(Message::Hello {
            protocol: PROTOCOL_VERSION,
        }) => {}
        other => panic!("expected a greeting, got {other:?}"),
    }
    if mode == "failed" {
        let message = "encoder.pt is truncated".into();
        protocol::write(&mut output, &Message::Failed { message }).unwrap();
        return;
    }
    let mut contract = Contract::current(ear::EarConfig::default(), b"", serde_json::Value::Null);
    if mode == "foreign" {
        contract.params[0].id = "osc9_shape".into();
    }
    let version = if mode == "old" {
        "0.0.1"
    } else {
        env!("CARGO_PKG_VERSION")
    };
    let ready = Message::Ready {
        protocol: PROTOCOL_VERSION,
        version: version.into(),
        contract: serde_json::to_string(&contract).unwrap(),
    };
    protocol::write(&mut output, &ready).unwrap();

    let mut served = 0;
    loop {
        match mode {
            // Neither reads nor writes: the client blocks in its write.
            "stop-reading" if served == number => forever(),
            // Reads the start of a request, then dies with the rest unread.
            "die-in-write" if served == number => {
                let mut start = [0; 1000];
                input.read_exact(&mut start).unwrap();
                std::process::abort();
            }
            _ => {}
        }
        let Some(message) = protocol::read(&mut input).unwrap() else {
            return;
        };
        let Message::Infer { id, windows } = message else {
            panic!("expected a request, got {message:?}")
        };
        match mode {
            "crash" if served == number => {
                eprintln!("thread panicked: out of luck");
                std::process::exit(101);
            }
            "hang" if served == number => forever(),
            _ => {}
        }
        let count = windows.len() / INPUT_LEN;
        // Every number of an answer is its window's first byte over 255, so that answers can be
        // told apart.
        let mut values: Vec<f32> = (0..count * OUTPUT_LEN)
            .map(|i| windows[i / OUTPUT_LEN * INPUT_LEN] as f32 / 255.0)
            .collect();
        match mode {
            "short" => values.truncate(OUTPUT_LEN * (count - 1).max(1)),
            "nan" => values[0] = f32::NAN,
            // Slow enough for requests to gather meanwhile.
            "slow" => std::thread::sleep(Duration::from_millis(50)),
            _ => {}
        }
        let mut log = std::fs::File::options()
            .append(true)
            .create(true)
            .open("batches")
            .unwrap();
        writeln!(log, "{count}").unwrap();
        let id = if mode == "wrong-id" { id + 1 } else { id };
        protocol::write(&mut output, &Message::Inferred { id, values }).unwrap();
        served += 1;
    }
}

/// A host that leaves signals as C programs do. Prints the status after each of the requests, so
/// large that they don't fit the pipe's buffer.
#[allow(unsafe_code)]
fn host(folder: &std::path::Path) {
    #[cfg(unix)]
    // SAFETY: restores the default action that Rust's start-up code replaced; no handler is
    // installed.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
    let engine = matcher::engine::Engine::at(folder);
    engine.start();
    while !matches!(
        engine.status(),
        matcher::engine::EngineStatus::Running { .. }
    ) {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("pid {}", engine.pid().unwrap());
    let result = engine
        .encoder()
        .infer(&vec![0; matcher::MAX_BATCH * INPUT_LEN]);
    println!("result {result:?}");
    println!("survived");
}
