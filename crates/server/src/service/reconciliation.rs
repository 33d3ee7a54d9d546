//! Reconciliation: whether the caller and the broker hold the same of what was handed over to the caller.
//!
//! What is compared are the leaves the caller was given with their receipts. Everything here is made from
//! those alone, so that an answer says nothing of what was denied.

use std::ops::Range;

use schakel_api::v1::{self, reconciliation_service_server::ReconciliationService};
use schakel_audit::{
    leaf::{EntryType, Leaf},
    reconciliation::{Held, Summary, Summing, parts},
    tree::leaf_hash,
};
use schakel_core::id::{EntryIndex, PartyId};
use schakel_store::index::Query;
use tonic::{Request, Response, Status};

use super::{Fault, Waits, called, opened};
use crate::{
    call::{Answer, Call, LookUp},
    edge::identify::Caller,
    sequencer::{CursorKind, Sequencer},
    trail::{Trail, TrailError},
    wire::{
        inbox::foreign,
        person::Who,
        receipt::receipt,
        reconciliation::{self, Compare, List, as_period, summary},
        request::{Parsed, read},
    },
};

/// The service.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    sequencer: Sequencer,
    waits: Waits,
}

impl Reconciliation {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer, waits: Waits) -> Self {
        Self { sequencer, waits }
    }

    /// What was handed over to a party in some periods, in the order of the log, from an entry on; at most
    /// so much, and whether there is more.
    async fn handed_over(
        &self,
        party: &PartyId,
        periods: &[Range<u64>],
        from: u64,
        most: usize,
    ) -> Result<(Vec<Held>, bool), Status> {
        let mut held = Vec::new();
        self.page_by_page(party, periods, from, |page| {
            held.extend_from_slice(page);
            held.len() <= most
        })
        .await?;
        let over = held.len() > most;
        held.truncate(most);
        Ok((held, over))
    }

    /// Hands on what was handed over to a party in some periods, in the order of the log, from an entry on, until
    /// no more is wanted: there may be more of it than fits in memory.
    async fn page_by_page(
        &self,
        party: &PartyId,
        periods: &[Range<u64>],
        from: u64,
        mut wants_more: impl FnMut(&[Held]) -> bool + Send,
    ) -> Result<(), Status> {
        let mut query = Query::of(party.clone());
        query.party = Some(party.clone());
        query.limit = 1000;
        let whole = periods.first().zip(periods.last());
        let whole = whole.and_then(|(first, last)| as_period(&(first.start..last.end)));
        query.period = Some(whole.ok_or(Fault::Misfit)?);
        let mut from = EntryIndex(from);
        loop {
            let trail = self.sequencer.trail().clone();
            let found = trail
                .ahead(query.clone(), from, self.waits.catch_up)
                .await?;
            let periods = periods.to_vec();
            let read = tokio::task::spawn_blocking(move || {
                let read = found.entries.iter().map(|index| handed(&trail, *index));
                let read = read.collect::<Result<Vec<_>, TrailError>>()?;
                let read = read.into_iter().flatten().filter(|one| {
                    let after = periods.partition_point(|period| period.end <= one.at_ms);
                    periods
                        .get(after)
                        .is_some_and(|period| period.contains(&one.at_ms))
                });
                Ok::<_, TrailError>((read.collect::<Vec<_>>(), found.end, found.more))
            });
            let (read, end, more) = read.await.map_err(|_| Fault::Thread)??;
            from = end;
            if !wants_more(&read) || !more {
                return Ok(());
            }
        }
    }

    async fn record(
        &self,
        caller: &Caller,
        who: Who,
        question: String,
        results: usize,
    ) -> Result<Answer, Status> {
        let look_up = LookUp {
            purpose: None,
            subject: None,
            entry: None,
            question,
            results: u32::try_from(results).unwrap_or(u32::MAX),
            denied: false,
        };
        let parsed = Parsed {
            who: Some(who),
            write: None,
            call: Call::LookUp(look_up),
        };
        Ok(self.sequencer.submit(called(caller, parsed)).await?)
    }
}

/// An entry, when something was handed over with it.
fn handed(trail: &Trail, index: EntryIndex) -> Result<Option<Held>, TrailError> {
    let bytes = trail.leaf(index.0)?;
    let leaf = Leaf::decode(&bytes).map_err(|_| TrailError::Unreadable)?;
    let handed = matches!(
        leaf.entry_type,
        EntryType::Disclosure | EntryType::Delivery | EntryType::Notice
    );
    Ok(handed.then(|| Held {
        index: index.0,
        at_ms: leaf.at_ms,
        leaf: leaf_hash(&bytes),
    }))
}

#[tonic::async_trait]
impl ReconciliationService for Reconciliation {
    async fn compare_digests(
        &self,
        request: Request<v1::CompareDigestsRequest>,
    ) -> Result<Response<v1::CompareDigestsResponse>, Status> {
        let (caller, message) = opened(request)?;
        let Compare { who, held: theirs } = read(message, &caller.peer, reconciliation::compare)?;
        let periods: Vec<_> = theirs.iter().map(|one| one.period.clone()).collect();
        let party = &caller.peer.principal;
        let mut ours: Vec<_> = periods.iter().map(Digesting::of).collect();
        self.page_by_page(party, &periods, 0, |page| {
            for one in page {
                let after = periods.partition_point(|period| period.end <= one.at_ms);
                if let Some(digesting) = ours.get_mut(after) {
                    digesting.add(one);
                }
            }
            true
        })
        .await?;
        let ours: Vec<_> = ours.into_iter().map(Digesting::finish).collect();
        let pairs = theirs.iter().zip(&ours);
        let differing: Vec<_> = pairs
            .filter(|(theirs, (ours, _))| *theirs != ours)
            .collect();
        let question = in_words(&theirs, &differing);
        let differing: Vec<_> = differing
            .into_iter()
            .map(|(_, (held, parts))| v1::PeriodDifference {
                held: Some(summary(held)),
                parts: parts.iter().map(summary).collect(),
            })
            .collect();
        let answer = self.record(&caller, who, question, differing.len()).await?;
        Ok(Response::new(v1::CompareDigestsResponse {
            differing,
            receipt: Some(receipt(answer.receipt)),
        }))
    }

    async fn list_handed_over(
        &self,
        request: Request<v1::ListHandedOverRequest>,
    ) -> Result<Response<v1::ListHandedOverResponse>, Status> {
        let (caller, message) = opened(request)?;
        let list = read(message, &caller.peer, reconciliation::list)?;
        let party = &caller.peer.principal;
        let from = self.from(party, &list)?;
        let (held, more) = self
            .handed_over(party, &list.periods, from, list.most)
            .await?;
        let next = held.last().filter(|_| more).map(|last| last.index + 1);
        let question = format!("what was handed over in {} periods", list.periods.len());
        let answer = self.record(&caller, list.who, question, held.len()).await?;
        let proofs = self.sequencer.trail().beside(move |trail| {
            let held = held.iter();
            let proofs = held.map(|one| trail.receipt(one.index)?.ok_or(TrailError::Unreadable));
            proofs.collect::<Result<Vec<_>, _>>()
        });
        let handed_over = proofs.await?.into_iter().map(receipt).collect();
        let seal = |next| {
            self.sequencer
                .seal_cursor(party, CursorKind::HandedOver, next)
                .into()
        };
        Ok(Response::new(v1::ListHandedOverResponse {
            handed_over,
            next_cursor: next.map(seal),
            receipt: Some(receipt(answer.receipt)),
        }))
    }
}

impl Reconciliation {
    fn from(&self, party: &PartyId, list: &List) -> Result<u64, Status> {
        let Some(cursor) = &list.cursor else {
            return Ok(0);
        };
        let kind = CursorKind::HandedOver;
        let opened = self.sequencer.open_cursor(party, kind, cursor);
        Ok(opened.ok_or_else(|| foreign("cursor"))?)
    }
}

/// A period whose digest is being made, and those of its parts.
struct Digesting {
    whole: Summing,
    parts: Vec<Summing>,
}

impl Digesting {
    fn of(period: &Range<u64>) -> Self {
        Self {
            whole: Summing::of(period.clone()),
            parts: parts(period).into_iter().map(Summing::of).collect(),
        }
    }

    fn add(&mut self, one: &Held) {
        self.whole.add(one);
        let after = self
            .parts
            .partition_point(|part| part.period().end <= one.at_ms);
        if let Some(part) = self.parts.get_mut(after) {
            part.add(one);
        }
    }

    fn finish(self) -> (Summary, Vec<Summary>) {
        let parts = self.parts.into_iter().map(Summing::finish);
        (self.whole.finish(), parts.collect())
    }
}

/// What both sides held, for the entry about the comparison: so that neither can say later that it held
/// something else.
fn in_words(theirs: &[Summary], differing: &[(&Summary, &(Summary, Vec<Summary>))]) -> String {
    let span = theirs.first().zip(theirs.last());
    let span = span.and_then(|(first, last)| as_period(&(first.period.start..last.period.end)));
    let span = span.map_or_else(String::new, |span| match span.until {
        Some(until) => format!("from {} until {until}", span.from),
        None => format!("from {}", span.from),
    });
    let digest = |bytes: &[u8; 32]| {
        let digits = bytes.iter().take(8).map(|byte| format!("{byte:02x}"));
        digits.collect::<String>()
    };
    match (theirs, differing) {
        ([one], []) => format!(
            "{span}: both hold {} of {}",
            digest(&one.digest),
            one.entries
        ),
        ([_], [(theirs, (ours, _))]) => format!(
            "{span}: caller {} of {}, broker {} of {}",
            digest(&theirs.digest),
            theirs.entries,
            digest(&ours.digest),
            ours.entries
        ),
        (theirs, differing) => {
            format!(
                "{span}: {} of {} periods differ",
                differing.len(),
                theirs.len()
            )
        }
    }
}
