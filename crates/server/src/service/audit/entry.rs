//! One entry: with its proof, why it was decided so, and whether it is decided so again.

use schakel_api::v1;
use schakel_core::{
    code::Role,
    erasure::Done,
    id::{EntryIndex, PurposeCode},
    replay::Replay,
};
use schakel_store::{
    entry::Entry,
    index::{LARGEST_PAGE, Query},
};
use tonic::{Request, Status};

use super::{Audit, look::looked};
use crate::{
    call::{CallError, LookUp, Outcome},
    officer::{
        as_of, held,
        records::{self, Again, Records},
    },
    service::{Fault, opened},
    trail::{Trail, TrailError},
    wire::{
        audit::{self, Named, Which},
        entry::{Viewer, entry, redacted, with_ended},
        explanation::{explained_away, explanation},
        receipt::{not_disclosed, receipt},
        request::read,
    },
};

impl Audit {
    pub(super) async fn get_entry(
        &self,
        request: Request<v1::GetEntryRequest>,
    ) -> Result<v1::GetEntryResponse, Status> {
        let (caller, message) = opened(request)?;
        let Which {
            who,
            purpose,
            entry: named,
        } = read(message, &caller.peer, audit::get)?;
        if let Some(purpose) = &purpose {
            self.check_purpose(purpose)?;
        }
        let Named::Index(index) = named else {
            return Err(Fault::Misfit.into());
        };
        let trail = self.sequencer.trail();
        let found = trail.beside(move |trail| trail.entry(index.0)).await?;
        let found = found.ok_or(CallError::NotFound("entry"))?;
        let look_up = look_at(index, purpose, false);
        let answer = self.record(&caller, who, look_up).await?;
        let proof = trail.beside(move |trail| trail.receipt(index.0)).await?;
        let proof = proof.ok_or(CallError::NotFound("entry"))?;
        // An auditor is shown every leaf, an officer the entries that concern the own controller.
        let (proof, shown) = if caller.peer.has_role(Role::PrivacyOfficer) {
            let viewer = self.viewer(&caller.peer)?;
            let sees = viewer.reads(&found) || redaction(trail, index, &found, &viewer).is_some();
            let sees = sees && viewer.sees_actor(&found.leaf);
            let shown = if sees {
                Some(self.shown_whole((index, found), &viewer).await?)
            } else {
                None
            };
            (Some(proof).filter(|_| sees), shown)
        } else {
            (Some(proof), None)
        };
        Ok(v1::GetEntryResponse {
            proof: proof.map(receipt),
            entry: shown,
            receipt: Some(receipt(answer.receipt)),
        })
    }

    pub(super) async fn explain_entry(
        &self,
        request: Request<v1::ExplainEntryRequest>,
    ) -> Result<v1::ExplainEntryResponse, Status> {
        use v1::explain_entry_response::Outcome as Told;
        let (caller, message) = opened(request)?;
        let which = read(message, &caller.peer, audit::explain)?;
        self.check_named_purpose(&which)?;
        let viewer = self.viewer(&caller.peer)?;
        let found = self.named(&viewer, which.entry).await?;
        let told = match (found, which.entry) {
            (Some((index, found)), _) => self.explained(index, &found, &viewer),
            (None, Named::Index(index)) => self.explained_away(index, &viewer).await?,
            (None, Named::Reference(_)) => None,
        };
        let look_up = match &told {
            Some(explained) => look_at(EntryIndex(explained.index), which.purpose, false),
            None => not_seen(&which),
        };
        let answer = self.record(&caller, which.who, look_up).await?;
        let told = match (answer.outcome, told) {
            (Outcome::Done, Some(explanation)) => Told::Explanation(v1::Explanation {
                receipt: Some(receipt(answer.receipt)),
                ..explanation
            }),
            (Outcome::NotDisclosed(reference), None) => {
                Told::NotDisclosed(not_disclosed(reference))
            }
            _ => return Err(Fault::Misfit.into()),
        };
        Ok(v1::ExplainEntryResponse {
            outcome: Some(told),
        })
    }

    pub(super) async fn replay_entry(
        &self,
        request: Request<v1::ReplayEntryRequest>,
    ) -> Result<v1::ReplayEntryResponse, Status> {
        use v1::replay_entry_response::Outcome as Told;
        let (caller, message) = opened(request)?;
        let which = read(message, &caller.peer, audit::replay)?;
        self.check_named_purpose(&which)?;
        let viewer = self.viewer(&caller.peer)?;
        let replayed = match self.named(&viewer, which.entry).await? {
            Some((index, found)) => {
                let explanation = self.explained(index, &found, &viewer);
                let seer = viewer.clone();
                let replayed = self.look(move |trail| replayed(trail, index, found, &seer));
                Some(v1::Replayed {
                    explanation,
                    ..replayed.await?
                })
            }
            None => None,
        };
        let look_up = match &replayed {
            Some(replayed) => look_at(EntryIndex(replayed.index), which.purpose, false),
            None => not_seen(&which),
        };
        let answer = self.record(&caller, which.who, look_up).await?;
        let told = match (answer.outcome, replayed) {
            (Outcome::Done, Some(replayed)) => Told::Replayed(v1::Replayed {
                receipt: Some(receipt(answer.receipt)),
                ..replayed
            }),
            (Outcome::NotDisclosed(reference), None) => {
                Told::NotDisclosed(not_disclosed(reference))
            }
            _ => return Err(Fault::Misfit.into()),
        };
        Ok(v1::ReplayEntryResponse {
            outcome: Some(told),
        })
    }

    /// The entry that is meant; `None` when there is none, or the officer may not see it, or it can no longer
    /// be read.
    async fn named(
        &self,
        viewer: &Viewer,
        named: Named,
    ) -> Result<Option<(EntryIndex, Entry)>, Status> {
        let viewer = viewer.clone();
        let found = self.look(move |trail| match named {
            Named::Index(index) => seen(trail, index, &viewer),
            Named::Reference(reference) => {
                let query = Query {
                    reference: Some(reference),
                    limit: LARGEST_PAGE,
                    ..Query::of(viewer.controller().clone())
                };
                // The oldest: what was decided about a proposed search has the reference of the proposal.
                match trail.find(&query)?.entries.last() {
                    Some(index) => seen(trail, *index, &viewer),
                    None => Ok(None),
                }
            }
        });
        Ok(found.await?)
    }

    /// As [`Self::shown`], with the consents it ended, of those that involve the controller.
    async fn shown_whole(
        &self,
        (index, found): (EntryIndex, Entry),
        viewer: &Viewer,
    ) -> Result<v1::Entry, Status> {
        let shown = self.shown((index, &found), viewer);
        let seer = viewer.clone();
        let ended = self.look(move |trail| held::ended(trail, &found, &seer));
        Ok(with_ended(shown, &ended.await?))
    }

    /// An entry that may be shown: whole, or as what was erased by which rule.
    pub(super) fn shown(&self, (index, found): (EntryIndex, &Entry), viewer: &Viewer) -> v1::Entry {
        if viewer.reads(found) {
            return entry(index.0, found, viewer);
        }
        let by = redaction(self.sequencer.trail(), index, found, viewer);
        redacted(index.0, &found.leaf, by.as_ref(), viewer)
    }

    /// By which rule an entry was erased for the controller.
    async fn explained_away(
        &self,
        index: EntryIndex,
        viewer: &Viewer,
    ) -> Result<Option<v1::Explanation>, TrailError> {
        let trail = self.sequencer.trail();
        let Some(found) = trail.beside(move |trail| trail.entry(index.0)).await? else {
            return Ok(None);
        };
        let by = redaction(trail, index, &found, viewer);
        let by = by.filter(|_| !viewer.reads(&found) && viewer.sees_actor(&found.leaf));
        let at = records::at(&found.leaf);
        Ok(by.zip(at).map(|(by, at)| explained_away(&by, (index, at))))
    }

    /// Why an entry was decided as it was.
    fn explained(
        &self,
        index: EntryIndex,
        found: &Entry,
        viewer: &Viewer,
    ) -> Option<v1::Explanation> {
        let (details, at) = (found.details.as_ref()?, records::at(&found.leaf)?);
        let registry = self.sequencer.registry();
        Some(explanation(&details.event, &registry, (index, at), viewer))
    }

    fn check_named_purpose(&self, which: &Which) -> Result<(), CallError> {
        match &which.purpose {
            Some(purpose) => self.check_purpose(purpose),
            None => Ok(()),
        }
    }
}

/// The erasure by which an entry can no longer be read for the controller. For a month it is not known whom the
/// entry concerned, but that it concerned the party that acted.
fn redaction(trail: &Trail, index: EntryIndex, found: &Entry, viewer: &Viewer) -> Option<Done> {
    let controller = viewer.controller();
    let by = trail.redaction(index, &found.leaf, controller)?;
    let concerned = by.erased.controller.is_some()
        || found.leaf.party == controller.as_str()
        || found.erased.contains(controller);
    concerned.then_some(by)
}

fn seen(
    trail: &Trail,
    index: EntryIndex,
    viewer: &Viewer,
) -> Result<Option<(EntryIndex, Entry)>, TrailError> {
    let found = trail.entry(index.0)?;
    let seen = found.filter(|found| {
        let details = found.details.as_ref();
        details.is_some_and(|details| viewer.sees(&found.leaf, details))
    });
    Ok(seen.map(|found| (index, found)))
}

/// What came of deciding again, without the explanation and the receipt.
fn replayed(
    trail: &Trail,
    index: EntryIndex,
    found: Entry,
    viewer: &Viewer,
) -> Result<v1::Replayed, TrailError> {
    let mut records = Records::new(trail)?;
    let again = records.replay(index, &found)?;
    let (consents, entries_used) = as_of::consents_of(&mut records, index, found, viewer)?;
    let differences = match &again {
        Again::Decided(Replay::Differs(ways)) => ways.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    Ok(v1::Replayed {
        index: index.0,
        result: as_of::result(&again).into(),
        differences,
        entries_used,
        explanation: None,
        consents,
        receipt: None,
    })
}

pub(super) fn look_at(entry: EntryIndex, purpose: Option<PurposeCode>, denied: bool) -> LookUp {
    LookUp {
        purpose,
        entry: Some(entry),
        denied,
        ..looked(String::new(), usize::from(!denied))
    }
}

/// A look at an entry that is not shown.
fn not_seen(which: &Which) -> LookUp {
    let purpose = which.purpose.clone();
    match which.entry {
        Named::Index(index) => look_at(index, purpose, true),
        Named::Reference(_) => LookUp {
            purpose,
            denied: true,
            ..looked(String::new(), 0)
        },
    }
}
