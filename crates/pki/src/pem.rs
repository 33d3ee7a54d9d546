//! PEM files that hold one thing.

use pkcs8::{Document, LineEnding};
use x509_parser::pem::Pem;

/// The bytes of the only block of the text, when it is of this kind.
pub(crate) fn only_block(text: &str, label: &str) -> Option<Vec<u8>> {
    let mut blocks = Pem::iter_from_buffer(text.as_bytes());
    let block = blocks.next()?.ok()?;
    (block.label == label && blocks.next().is_none()).then_some(block.contents)
}

/// The bytes as PEM.
pub(crate) fn block(der: &[u8], label: &'static str) -> String {
    // Fails for what is no DER, or for no label; neither comes here, and an empty file opens nothing.
    Document::try_from(der)
        .and_then(|document| document.to_pem(label, LineEnding::LF))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";

    #[test]
    fn one_block_of_the_right_kind_is_read() {
        assert_eq!(only_block(BLOCK, "CERTIFICATE"), Some(vec![1, 2, 3]));
    }

    #[test]
    fn another_kind_two_blocks_and_none_are_refused() {
        assert_eq!(only_block(BLOCK, "X509 CRL"), None);
        assert_eq!(only_block(&BLOCK.repeat(2), "CERTIFICATE"), None);
        assert_eq!(only_block("", "CERTIFICATE"), None);
    }
}
