//! What the registry knows of issued certificates and of enrolments.

use std::sync::Arc;

use super::{Registry, RegistryKey};
use crate::{
    certificate::{StopReason, Thumbprint},
    enrolment::{Enrolment, EnrolmentState, IssuanceEvent, IssuedCertificate, Revocation},
    id::{EnrolmentId, EntryIndex, Oin},
    party::Party,
    time::Timestamp,
};

impl Registry {
    /// A certificate that was registered, by its SHA-256.
    #[must_use]
    pub fn issued(&self, sha256: &[u8; 32]) -> Option<&IssuedCertificate> {
        self.issued.get(sha256).map(AsRef::as_ref)
    }

    /// The other certificates of the same key that are in force or will be, as far as their keys are known.
    pub fn others_of_key<'a>(
        &'a self,
        one: &'a IssuedCertificate,
        at: Timestamp,
    ) -> impl Iterator<Item = &'a IssuedCertificate> {
        self.all_issued().filter(move |other| {
            other.sha256 != one.sha256
                && other.key_sha256.is_some()
                && other.key_sha256 == one.key_sha256
                && other.is_in_force(at)
        })
    }

    /// Whether a certificate of a key was revoked, or is blocked, because the key is compromised.
    #[must_use]
    pub fn is_compromised(&self, key_sha256: &[u8; 32]) -> bool {
        let of_key = self
            .all_issued()
            .filter(|one| one.key_sha256.as_ref() == Some(key_sha256));
        let compromise = Some(StopReason::KeyCompromise);
        of_key.into_iter().any(|one| {
            let blocked = self.blocked.get(&Thumbprint(one.sha256));
            one.revoked.map(|revoked| revoked.reason) == compromise
                || blocked.map(|blocked| blocked.reason) == compromise
        })
    }

    /// Every certificate that was registered, by its SHA-256.
    pub fn all_issued(&self) -> impl Iterator<Item = &IssuedCertificate> {
        self.issued.values().map(AsRef::as_ref)
    }

    /// The active party whose number this is at an instant, under whichever anchor.
    #[must_use]
    pub fn party_of(&self, oin: &Oin, at: Timestamp) -> Option<&Party> {
        self.parties()
            .find(|party| party.holds(oin, at) && party.is_active(at))
    }

    /// An enrolment.
    #[must_use]
    pub fn enrolment(&self, id: EnrolmentId) -> Option<&Enrolment> {
        self.enrolments.get(&id).map(AsRef::as_ref)
    }

    /// Every enrolment, by its id.
    pub fn enrolments(&self) -> impl Iterator<Item = &Enrolment> {
        self.enrolments.values().map(AsRef::as_ref)
    }

    /// The enrolment that a token proves.
    #[must_use]
    pub fn enrolment_of_token(&self, token_sha256: &[u8; 32]) -> Option<&Enrolment> {
        self.enrolment(*self.tokens.get(token_sha256)?)
    }

    /// Applies what happened, drops what was over for long by then, and names the rows that it touched.
    pub fn apply(
        &mut self,
        event: &IssuanceEvent,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Vec<RegistryKey> {
        let mut touched = self.apply_issuance(event, entry, at);
        touched.extend(self.drop_ended(at));
        touched
    }

    fn apply_issuance(
        &mut self,
        event: &IssuanceEvent,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Vec<RegistryKey> {
        match event {
            IssuanceEvent::Registered(certificate) => {
                vec![self.register_certificate(certificate.clone())]
            }
            IssuanceEvent::Revoked {
                sha256,
                reason,
                same_key,
            } => {
                let mut touched = Vec::new();
                for sha256 in [sha256].into_iter().chain(same_key) {
                    // It is blocked as well: nobody waits for a revocation list to say the same.
                    touched.push(self.block(Thumbprint(*sha256), *reason, entry, at));
                    let reason = *reason;
                    touched.extend(self.revoke_certificate(*sha256, Revocation { at, reason }));
                }
                touched
            }
            IssuanceEvent::Opened(enrolment) => {
                vec![self.keep_enrolment(Arc::new(enrolment.clone()))]
            }
            IssuanceEvent::Confirmed { enrolment, by } => {
                let confirmed = self.alter_enrolment(*enrolment, |enrolment| {
                    enrolment.confirmed = true;
                    enrolment.confirmed_by.clone_from(by);
                });
                confirmed.into_iter().collect()
            }
            IssuanceEvent::Requested { enrolment, request } => {
                let request = request.clone();
                let state = EnrolmentState::Waiting { request };
                self.advance_enrolment(*enrolment, state)
                    .into_iter()
                    .collect()
            }
            IssuanceEvent::Closed {
                enrolment,
                request_sha256,
            } => self
                .close(*enrolment, *request_sha256)
                .into_iter()
                .collect(),
            IssuanceEvent::Answered {
                enrolment,
                request_sha256,
                registered,
                certificate,
            } => {
                let state = EnrolmentState::Issued {
                    request_sha256: *request_sha256,
                    certificate: certificate.clone(),
                    holds_until: Some(registered.not_after),
                };
                let advanced = self.advance_enrolment(*enrolment, state);
                let registered = self.register_certificate(registered.clone());
                advanced.into_iter().chain([registered]).collect()
            }
            IssuanceEvent::Listed { .. } => Vec::new(),
        }
    }

    fn register_certificate(&mut self, certificate: IssuedCertificate) -> RegistryKey {
        let sha256 = certificate.sha256;
        self.issued.insert(sha256, Arc::new(certificate));
        RegistryKey::Issued(sha256)
    }

    fn revoke_certificate(
        &mut self,
        sha256: [u8; 32],
        revocation: Revocation,
    ) -> Option<RegistryKey> {
        let certificate = self.issued.get_mut(&sha256)?;
        Arc::make_mut(certificate).revoked.get_or_insert(revocation);
        Some(RegistryKey::Issued(sha256))
    }

    /// Keeps an enrolment, which its token finds.
    pub(super) fn keep_enrolment(&mut self, enrolment: Arc<Enrolment>) -> RegistryKey {
        let id = enrolment.id;
        self.tokens.extend(
            enrolment
                .token_sha256
                .map(|token_sha256| (token_sha256, id)),
        );
        self.enrolments.insert(id, enrolment);
        RegistryKey::Enrolment(id)
    }

    pub(super) fn drop_enrolment(&mut self, id: EnrolmentId) -> Option<RegistryKey> {
        let gone = self.enrolments.remove(&id)?;
        if let Some(token_sha256) = gone.token_sha256
            && self.tokens.get(&token_sha256) == Some(&id)
        {
            self.tokens.remove(&token_sha256);
        }
        Some(RegistryKey::Enrolment(id))
    }

    /// Leave that is closed is gone: its token is as good as any other that nobody gave. A renewal stays, or the
    /// same request, which its party repeats until it is answered, would come again.
    fn close(&mut self, id: EnrolmentId, request_sha256: Option<[u8; 32]>) -> Option<RegistryKey> {
        match request_sha256 {
            Some(request_sha256) if self.enrolment(id)?.is_renewal() => {
                self.advance_enrolment(id, EnrolmentState::Closed { request_sha256 })
            }
            _ => self.drop_enrolment(id),
        }
    }

    fn advance_enrolment(&mut self, id: EnrolmentId, state: EnrolmentState) -> Option<RegistryKey> {
        self.alter_enrolment(id, |enrolment| enrolment.state = state)
    }

    fn alter_enrolment(
        &mut self,
        id: EnrolmentId,
        alter: impl FnOnce(&mut Enrolment),
    ) -> Option<RegistryKey> {
        alter(Arc::make_mut(self.enrolments.get_mut(&id)?));
        Some(RegistryKey::Enrolment(id))
    }
}
