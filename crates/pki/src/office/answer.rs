//! The answering of a request that came over a broker: the same whether whoever keeps the authority does it, or a
//! broker that issues by itself.

use schakel_core::{random::Random, time::Timestamp};

use super::{Office, OfficeError, Order};
use crate::{
    identity::Serial, issuing::SigningAuthority, ledger::Issuance, profile::Holder,
    request::CertificateRequest,
};

/// A request that waits.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The request.
    pub request: &'a CertificateRequest,
    /// For whom: nothing of it is taken from the request.
    pub holder: Holder,
    /// SHA-256 of the certificate that is to be replaced.
    pub replaces: Option<[u8; 32]>,
    /// For how many days; absent means as many as is usual for the profile.
    pub days: Option<u32>,
}

impl Office {
    /// Issues for a request that waits. What was issued for it before and never handed over, because of a crash
    /// between the two, is given again: `is_known` says which certificates were handed over.
    ///
    /// # Errors
    /// As [`Self::issue`]; everything for which the request is refused; and when the certificate to be replaced
    /// was revoked here.
    pub fn answer(
        &mut self,
        authority: &SigningAuthority,
        asked: Asked<'_>,
        is_known: impl Fn(&Issuance) -> bool,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Issuance, OfficeError> {
        let key = asked.request.admit(&asked.holder)?;
        let replaces = self.replaced(asked.replaces)?;
        let left = self.ledger().issued().find(|issuance| {
            issuance.holds(now)
                && issuance.replaces == replaces
                && asked.request.is_answered_by(&issuance.der)
                && issuance.holder().as_ref() == Some(&asked.holder)
                && !is_known(issuance)
        });
        if let Some(left) = left {
            return Ok(left.clone());
        }
        let order = Order {
            holder: asked.holder,
            days: asked.days,
            replaces,
        };
        self.issue(authority, &key, &order, now, random)
    }

    /// The certificate to be replaced, when it was issued here.
    fn replaced(&self, sha256: Option<[u8; 32]>) -> Result<Option<Serial>, OfficeError> {
        let mut issued = self.ledger().issued();
        let Some(old) = issued.find(|issuance| Some(issuance.sha256) == sha256) else {
            return Ok(None);
        };
        let serial = old.serial.clone();
        match old.revoked {
            Some((at, _)) => Err(OfficeError::Revoked { serial, at }),
            None => Ok(Some(serial)),
        }
    }
}
