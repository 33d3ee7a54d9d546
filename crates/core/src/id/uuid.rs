//! Sixteen bytes as text: RFC 9562 section 4, without a look at version and variant.

use std::fmt;

use crate::invalid::Invalid;

/// The sixteen bytes that a text says.
pub(super) fn parse_uuid(text: &str) -> Result<[u8; 16], Invalid> {
    const RULE: Invalid =
        Invalid::new("must be a UUID: 32 hexadecimal digits in the groups 8-4-4-4-12");
    let mut digits = Vec::with_capacity(32);
    for (at, byte) in text.bytes().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return Err(RULE);
            }
            continue;
        }
        let digit = (byte as char).to_digit(16).ok_or(RULE)?;
        digits.push(u8::try_from(digit).map_err(|_| RULE)?);
    }
    let mut bytes = [0; 16];
    if text.len() != 36 {
        return Err(RULE);
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |high, low| (high << 4) | low);
    }
    Ok(bytes)
}

/// Writes sixteen bytes as text, in lower case.
pub(super) fn write_uuid(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}
