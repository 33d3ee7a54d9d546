//! Which certificates renew which, or were announced with which. Nothing says whose hands the next one is in, so that all of one chain count as
//! one where two people have to act.

use super::Registry;

impl Registry {
    /// Whether both are of one chain, as far as anybody ever said what they replace or announced them.
    #[must_use]
    pub fn are_of_one_chain(&self, one: &[u8; 32], other: &[u8; 32]) -> bool {
        self.began_with(one) == self.began_with(other)
    }

    /// The certificate with which a chain of renewals began, for any certificate of it: itself, where it replaces
    /// none. It need not be registered.
    #[must_use]
    pub fn began_with(&self, certificate: &[u8; 32]) -> [u8; 32] {
        let mut first = *certificate;
        // Those of older brokers say the one before alone, and may say it in a circle.
        for _ in 0..self.issued.len() {
            let issued = self.issued(&first);
            match issued.and_then(|issued| issued.began_with.or(issued.replaces)) {
                Some(before) if before != first => first = before,
                _ => break,
            }
        }
        first
    }
}
