//! Reconciliation: whether this party and the broker hold the same of what was handed over to this party.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use prost_types::Timestamp;
use schakel_api::v1;
use schakel_audit::{
    reconciliation::{Held, Summary, parts},
    tree::{Hash, leaf_hash},
};

use crate::{Client, ClientError, HeadError, answer::Incomplete, register::Register};

/// The most periods of one call.
const MOST: usize = 400;
/// The most receipts of one call.
const MOST_LISTED: u32 = 200;

/// What came of comparing.
#[derive(Debug, Default)]
pub struct Reconciliation {
    /// How many entries both hold, and hold alike.
    pub both: u64,
    /// What the broker can prove was handed over and this party holds no receipt for: lost here, or never
    /// arrived. The proofs have been verified.
    pub lacking_here: Vec<v1::Receipt>,
    /// What this party holds a receipt for and the broker does not show: its log lost an entry that it had
    /// signed for.
    pub lacking_there: Vec<v1::Receipt>,
    /// Entries that stand at one index with two leaves: the receipt held, and what the broker shows now.
    pub differing: Vec<(v1::Receipt, v1::Receipt)>,
    /// That the log of the broker no longer holds to the newest tree head held, and in what way.
    pub contradiction: Option<Box<ClientError>>,
    /// Receipts for the comparisons: what both sides said they hold is in the log.
    pub recorded: Vec<v1::Receipt>,
}

impl Reconciliation {
    /// Whether both hold the same.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.lacking_here.is_empty() && !self.is_evidence()
    }

    /// Whether what was found shows that the broker's log is not what it signed for: keep it, and tell an
    /// auditor.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        !self.lacking_there.is_empty() || !self.differing.is_empty() || self.contradiction.is_some()
    }
}

impl Client {
    /// Compares the receipts held with what the broker shows of a period (milliseconds since
    /// 1970-01-01T00:00:00Z, at most 366 days): first by the digest of all of it, then by those of the days and
    /// hours in which it differs, and only what is in hours that differ is listed.
    ///
    /// # Errors
    /// When the broker refuses or cannot be reached, an answer does not hold, or the register cannot be read.
    pub async fn reconcile(
        &self,
        register: &Register,
        actor: v1::Actor,
        period: Range<u64>,
    ) -> Result<Reconciliation, ClientError> {
        let ours = register.handed_over(&period);
        let mut found = Reconciliation::default();
        let mut differing = vec![period];
        let mut listed = Vec::new();
        while !differing.is_empty() {
            let (again, leaves) = self
                .narrow(&ours, &actor, &differing, &mut found.recorded)
                .await?;
            listed.extend(leaves);
            differing = again;
        }
        let theirs = self.list(&actor, &listed, &mut found.recorded).await?;
        sort_out(register, &ours, theirs, &listed, &mut found)?;
        found.contradiction = self.contradiction(register).await?;
        Ok(found)
    }

    /// The parts that differ of periods: those that have parts of their own, and those that have none.
    async fn narrow(
        &self,
        ours: &[Held],
        actor: &v1::Actor,
        periods: &[Range<u64>],
        recorded: &mut Vec<v1::Receipt>,
    ) -> Result<(Vec<Range<u64>>, Vec<Range<u64>>), ClientError> {
        let (mut again, mut leaves) = (Vec::new(), Vec::new());
        for some in periods.chunks(MOST) {
            let held = some.iter().map(|period| Summary::of(ours, period.clone()));
            let request = v1::CompareDigestsRequest {
                actor: Some(actor.clone()),
                held: held.map(|held| sent(&held)).collect(),
            };
            let response = self.compare_digests(request).await?;
            recorded.extend(response.receipt);
            for difference in response.differing {
                let period = difference.held.as_ref().and_then(period_of);
                let period = period.filter(|period| some.contains(period));
                let period = period.ok_or(Incomplete {
                    what: "period that was asked about",
                })?;
                let cut = parts(&period);
                if cut.is_empty() {
                    leaves.push(period);
                }
                for part in cut {
                    let ours = sent(&Summary::of(ours, part.clone()));
                    if difference.parts.contains(&ours) {
                        continue;
                    }
                    if parts(&part).is_empty() {
                        leaves.push(part);
                    } else {
                        again.push(part);
                    }
                }
            }
        }
        Ok((again, leaves))
    }

    async fn list(
        &self,
        actor: &v1::Actor,
        periods: &[Range<u64>],
        recorded: &mut Vec<v1::Receipt>,
    ) -> Result<Vec<v1::Receipt>, ClientError> {
        let mut listed = Vec::new();
        for some in periods.chunks(MOST) {
            let mut request = v1::ListHandedOverRequest {
                actor: Some(actor.clone()),
                periods: some.iter().map(as_period).collect(),
                page_size: MOST_LISTED,
                cursor: None,
            };
            loop {
                let response = self.list_handed_over(request.clone()).await?;
                recorded.extend(response.receipt);
                listed.extend(response.handed_over);
                match response.next_cursor {
                    Some(cursor) => request.cursor = Some(cursor),
                    None => break,
                }
            }
        }
        Ok(listed)
    }

    /// In what way the log no longer holds to the newest head held, if it does not.
    async fn contradiction(
        &self,
        register: &Register,
    ) -> Result<Option<Box<ClientError>>, ClientError> {
        let Some(note) = register.newest_checkpoint()? else {
            return Ok(None);
        };
        match self.check_consistency_from(&note).await {
            Ok(_) => Ok(None),
            Err(
                error @ (ClientError::Inconsistent { .. }
                | ClientError::Head(HeadError::Fork(_) | HeadError::Rollback { .. })),
            ) => Ok(Some(Box::new(error))),
            Err(error) => Err(error),
        }
    }
}

/// Sorts what is held here and there, of the periods that were listed, into what only one side has.
fn sort_out(
    register: &Register,
    ours: &[Held],
    theirs: Vec<v1::Receipt>,
    listed: &[Range<u64>],
    found: &mut Reconciliation,
) -> Result<(), ClientError> {
    let mut there: BTreeMap<(u64, Hash), v1::Receipt> = theirs
        .into_iter()
        .map(|receipt| ((receipt.index, leaf_hash(&receipt.leaf)), receipt))
        .collect();
    let mut here = BTreeSet::new();
    for held in ours {
        let compared = listed.iter().any(|period| period.contains(&held.at_ms));
        if !compared || there.remove(&(held.index, held.leaf)).is_some() {
            found.both += 1;
        } else {
            here.insert((held.index, held.leaf));
        }
    }
    for (index, leaf) in here {
        let Some(receipt) = register.receipt(index, leaf)? else {
            continue;
        };
        let other = there.keys().find(|(at, _)| *at == index).copied();
        match other.and_then(|other| there.remove(&other)) {
            Some(shown) => found.differing.push((receipt, shown)),
            None => found.lacking_there.push(receipt),
        }
    }
    found.lacking_here = there.into_values().collect();
    Ok(())
}

fn sent(held: &Summary) -> v1::PeriodDigest {
    v1::PeriodDigest {
        period: Some(as_period(&held.period)),
        digest: held.digest.to_vec().into(),
        entries: held.entries,
    }
}

fn as_period(period: &Range<u64>) -> v1::Period {
    v1::Period {
        from: Some(instant(period.start)),
        until: Some(instant(period.end)),
    }
}

fn period_of(held: &v1::PeriodDigest) -> Option<Range<u64>> {
    let period = held.period.as_ref()?;
    Some(millis(period.from.as_ref()?)?..millis(period.until.as_ref()?)?)
}

fn instant(at_ms: u64) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(at_ms / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(at_ms % 1000 * 1_000_000).unwrap_or(0),
    }
}

fn millis(at: &Timestamp) -> Option<u64> {
    let whole = u64::try_from(at.seconds).ok()?.checked_mul(1000)?;
    whole.checked_add(u64::try_from(at.nanos).ok()? / 1_000_000)
}
