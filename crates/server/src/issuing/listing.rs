//! The revocation list of the authority with which the broker issues.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use schakel_core::{certificate::StopReason, registry::Registry, time::Timestamp};
use schakel_pki::{
    issuing::Reason,
    office::{Office, OfficeError, SignedList, publish, published},
};

use super::{Inner, Issuing};

/// For how many days a list counts.
const COUNTS_DAYS: u32 = 7;
/// How old a list becomes before the next one is signed, in milliseconds.
const RENEWED_MS: u64 = Timestamp::DAY_MS;

/// When the next list is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// In any case.
    Anyhow,
    /// When the one that is published is old, or does not say what is revoked.
    WhereDue,
}

/// Why no list was published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotListed {
    /// The authority could not.
    #[error("the authority cannot sign or publish its revocation list")]
    Office(#[from] OfficeError),
    /// The thread ended.
    #[error("the thread that signs ended in a fault")]
    Thread,
}

impl Issuing {
    /// Whether the broker keeps the revocation list of its authority.
    pub(crate) fn lists(&self) -> bool {
        self.0.public.is_some()
    }

    /// Has the authority revoke what the registry says is revoked, in its ledger first, and sign and publish the next
    /// list where that is wanted. Whatever a crash left undone is done by the next call.
    ///
    /// # Errors
    /// When the authority is in other hands at the moment, cannot sign, or a file cannot be written.
    pub(crate) async fn list(
        &self,
        registry: Arc<Registry>,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Option<SignedList>, NotListed> {
        let inner = Arc::clone(&self.0);
        let listing = tokio::task::spawn_blocking(move || match &inner.public {
            Some(public) => inner.list(public, &registry, wanted, now),
            None => Ok(None),
        });
        Ok(listing.await.map_err(|_| NotListed::Thread)??)
    }
}

impl Inner {
    fn list(
        &self,
        public: &Path,
        registry: &Registry,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Option<SignedList>, OfficeError> {
        let mut office = Office::open(&self.dir)?;
        let issued = office.ledger().issued().filter(|one| one.revoked.is_none());
        let due: Vec<_> = issued
            .filter_map(|one| {
                let revocation = registry.issued(&one.sha256)?.revoked?;
                Some((one.serial.clone(), revocation.reason))
            })
            .collect();
        for (serial, reason) in &due {
            // One of a compromised key takes the others of it along.
            match office.revoke(serial, reason_of(*reason), now) {
                Ok(_) | Err(OfficeError::Revoked { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if wanted == Wanted::WhereDue && stands(&office, public, now) {
            return Ok(None);
        }
        let list = office.list(&self.authority, COUNTS_DAYS, now)?;
        publish(&office, Some(&list), public)?;
        Ok(Some(list))
    }
}

/// Whether the list that is published is of this authority, young enough, and says everything that is revoked.
fn stands(office: &Office, public: &Path, now: Timestamp) -> bool {
    published(office, public).is_some_and(|list| {
        let named: BTreeSet<_> = list.revoked().collect();
        let renewed_at = list.validity().not_before().plus_millis(RENEWED_MS);
        let revoked = office.ledger().to_list();
        now < renewed_at && revoked.iter().all(|one| named.contains(&one.serial))
    })
}

/// As a revocation list tells it (RFC 5280 5.3.1).
const fn reason_of(reason: StopReason) -> Reason {
    match reason {
        StopReason::Suspicion => Reason::Unspecified,
        StopReason::KeyCompromise => Reason::KeyCompromise,
        StopReason::AffiliationChanged => Reason::AffiliationChanged,
        StopReason::Superseded => Reason::Superseded,
        StopReason::CessationOfOperation => Reason::CessationOfOperation,
        StopReason::PrivilegeWithdrawn => Reason::PrivilegeWithdrawn,
    }
}
