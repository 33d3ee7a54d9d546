//! What the registry knows of certificates: which are blocked, and which were used.

use super::{Registry, RegistryKey};
use crate::{
    certificate::{Blocked, Seen, StopReason, Thumbprint},
    id::EntryIndex,
    time::Timestamp,
};

/// The most certificates of one party that are remembered: those used last.
pub const MOST_SEEN: usize = 64;

impl Registry {
    /// Whether a certificate is blocked.
    #[must_use]
    pub fn blocks(&self, certificate: &[u8; 32]) -> bool {
        self.blocked.contains_key(&Thumbprint(*certificate))
    }

    /// Every blocked certificate, by thumbprint.
    pub fn blocked(&self) -> impl Iterator<Item = &Blocked> {
        self.blocked.values()
    }

    /// Every certificate that was used, by thumbprint.
    pub fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.seen.values()
    }

    /// When a certificate was used, as far as that is remembered.
    #[must_use]
    pub fn seen_of(&self, certificate: &[u8; 32]) -> Option<&Seen> {
        self.seen.get(&Thumbprint(*certificate))
    }

    /// Notes that certificates were used. Of each party only so many are remembered.
    pub fn see(&mut self, used: &[Seen]) -> Vec<RegistryKey> {
        let mut touched = Vec::new();
        for seen in used {
            let mut seen = seen.clone();
            if let Some(before) = self.seen.get(&seen.certificate) {
                seen.first_used_at = seen.first_used_at.min(before.first_used_at);
                seen.last_used_at = seen.last_used_at.max(before.last_used_at);
            }
            touched.push(RegistryKey::Seen(seen.certificate));
            let party = seen.party.clone();
            self.seen.insert(seen.certificate, seen);
            let of_party = self.seen.values().filter(|one| one.party == party);
            if of_party.clone().count() > MOST_SEEN {
                let oldest = of_party
                    .min_by_key(|one| one.last_used_at)
                    .map(|one| one.certificate);
                touched.extend(oldest.map(|gone| {
                    self.seen.remove(&gone);
                    RegistryKey::Seen(gone)
                }));
            }
        }
        touched
    }

    pub(super) fn block(
        &mut self,
        certificate: Thumbprint,
        reason: StopReason,
        entry: EntryIndex,
        since: Timestamp,
    ) -> RegistryKey {
        let blocked = Blocked {
            certificate,
            reason,
            since,
            entry,
        };
        self.blocked.insert(certificate, blocked);
        RegistryKey::Blocked(certificate)
    }

    pub(super) fn unblock(&mut self, certificate: Thumbprint) -> RegistryKey {
        self.blocked.remove(&certificate);
        RegistryKey::Blocked(certificate)
    }
}
