//! The engine process: inferences over standard input and output (see `matcher::engine::protocol`).

use crate::torchscript::TorchEncoder;
use matcher::INPUT_LEN;
use matcher::engine::protocol::{self, Message, PROTOCOL_VERSION};
use std::io::{self, Read, Write};
use std::path::Path;

/// Serves the model in `model` until `from` ends. Nothing but protocol goes to `to`. The error is
/// also sent to the client where it can be.
pub fn serve(model: &Path, from: &mut impl Read, to: &mut impl Write) -> Result<(), String> {
    match answer_all(model, from, to) {
        Err(message) => {
            // The client may be gone: the error is returned all the same.
            let mut text = message.clone();
            text.truncate(text.floor_char_boundary(protocol::MAX_TEXT));
            let _ = protocol::write(to, &Message::Failed { message: text });
            Err(message)
        }
        ok => ok,
    }
}

fn answer_all(model: &Path, from: &mut impl Read, to: &mut impl Write) -> Result<(), String> {
    match protocol::read(from).map_err(lost)? {
        Some(Message::Hello {
            protocol: PROTOCOL_VERSION,
        }) => {}
        Some(Message::Hello { protocol }) => {
            return Err(format!(
                "the plugin speaks engine protocol {protocol}, this engine {PROTOCOL_VERSION}: install \
                 plugin and engine of the same version"
            ));
        }
        Some(other) => return Err(format!("expected a hello, got {}", name(&other))),
        None => return Ok(()),
    }
    let encoder = TorchEncoder::new(model).map_err(|e| e.to_string())?;
    let ready = Message::Ready {
        protocol: PROTOCOL_VERSION,
        version: env!("CARGO_PKG_VERSION").into(),
        contract: encoder.contract().into(),
    };
    protocol::write(to, &ready).map_err(lost)?;
    while let Some(message) = protocol::read(from).map_err(lost)? {
        let Message::Infer { id, windows } = message else {
            return Err(format!("expected a request, got {}", name(&message)));
        };
        let mut values = Vec::new();
        for window in windows.chunks_exact(INPUT_LEN) {
            values.extend(
                encoder
                    .run(window)
                    .map_err(|e| format!("torch failed: {e}"))?,
            );
        }
        protocol::write(to, &Message::Inferred { id, values }).map_err(lost)?;
    }
    Ok(())
}

fn lost(e: io::Error) -> String {
    format!("the connection to the plugin broke: {e}")
}

fn name(message: &Message) -> &'static str {
    match message {
        Message::Hello { .. } => "another hello",
        Message::Ready { .. } => "a ready",
        Message::Infer { .. } => "a request",
        Message::Inferred { .. } => "an answer",
        Message::Failed { .. } => "a failure",
    }
}
