//! What the registry knows of issued certificates and of enrolments.

use std::sync::Arc;

use super::{Registry, RegistryKey};
use crate::{
    certificate::Thumbprint,
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
        self.enrolments()
            .find(|enrolment| enrolment.token_sha256.as_ref() == Some(token_sha256))
    }

    /// Applies what happened, and names the rows it touched.
    pub fn apply(
        &mut self,
        event: &IssuanceEvent,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Vec<RegistryKey> {
        match event {
            IssuanceEvent::Registered(certificate) => {
                vec![self.register_certificate(certificate.clone())]
            }
            IssuanceEvent::Revoked { sha256, reason } => {
                // It is blocked as well: nobody waits for a revocation list to say the same.
                let blocked = self.block(Thumbprint(*sha256), *reason, entry, at);
                let reason = *reason;
                let revoked = self.revoke_certificate(*sha256, Revocation { at, reason });
                [Some(blocked), revoked].into_iter().flatten().collect()
            }
            IssuanceEvent::Opened(enrolment) => {
                vec![self.open_enrolment(enrolment.clone())]
            }
            IssuanceEvent::Confirmed { enrolment } => {
                self.confirm_enrolment(*enrolment).into_iter().collect()
            }
            IssuanceEvent::Requested { enrolment, request } => {
                let request = request.clone();
                let state = EnrolmentState::Waiting { request };
                self.advance_enrolment(*enrolment, state)
                    .into_iter()
                    .collect()
            }
            IssuanceEvent::Answered {
                enrolment,
                request_sha256,
                registered,
                certificate,
            } => {
                let state = EnrolmentState::Issued {
                    request_sha256: *request_sha256,
                    certificate: certificate.clone(),
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

    fn open_enrolment(&mut self, enrolment: Enrolment) -> RegistryKey {
        let id = enrolment.id;
        self.enrolments.insert(id, Arc::new(enrolment));
        RegistryKey::Enrolment(id)
    }

    fn confirm_enrolment(&mut self, id: EnrolmentId) -> Option<RegistryKey> {
        let enrolment = self.enrolments.get_mut(&id)?;
        Arc::make_mut(enrolment).confirmed = true;
        Some(RegistryKey::Enrolment(id))
    }

    fn advance_enrolment(&mut self, id: EnrolmentId, state: EnrolmentState) -> Option<RegistryKey> {
        let enrolment = self.enrolments.get_mut(&id)?;
        Arc::make_mut(enrolment).state = state;
        Some(RegistryKey::Enrolment(id))
    }
}
