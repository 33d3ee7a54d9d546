//! What is revoked, and what goes with it.

use schakel_core::time::Timestamp;

use super::{Office, OfficeError};
use crate::{
    identity::{Serial, sha256},
    issuing::Reason,
    ledger::{Issuance, LedgerEntry, SerialText},
};

impl Office {
    /// Revokes a certificate, and where its key is compromised every other one of that key that has not ended: they
    /// are in the same hands. They count as revoked once a new list is signed and published. Gives back what was
    /// revoked, the certificate that was named last.
    ///
    /// # Errors
    /// When it was not issued here, is revoked already with all that goes with it, or the ledger cannot be written.
    pub fn revoke(
        &mut self,
        serial: &Serial,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Vec<Issuance>, OfficeError> {
        let named = self.found_in_ledger(serial)?;
        let mut serials = self.in_the_same_hands(&named, reason, now);
        // Last, so that the same command goes on where a crash broke it off.
        match named.revoked {
            None => serials.push(serial.clone()),
            Some((at, _)) if serials.is_empty() => {
                let serial = serial.clone();
                return Err(OfficeError::Revoked { serial, at });
            }
            Some(_) => {}
        }
        for serial in &serials {
            let entry = LedgerEntry::Revoked {
                serial: SerialText(serial.clone()),
                reason,
            };
            self.append(now, entry)?;
        }
        let revoked = serials.iter().map(|serial| self.found_in_ledger(serial));
        revoked.collect()
    }

    /// The other certificates of a key that is compromised which are in force or will be.
    fn in_the_same_hands(&self, named: &Issuance, reason: Reason, now: Timestamp) -> Vec<Serial> {
        if !reason.is_compromise() {
            return Vec::new();
        }
        let others = self.ledger().of_key(named.key_sha256).filter(|issuance| {
            issuance.serial != named.serial
                && issuance.revoked.is_none()
                && now <= issuance.validity.not_after()
        });
        others.map(|issuance| issuance.serial.clone()).collect()
    }

    /// Nothing is issued for a key that others have as well.
    pub(super) fn expect_own_key(&self, spki: &[u8]) -> Result<(), OfficeError> {
        let mut of_key = self.ledger().of_key(sha256(spki));
        match of_key.find(|issuance| issuance.is_compromised()) {
            Some(issuance) => Err(OfficeError::Compromised {
                serial: issuance.serial.clone(),
            }),
            None => Ok(()),
        }
    }
}
