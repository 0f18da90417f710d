//! An engine that answers every window with the same patch at high confidence: it shows the way of
//! an inference, independently of the shipped model. Installed in a sandbox as the engine's
//! program.

use matcher::Contract;
use matcher::engine::protocol::{self, Message, PROTOCOL_VERSION};
use std::io;

fn main() -> io::Result<()> {
    let (mut from, mut to) = (io::stdin().lock(), io::stdout().lock());
    let contract = Contract::current(ear::EarConfig::default(), &[], serde_json::Value::Null);
    let answer = tests::sure::patch().matched();
    while let Some(message) = protocol::read(&mut from)? {
        let reply = match message {
            Message::Hello { .. } => Message::Ready {
                protocol: PROTOCOL_VERSION,
                version: env!("CARGO_PKG_VERSION").into(),
                contract: serde_json::to_string(&contract)?,
            },
            Message::Infer { id, windows } => {
                let sigmas = [0.01; synth::MATCHED_COUNT];
                let one = [answer, sigmas].concat();
                Message::Inferred {
                    id,
                    values: one.repeat(windows.len() / matcher::INPUT_LEN),
                }
            }
            other => Message::Failed {
                message: format!("unexpected {other:?}"),
            },
        };
        protocol::write(&mut to, &reply)?;
    }
    Ok(())
}
