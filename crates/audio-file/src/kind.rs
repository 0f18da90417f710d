//! Kinds of files, told from their first bytes.

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RIFF, RIFX, RF64 or BW64 with the form WAVE.
    Wave,
    /// AIFF or AIFF-C.
    Aiff,
    /// Read as it is by the decoder that this file extension stands for.
    Decoded(&'static str),
    /// A known kind that can't be read: its name.
    Other(&'static str),
    /// None of the known kinds.
    Unknown,
}

/// Beginnings of files that can't be read, and what they are. Position, bytes, name.
const OTHERS: &[(usize, &[u8], &str)] = &[
    (4, b"ftyp", "an MPEG-4 file (m4a, mp4: AAC or ALAC)"),
    (0, b"\x1AE\xDF\xA3", "a Matroska or WebM file"),
    (0, b"wvpk", "a WavPack file"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (0, b"TTA1", "a True Audio file"),
    (0, b"MPCK", "a Musepack file"),
    (0, b"MP+", "a Musepack file"),
    (0, b".snd", "a Sun AU file"),
    (0, b"dns.", "a Sun AU file"),
    (0, b"riff\x2E\x91\xCF\x11", "a Sony Wave64 file"),
    (
        0,
        b"\x30\x26\xB2\x75\x8E\x66\xCF\x11",
        "a Windows Media file",
    ),
    (0, b"#!AMR", "an AMR file"),
    (0, b"DSD ", "a DSD file"),
    (0, b"FRM8", "a DSD file"),
    (0, b"ADIF", "an AAC file"),
    (0, b"8SVX", "an 8SVX file"),
    (8, b"8SVX", "an 8SVX file"),
    (8, b"AVI ", "an AVI video"),
    (8, b"sfbk", "a SoundFont"),
    (8, b"RMID", "a MIDI file, which holds notes and no sound"),
    (0, b"MThd", "a MIDI file, which holds notes and no sound"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xFF\xD8\xFF", "a JPEG picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1F\x8B", "a gzip archive"),
    (0, b"<", "a text file"),
    (0, b"{", "a text file"),
];

impl Kind {
    /// The kind of the file that holds `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let has = |at: usize, what: &[u8]| bytes.get(at..).is_some_and(|b| b.starts_with(what));
        let riff = [&b"RIFF"[..], b"RIFX", b"RF64", b"BW64"];
        if riff.iter().any(|id| has(0, id)) && has(8, b"WAVE") {
            return Self::Wave;
        }
        if has(0, b"FORM") && (has(8, b"AIFF") || has(8, b"AIFC")) {
            return Self::Aiff;
        }
        if has(0, b"fLaC") {
            return Self::Decoded("flac");
        }
        if has(0, b"caff") {
            return Self::Decoded("caf");
        }
        if has(0, b"OggS") {
            return Self::of_ogg(bytes);
        }
        if let Some((_, _, name)) = OTHERS.iter().find(|(at, what, _)| has(*at, what)) {
            return Self::Other(name);
        }
        match Self::after_tag(bytes) {
            Some(sound) if sound.starts_with(b"fLaC") => Self::Decoded("flac"),
            Some(sound) => Self::of_mpeg(sound),
            // An ID3 tag that is longer than the file.
            None => Self::Unknown,
        }
    }

    /// The codec within Ogg, by the first packet, which a page header of 27 bytes and a segment
    /// table precede.
    fn of_ogg(bytes: &[u8]) -> Self {
        let packet = bytes
            .get(26)
            .and_then(|segments| bytes.get(27 + usize::from(*segments)..))
            .unwrap_or(&[]);
        match packet {
            p if p.starts_with(b"OpusHead") => Self::Other("an Opus file"),
            p if p.starts_with(b"Speex") => Self::Other("a Speex file"),
            p if p.starts_with(b"\x80theora") => Self::Other("an Ogg video"),
            _ => Self::Decoded("ogg"),
        }
    }

    /// The bytes after an ID3v2 tag; all where there is none, and `None` where it has no end.
    fn after_tag(bytes: &[u8]) -> Option<&[u8]> {
        match bytes {
            [b'I', b'D', b'3', _, _, _, a, b, c, d, rest @ ..] => {
                let size = [a, b, c, d]
                    .iter()
                    .fold(0, |n, x| n << 7 | usize::from(**x & 0x7F));
                rest.get(size..)
            }
            _ => Some(bytes),
        }
    }

    /// MPEG audio, by the first frame's synchronisation word and layer.
    fn of_mpeg(bytes: &[u8]) -> Self {
        // Padding may lie between the tag and the first frame.
        let start = bytes.iter().position(|&b| b != 0).unwrap_or(bytes.len());
        match bytes[start..] {
            [0xFF, b, c, ..] if b & 0xE0 == 0xE0 => match (b >> 1) & 3 {
                // Layer III, version and rates that exist.
                1 if b & 0x18 != 0x08 && c & 0xF0 != 0xF0 && c & 0x0C != 0x0C => {
                    Self::Decoded("mp3")
                }
                0 if b & 0xF0 == 0xF0 => Self::Other("an AAC file"),
                2 | 3 => Self::Other("an MPEG file of layer I or II"),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}
