//! What is derived from the key of the view, which lies in the keyring.
//!
//! Making the view again begins a new generation with a new key; what was written under the one before
//! never opens again.

use std::fmt;

use aws_lc_rs::hmac;

use crate::{aes, keyring::Key};

/// Whose rows a key seals.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'a> {
    /// A person's.
    Person(&'a [u8; 16]),
    /// An inbox's, by the name that hides its party.
    Inbox(&'a [u8; 16]),
    /// What was erased, and what waits to be.
    Erasures,
}

/// The keys that the view works with.
pub(super) struct Keys {
    view: Key,
    naming: hmac::Key,
    generation: [u8; 32],
}

/// The key of the search indexes of the generation whose view has this key.
#[must_use]
pub fn index_key(view: &Key) -> Key {
    aes::derive(b"", &[view], b"schakel/index/v1")
}

impl Keys {
    pub(super) fn new(view: &Key) -> Self {
        let naming = aes::derive(b"", &[view], b"schakel/view/name/v1");
        Self {
            view: view.clone(),
            naming: hmac::Key::new(hmac::HMAC_SHA256, naming.as_slice()),
            // Another number makes every view again: after a change by which one that is there and one made from the
            // log would differ.
            generation: *aes::derive(b"", &[view], b"schakel/view/generation/v2"),
        }
    }

    /// What tells this generation from others, and tells nothing of its key.
    pub(super) const fn generation(&self) -> &[u8; 32] {
        &self.generation
    }

    /// The key that seals an owner's rows.
    pub(super) fn sealing(&self, owner: Owner<'_>) -> Key {
        match owner {
            Owner::Person(id) => aes::derive(id, &[&self.view], b"schakel/view/dossier/v1"),
            Owner::Inbox(name) => aes::derive(name, &[&self.view], b"schakel/view/inbox/v1"),
            Owner::Erasures => aes::derive(b"", &[&self.view], b"schakel/view/erasures/v1"),
        }
    }

    /// A name for something that must not show: nobody without the key can tell what it stands for.
    pub(super) fn name(&self, kind: u8, bytes: &[u8]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.naming);
        context.update(&[kind]);
        context.update(bytes);
        let name = context.sign();
        name.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for Keys {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_generation_owner_and_use() {
        let of = |key: u8| Keys::new(&Key::new([key; 32]));
        let (one, two) = (of(1), of(2));
        let person = one.sealing(Owner::Person(&[1; 16]));
        assert_ne!(person, one.sealing(Owner::Person(&[2; 16])));
        assert_ne!(person, one.sealing(Owner::Inbox(&[1; 16])));
        assert_ne!(person, two.sealing(Owner::Person(&[1; 16])));
        assert_ne!(one.generation(), two.generation());
        assert_ne!(one.name(1, b"x"), one.name(2, b"x"));
        assert_ne!(one.name(1, b"x"), two.name(1, b"x"));
    }
}
