//! The digests that tie an entry to the exact text of the rule that decided.

use std::collections::HashMap;

use aws_lc_rs::digest;
use schakel_core::{id::PurposeCode, purpose::PurposeVersion, registry::Registry};

/// SHA-256 over the canonical text of each purpose version: its TOML, fields in the order of their
/// declaration. Versions are never replaced, so a digest once made stays right.
#[derive(Debug, Default)]
pub(super) struct RuleDigests {
    known: HashMap<(PurposeCode, u32), [u8; 32]>,
}

impl RuleDigests {
    /// Learns what is registered.
    pub(super) fn learn(&mut self, registry: &Registry) {
        for registered in registry.purposes() {
            let version = registered.version.as_ref();
            let key = (version.code.clone(), version.version);
            self.known.entry(key).or_insert_with(|| digest_of(version));
        }
    }

    /// The digest of a version.
    pub(super) fn of(&self, code: &PurposeCode, version: u32) -> Option<[u8; 32]> {
        self.known.get(&(code.clone(), version)).copied()
    }
}

fn digest_of(version: &PurposeVersion) -> [u8; 32] {
    // Every field of a version has a form in TOML, so there is always a text.
    let text = toml::to_string(version).unwrap_or_default();
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    bytes
}
