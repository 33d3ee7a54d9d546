//! The few kinds of CBOR that a leaf is made of, in their deterministic form (RFC 8949 section
//! 4.2.1): numbers in the fewest bytes, lengths known beforehand.

use super::LeafError;

/// The CBOR types, by their major type in the upper three bits of a head.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Uint = 0,
    Bytes = 2 << 5,
    Text = 3 << 5,
    Array = 4 << 5,
    Map = 5 << 5,
}

impl Kind {
    const fn name(self) -> &'static str {
        kind_name(self as u8)
    }
}

const fn kind_name(head: u8) -> &'static str {
    match head >> 5 {
        0 => "an unsigned number",
        1 => "a negative number",
        2 => "bytes",
        3 => "text",
        4 => "an array",
        5 => "a map",
        6 => "a tag",
        _ => "a simple value",
    }
}

/// Appends the head of a value: its kind and its number or length, in the fewest bytes.
pub(super) fn write_head(out: &mut Vec<u8>, kind: Kind, number: u64) {
    let kind = kind as u8;
    if let Ok(number) = u8::try_from(number) {
        if number < IN_1 {
            out.push(kind | number);
        } else {
            out.extend_from_slice(&[kind | IN_1, number]);
        }
    } else if let Ok(number) = u16::try_from(number) {
        out.push(kind | IN_2);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(kind | IN_4);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(kind | IN_8);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

/// Appends text with its head.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    write_head(out, Kind::Text, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends bytes with their head.
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_head(out, Kind::Bytes, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads values one after the other, and only in their deterministic form.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            len: bytes.len(),
        }
    }

    /// How many bytes have been read.
    pub(super) const fn at(&self) -> usize {
        self.len - self.rest.len()
    }

    pub(super) fn uint(&mut self) -> Result<u64, LeafError> {
        self.head(Kind::Uint)
    }

    /// The number of items in the array that begins here.
    pub(super) fn array(&mut self) -> Result<u64, LeafError> {
        self.head(Kind::Array)
    }

    /// The number of pairs in the map that begins here.
    pub(super) fn map(&mut self) -> Result<u64, LeafError> {
        self.head(Kind::Map)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, LeafError> {
        let at = self.at();
        let len = self.head(Kind::Text)?;
        std::str::from_utf8(self.take(len)?).map_err(|_| LeafError::Kind {
            at,
            want: "text",
            got: "text that is not UTF-8",
        })
    }

    pub(super) fn bytes<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], LeafError> {
        let got = self.head(Kind::Bytes)?;
        let bytes = self.take(got)?;
        bytes.try_into().map_err(|_| LeafError::Length {
            field,
            want: N as u64,
            got,
        })
    }

    pub(super) const fn end(&self) -> Result<(), LeafError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(LeafError::Trailing { at: self.at() })
        }
    }

    fn head(&mut self, want: Kind) -> Result<u64, LeafError> {
        let at = self.at();
        let [head] = self.chunk()?;
        if head & 0xe0 != want as u8 {
            return Err(LeafError::Kind {
                at,
                want: want.name(),
                got: kind_name(head),
            });
        }
        let (number, least) = match head & 0x1f {
            short @ 0..=23 => (u64::from(short), 0),
            IN_1 => (u64::from(u8::from_be_bytes(self.chunk()?)), 24),
            IN_2 => (u64::from(u16::from_be_bytes(self.chunk()?)), 0x100),
            IN_4 => (u64::from(u32::from_be_bytes(self.chunk()?)), 0x1_0000),
            IN_8 => (u64::from_be_bytes(self.chunk()?), 0x1_0000_0000),
            // 28 to 30 mean nothing yet; 31 is a length told at the end.
            _ => return Err(LeafError::NotCanonical { at }),
        };
        if number < least {
            return Err(LeafError::NotCanonical { at });
        }
        Ok(number)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], LeafError> {
        let truncated = LeafError::Truncated { at: self.len };
        let (chunk, rest) = self.rest.split_first_chunk().ok_or(truncated)?;
        self.rest = rest;
        Ok(*chunk)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], LeafError> {
        let (taken, rest) = usize::try_from(len)
            .ok()
            .and_then(|len| self.rest.split_at_checked(len))
            .ok_or(LeafError::Truncated { at: self.len })?;
        self.rest = rest;
        Ok(taken)
    }
}

/// What stands in the lower five bits of a head when the number follows in so many bytes; smaller
/// numbers than these stand there themselves.
const IN_1: u8 = 0x18;
const IN_2: u8 = 0x19;
const IN_4: u8 = 0x1a;
const IN_8: u8 = 0x1b;
