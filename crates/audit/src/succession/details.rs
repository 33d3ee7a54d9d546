//! The details of an entry about a checkpoint key, in their one encoding (`key.cddl`).

/// How they begin.
pub(super) const EVENT: &[u8] = b"\xa1\x65event\xa1\x6dCheckpointKey";

/// What they hold.
pub(super) struct Held<'a> {
    pub(super) statement: &'a str,
    pub(super) key: &'a str,
    pub(super) in_use: bool,
}

/// Reads the details; `None` when they are anything else.
pub(super) fn read(details: &[u8]) -> Option<Held<'_>> {
    let rest = details.strip_prefix(EVENT)?.strip_prefix(b"\xa3")?;
    let (statement, rest) = text(rest.strip_prefix(b"\x69statement")?)?;
    let (key, rest) = text(rest.strip_prefix(b"\x63key")?)?;
    let in_use = match rest.strip_prefix(b"\x66in_use")? {
        [0xf4] => false,
        [0xf5] => true,
        _ => return None,
    };
    Some(Held {
        statement,
        key,
        in_use,
    })
}

/// A text with its length before it: up to 23 bytes in its head, up to 255 in one byte, else in two.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = match bytes {
        [head @ 0x60..=0x77, rest @ ..] => (usize::from(head - 0x60), rest),
        [0x78, len, rest @ ..] => (usize::from(*len), rest),
        [0x79, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    let (text, rest) = rest.split_at_checked(len)?;
    Some((str::from_utf8(text).ok()?, rest))
}
