//! Protocol between the engine's client and the engine process: one frame per message.
//!
//! A frame is a u32 little-endian length of the rest, a u8 kind, and the payload. A length that the
//! kind does not allow is a protocol error before any of the payload is read or allocated. Reading
//! is total: any bytes give a message, a clean end, or an error that says what was wrong.

use crate::model::{INPUT_LEN, MAX_BATCH};
use std::io::{self, Error, ErrorKind, Read, Write};
use synth::MATCHED_COUNT;

/// Version of this protocol; the handshake refuses another.
pub const PROTOCOL_VERSION: u32 = 1;
/// Longest frame in bytes, kind included.
pub const MAX_FRAME: u32 = 8 << 20;
/// Number of values per window in an answer: means, then standard deviations.
pub const OUTPUT_LEN: usize = 2 * MATCHED_COUNT;
/// Longest text of a failure, in bytes.
pub const MAX_TEXT: usize = 4096;
/// Longest version string, in bytes.
pub const MAX_VERSION: usize = 64;
/// Longest contract, in bytes.
pub const MAX_CONTRACT: usize = 1 << 20;

const HELLO: u8 = 1;
const READY: u8 = 2;
const INFER: u8 = 3;
const INFERRED: u8 = 4;
const FAILED: u8 = 5;

/// A message in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Client -> engine, first: protocol version.
    Hello {
        /// Version that the client speaks: [`PROTOCOL_VERSION`].
        protocol: u32,
    },
    /// Engine -> client: versions and the model's contract (JSON).
    Ready {
        /// Version that the engine speaks: [`PROTOCOL_VERSION`].
        protocol: u32,
        /// Crate version of the engine, at most [`MAX_VERSION`] bytes.
        version: String,
        /// Text of `encoder.json`, at most [`MAX_CONTRACT`] bytes.
        contract: String,
    },
    /// Client -> engine: quantised windows.
    Infer {
        /// Id of the request, echoed in the answer.
        id: u32,
        /// Windows: n x [`INPUT_LEN`] bytes, n from 1 to [`MAX_BATCH`].
        windows: Vec<u8>,
    },
    /// Engine -> client: n x [`OUTPUT_LEN`] numbers, per window means then sigmas.
    Inferred {
        /// Id of the request.
        id: u32,
        /// Outputs of the model, n x [`OUTPUT_LEN`].
        values: Vec<f32>,
    },
    /// Engine -> client: the reason why it can't serve; the engine exits after it.
    Failed {
        /// Reason for the player, at most [`MAX_TEXT`] bytes.
        message: String,
    },
}

fn invalid(text: String) -> Error {
    Error::new(ErrorKind::InvalidData, text)
}

/// Shortest and longest payload of a kind, in bytes; `None` for an unknown kind.
fn limits(kind: u8) -> Option<(usize, usize)> {
    Some(match kind {
        HELLO => (4, 4),
        READY => (10, 10 + MAX_VERSION + MAX_CONTRACT),
        INFER => (4 + INPUT_LEN, 4 + MAX_BATCH * INPUT_LEN),
        INFERRED => (4 + 4 * OUTPUT_LEN, 4 + 4 * MAX_BATCH * OUTPUT_LEN),
        FAILED => (0, MAX_TEXT),
        _ => return None,
    })
}

/// Writes one frame and flushes. A message beyond the limits is an `InvalidInput` error, and
/// nothing of it is written.
pub fn write(to: &mut impl Write, message: &Message) -> io::Result<()> {
    let mut frame = vec![0; 5];
    frame[4] = match message {
        Message::Hello { protocol } => {
            frame.extend(protocol.to_le_bytes());
            HELLO
        }
        Message::Ready {
            protocol,
            version,
            contract,
        } => {
            frame.extend(protocol.to_le_bytes());
            frame.extend((version.len() as u16).to_le_bytes());
            frame.extend((contract.len() as u32).to_le_bytes());
            frame.extend(version.as_bytes());
            frame.extend(contract.as_bytes());
            READY
        }
        Message::Infer { id, windows } => {
            frame.extend(id.to_le_bytes());
            frame.extend(windows);
            INFER
        }
        Message::Inferred { id, values } => {
            frame.extend(id.to_le_bytes());
            frame.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            INFERRED
        }
        Message::Failed { message } => {
            frame.extend(message.as_bytes());
            FAILED
        }
    };
    // A message that could not be parsed back is not sent.
    if let Err(e) = parse(frame[4], &frame[5..]) {
        return Err(Error::new(ErrorKind::InvalidInput, e.to_string()));
    }
    let length = (frame.len() - 4) as u32;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    to.write_all(&frame)?;
    to.flush()
}

/// Reads one frame; `Ok(None)` at a clean end of file. A truncated frame is an `UnexpectedEof`
/// error, an invalid one `InvalidData`.
pub fn read(from: &mut impl Read) -> io::Result<Option<Message>> {
    let mut header = [0; 5];
    let mut filled = 0;
    while filled < header.len() {
        match from.read(&mut header[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => {
                return Err(Error::new(
                    ErrorKind::UnexpectedEof,
                    format!("the stream ended in a frame header: {filled} of 5 bytes"),
                ));
            }
            Ok(n) => filled += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    let kind = header[4];
    if length == 0 || length > MAX_FRAME {
        return Err(invalid(format!(
            "a frame of {length} bytes: expected 1 to {MAX_FRAME}"
        )));
    }
    let length = length as usize - 1;
    check_length(kind, length)?;
    let mut payload = vec![0; length];
    from.read_exact(&mut payload).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => Error::new(
            e.kind(),
            format!("the stream ended in a frame of {length} bytes"),
        ),
        _ => e,
    })?;
    parse(kind, &payload).map(Some)
}

fn check_length(kind: u8, length: usize) -> io::Result<()> {
    let (least, most) =
        limits(kind).ok_or_else(|| invalid(format!("frame of unknown kind {kind}")))?;
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(invalid(format!(
        "frame of kind {kind} with {length} bytes: expected {least} to {most}"
    )))
}

fn parse(kind: u8, payload: &[u8]) -> io::Result<Message> {
    check_length(kind, payload.len())?;
    let number = |at: usize| {
        u32::from_le_bytes([
            payload[at],
            payload[at + 1],
            payload[at + 2],
            payload[at + 3],
        ])
    };
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec())
            .map_err(|_| invalid(format!("frame of kind {kind} is not UTF-8")))
    };
    let whole = |bytes: usize, of: usize| {
        if bytes.is_multiple_of(of) {
            return Ok(());
        }
        Err(invalid(format!(
            "frame of kind {kind} with {bytes} bytes of data: expected a multiple of {of}"
        )))
    };
    Ok(match kind {
        HELLO => Message::Hello {
            protocol: number(0),
        },
        READY => {
            let version = u16::from_le_bytes([payload[4], payload[5]]) as usize;
            let contract = number(6) as usize;
            if version > MAX_VERSION || 10 + version + contract != payload.len() {
                return Err(invalid(format!(
                    "ready frame of {} bytes: expected 10 + {version} (version) + {contract} (contract)",
                    payload.len()
                )));
            }
            Message::Ready {
                protocol: number(0),
                version: text(&payload[10..10 + version])?,
                contract: text(&payload[10 + version..])?,
            }
        }
        INFER => {
            whole(payload.len() - 4, INPUT_LEN)?;
            Message::Infer {
                id: number(0),
                windows: payload[4..].to_vec(),
            }
        }
        INFERRED => {
            whole(payload.len() - 4, 4 * OUTPUT_LEN)?;
            let values = payload[4..]
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            Message::Inferred {
                id: number(0),
                values: values.collect(),
            }
        }
        // `check_length` let only known kinds through.
        _ => Message::Failed {
            message: text(payload)?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages() -> impl Strategy<Value = Message> {
        let windows = (1usize..4, any::<u8>()).prop_map(|(n, b)| vec![b; n * INPUT_LEN]);
        let values = (1usize..5).prop_flat_map(|n| {
            proptest::collection::vec(-1e6f32..1e6, n * OUTPUT_LEN..=n * OUTPUT_LEN)
        });
        prop_oneof![
            any::<u32>().prop_map(|protocol| Message::Hello { protocol }),
            (any::<u32>(), "[ -~é]{0,32}", "\\PC{0,300}").prop_map(
                |(protocol, version, contract)| {
                    Message::Ready {
                        protocol,
                        version,
                        contract,
                    }
                }
            ),
            (any::<u32>(), windows).prop_map(|(id, windows)| Message::Infer { id, windows }),
            (any::<u32>(), values).prop_map(|(id, values)| Message::Inferred { id, values }),
            "\\PC{0,200}".prop_map(|message| Message::Failed { message }),
        ]
    }

    fn frame(message: &Message) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, message).unwrap();
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_sequence_round_trips(list in proptest::collection::vec(messages(), 0..5)) {
            let bytes: Vec<u8> = list.iter().flat_map(frame).collect();
            let mut from = bytes.as_slice();
            for message in &list {
                prop_assert_eq!(&read(&mut from).unwrap().unwrap(), message);
            }
            prop_assert!(read(&mut from).unwrap().is_none());
        }

        #[test]
        fn a_truncated_frame_is_an_error(message in messages(), at in 0.0..1.0f64) {
            let bytes = frame(&message);
            let cut = 1 + (at * (bytes.len() - 1) as f64) as usize;
            let result = read(&mut &bytes[..cut.min(bytes.len() - 1)]);
            prop_assert_eq!(result.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&mut bytes.as_slice());
        }

        #[test]
        fn a_flipped_byte_never_panics(message in messages(), at in any::<usize>(), flip in 1u8..) {
            let mut bytes = frame(&message);
            let at = at % bytes.len().min(64);
            bytes[at] ^= flip;
            if let Ok(Some(other)) = read(&mut bytes.as_slice()) {
                prop_assert!(frame(&other).len() <= bytes.len());
            }
        }
    }

    /// Reader that yields its bytes, then fails the test: the payload of a refused frame must not
    /// be read.
    struct Limited<'a>(&'a [u8]);
    impl Read for Limited<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            assert!(
                !self.0.is_empty(),
                "read past the header of a refused frame"
            );
            self.0.read(to)
        }
    }

    #[test]
    fn lengths_are_refused_before_the_payload() {
        for kind in 0..=255u8 {
            let wrong = match limits(kind) {
                Some((least, most)) => vec![
                    least.checked_sub(1).map(|n| n as u32 + 1),
                    Some(most as u32 + 2),
                    Some(u32::MAX),
                    Some(0),
                ],
                None => vec![Some(1), Some(5), Some(MAX_FRAME)],
            };
            for length in wrong.into_iter().flatten() {
                let mut header = length.to_le_bytes().to_vec();
                header.push(kind);
                let error = read(&mut Limited(&header)).unwrap_err();
                assert_eq!(
                    error.kind(),
                    ErrorKind::InvalidData,
                    "kind {kind} length {length}"
                );
            }
        }
    }

    #[test]
    fn oversized_messages_are_not_written() {
        let big = |n: usize| "x".repeat(n);
        for message in [
            Message::Infer {
                id: 0,
                windows: vec![0; (MAX_BATCH + 1) * INPUT_LEN],
            },
            Message::Infer {
                id: 0,
                windows: vec![0; INPUT_LEN + 1],
            },
            Message::Infer {
                id: 0,
                windows: vec![],
            },
            Message::Inferred {
                id: 0,
                values: vec![0.0; OUTPUT_LEN - 1],
            },
            Message::Failed {
                message: big(MAX_TEXT + 1),
            },
            Message::Ready {
                protocol: 1,
                version: big(MAX_VERSION + 1),
                contract: String::new(),
            },
            // 65,536 would wrap to 0 in the version's length field.
            Message::Ready {
                protocol: 1,
                version: big(65_536),
                contract: String::new(),
            },
            Message::Ready {
                protocol: 1,
                version: big(1),
                contract: big(MAX_CONTRACT + MAX_VERSION),
            },
        ] {
            let mut bytes = Vec::new();
            let kind = write(&mut bytes, &message).unwrap_err().kind();
            assert_eq!((kind, bytes.len()), (ErrorKind::InvalidInput, 0));
        }
    }
}
