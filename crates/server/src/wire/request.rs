//! A call as it was read: what every write carries, and how any message is read.

use aws_lc_rs::digest;
use schakel_core::{id::IdempotencyKey, party::Peer, text::can_be_seen};

use super::{Fields, InvalidRequest, person::Who};
use crate::call::Call;

/// A call as it was read from its message.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Who acts; absent where the call is about no person.
    pub(crate) who: Option<Who>,
    /// For a write: its key and the digest of its body.
    pub(crate) write: Option<Write>,
    /// What is wanted.
    pub(crate) call: Call,
}

/// A write's key, and SHA-256 of its body.
pub(crate) type Write = (IdempotencyKey, [u8; 32]);

/// Reads a message of a caller.
///
/// # Errors
/// Every field that breaks a rule.
pub(crate) fn read<M, T>(
    message: M,
    peer: &Peer,
    read: impl FnOnce(M, &Peer, &mut Fields) -> Option<T>,
) -> Result<T, InvalidRequest> {
    let mut fields = Fields::default();
    let value = read(message, peer, &mut fields);
    fields.finish(value)
}

/// SHA-256 of a message in the one way we encode it: fields in order, unknown ones left out.
pub(crate) fn body(message: &impl prost::Message) -> [u8; 32] {
    sha256(&message.encode_to_vec())
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest::digest(&digest::SHA256, bytes);
    for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    hash
}

impl Fields {
    /// Reads the key of a write, in the field `idempotency_key`.
    pub(crate) fn write(&mut self, key: &str, body: [u8; 32]) -> Option<Write> {
        self.text("idempotency_key", key).map(|key| (key, body))
    }

    /// Reads a number with bounds.
    pub(crate) fn number(
        &mut self,
        field: &str,
        bounds: std::ops::RangeInclusive<u32>,
        number: u32,
    ) -> Option<u32> {
        if bounds.contains(&number) {
            return Some(number);
        }
        let rule = format!("must be {} to {}", bounds.start(), bounds.end());
        self.refuse(field, rule);
        None
    }

    /// Reads a line of text: so many characters, each of which can be seen.
    pub(crate) fn line(
        &mut self,
        field: &str,
        bounds: std::ops::RangeInclusive<usize>,
        text: String,
    ) -> Option<String> {
        let fits = bounds.contains(&text.chars().count());
        if fits && text.trim() == text && text.chars().all(can_be_seen) {
            return Some(text);
        }
        let rule = format!(
            "must have {} to {} characters on one line, none of them invisible, without blanks around",
            bounds.start(),
            bounds.end()
        );
        self.refuse(field, rule);
        None
    }

    /// Reads a SHA-256.
    pub(crate) fn sha256(&mut self, field: &str, bytes: &[u8]) -> Option<[u8; 32]> {
        let hash = bytes.try_into().ok();
        if hash.is_none() {
            self.refuse(field, "must be a SHA-256: 32 bytes");
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use schakel_api::v1;

    use super::*;

    #[test]
    fn the_body_of_a_write_has_one_digest() {
        let message = v1::ApproveChangeRequest {
            idempotency_key: "k".into(),
            proposal_id: "p".into(),
        };
        // SHA-256 of 0a016b120170, computed with another tool.
        let hex: String = body(&message)
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(hex, SHA256_OF_0A016B120170);
        let other = v1::ApproveChangeRequest {
            proposal_id: "q".into(),
            ..message.clone()
        };
        assert_ne!(body(&message), body(&other));
    }

    const SHA256_OF_0A016B120170: &str =
        "b1ffbe6123686138f955a26711b120307a7571b61b464fad2aec0e4a069cb6d3";

    #[test]
    fn lines_and_numbers_are_bounded() {
        let mut fields = Fields::default();
        assert!(fields.line("title", 1..=3, "abc".into()).is_some());
        assert!(fields.number("page_size", 1..=100, 100).is_some());
        for text in ["", "abcd", "a\nb", "\u{7f}"] {
            assert!(fields.line("title", 1..=3, text.into()).is_none());
        }
        assert!(fields.number("page_size", 1..=100, 0).is_none());
        assert!(fields.number("page_size", 1..=100, 101).is_none());
        assert!(fields.sha256("hash", &[0; 31]).is_none());
        let refused = fields.finish(Some(())).unwrap_err();
        assert_eq!(refused.violations.len(), 7);
    }

    #[test]
    fn nobody_writes_what_cannot_be_seen() {
        let mut fields = Fields::default();
        for text in ["é", "a b", "e\u{301}"] {
            assert!(fields.line("title", 1..=3, text.into()).is_some());
        }
        // A right-to-left override, a zero width space, a tag, a private and an unassigned character.
        for text in [
            "a\u{202e}b",
            "\u{200b}",
            "\u{e0041}",
            "\u{e000}",
            "\u{378}",
            " a",
            "a\u{a0}",
        ] {
            assert!(fields.line("title", 1..=3, text.into()).is_none());
        }
        assert_eq!(fields.finish(Some(())).unwrap_err().violations.len(), 7);
    }
}
