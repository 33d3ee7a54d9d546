//! The trail: searching, one entry with its proof, why it was decided so, checkpoint and consistency.
//!
//! Whoever looks is recorded before anything is shown.

use schakel_api::v1::{self, audit_service_server::AuditService};
use schakel_core::{
    code::Role,
    id::{EntryIndex, PurposeCode, SubjectId},
    party::Peer,
    registry::Registry,
    time::Timestamp,
};
use schakel_store::index::Query;
use tonic::{Request, Response, Status};

use super::{Fault, Waits, called, opened};
use crate::{
    call::{Answer, Call, CallError, LookUp, Outcome},
    edge::identify::Caller,
    sequencer::{CursorKind, Sequencer},
    trail::TrailError,
    wire::{
        audit::{self, Search, Which},
        entry::{Viewer, entry},
        explanation::explanation,
        inbox::foreign,
        person::Who,
        receipt::{not_disclosed, receipt},
        request::{Parsed, read},
    },
};

/// Nobody: no person is ever drawn this id. A search for somebody unknown takes the way of any other.
const NOBODY: SubjectId = SubjectId::from_bytes([0; 16]);

/// The service.
#[derive(Clone, Debug)]
pub struct Audit {
    sequencer: Sequencer,
    waits: Waits,
}

impl Audit {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer, waits: Waits) -> Self {
        Self { sequencer, waits }
    }

    /// Records a look into the trail.
    async fn record(&self, caller: &Caller, who: Who, look_up: LookUp) -> Result<Answer, Status> {
        let parsed = Parsed {
            who: Some(who),
            write: None,
            call: Call::LookUp(look_up),
        };
        Ok(self.sequencer.submit(called(caller, parsed)).await?)
    }

    /// The entries of one page, newest first, and where the next one continues. What the officer may not
    /// see does not shorten the page.
    async fn page(
        &self,
        search: &Search,
        mut query: Query,
        viewer: &Viewer,
    ) -> Result<(Vec<v1::Entry>, Option<EntryIndex>), TrailError> {
        let mut entries = Vec::new();
        loop {
            query.limit = search.page_size.saturating_sub(entries.len());
            let found = self
                .sequencer
                .trail()
                .search(query.clone(), self.waits.catch_up)
                .await?;
            for index in found.entries {
                entries.extend(self.shown(index, viewer)?);
            }
            query.before = found.next;
            if found.next.is_none() || entries.len() >= search.page_size {
                return Ok((entries, found.next));
            }
        }
    }

    fn shown(&self, index: EntryIndex, viewer: &Viewer) -> Result<Option<v1::Entry>, TrailError> {
        let Some(found) = self.sequencer.trail().entry(index.0)? else {
            return Ok(None);
        };
        let sees = match &found.details {
            Some(details) => viewer.sees(&found.leaf, details),
            // Its details are erased; that the index gave it says that it concerned the controller.
            None => viewer.sees_actor(&found.leaf),
        };
        Ok(sees.then(|| entry(index.0, &found, viewer)))
    }

    async fn query(
        &self,
        caller: &Caller,
        search: &Search,
        viewer: &Viewer,
    ) -> Result<Query, Status> {
        let party = &caller.peer.principal;
        let before = match &search.page_token {
            Some(token) => {
                let opened = self.sequencer.open_cursor(party, CursorKind::Search, token);
                Some(EntryIndex(opened.ok_or_else(|| foreign("page_token"))?))
            }
            None => None,
        };
        let subject = match &search.subject {
            Some(subject) => {
                let found = self
                    .sequencer
                    .resolve(subject.clone(), party.clone())
                    .await?;
                Some(found.unwrap_or(NOBODY))
            }
            None => None,
        };
        let audit::Filter {
            party,
            purpose,
            condition,
            period,
            outcome,
        } = search.filter.clone();
        let (controller, limit) = (viewer.controller().clone(), search.page_size);
        Ok(Query {
            controller,
            subject,
            party,
            purpose,
            condition,
            period,
            outcome,
            before,
            limit,
        })
    }

    /// Why an entry was decided as it was; `None` when the officer may not see it.
    fn explained(
        &self,
        index: EntryIndex,
        viewer: &Viewer,
    ) -> Result<Option<v1::Explanation>, Status> {
        let Some(found) = self.sequencer.trail().entry(index.0)? else {
            return Ok(None);
        };
        let details = found
            .details
            .filter(|details| viewer.sees(&found.leaf, details));
        let (Some(details), Ok(at)) = (details, Timestamp::from_millis(found.leaf.at_ms)) else {
            return Ok(None);
        };
        let registry = self.sequencer.registry();
        Ok(Some(explanation(
            &details.event,
            &registry,
            (index, at),
            viewer,
        )))
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn search_entries(
        &self,
        request: Request<v1::SearchEntriesRequest>,
    ) -> Result<Response<v1::SearchEntriesResponse>, Status> {
        let (caller, message) = opened(request)?;
        let search = read(message, &caller.peer, audit::search)?;
        let registry = self.sequencer.registry();
        check_purpose(&registry, &search.purpose, self.sequencer.now())?;
        let viewer = viewer(&registry, &caller.peer)?;
        let query = self.query(&caller, &search, &viewer).await?;
        let (entries, next) = self.page(&search, query, &viewer).await?;
        let look_up = LookUp {
            purpose: Some(search.purpose),
            subject: search.subject,
            entry: None,
            question: search.filter.in_words(),
            results: u32::try_from(entries.len()).unwrap_or(u32::MAX),
            denied: false,
        };
        let answer = self.record(&caller, search.who, look_up).await?;
        let seal = |next: EntryIndex| {
            self.sequencer
                .seal_cursor(&caller.peer.principal, CursorKind::Search, next.0)
                .into()
        };
        Ok(Response::new(v1::SearchEntriesResponse {
            entries,
            next_page_token: next.map(seal),
            receipt: Some(receipt(answer.receipt)),
        }))
    }

    async fn get_entry(
        &self,
        request: Request<v1::GetEntryRequest>,
    ) -> Result<Response<v1::GetEntryResponse>, Status> {
        let (caller, message) = opened(request)?;
        let Which { who, entry: index } = read(message, &caller.peer, audit::get)?;
        let trail = self.sequencer.trail();
        let found = trail.entry(index.0)?.ok_or(CallError::NotFound("entry"))?;
        let answer = self.record(&caller, who, look_at(index, false)).await?;
        let proof = trail
            .receipt(index.0)?
            .ok_or(CallError::NotFound("entry"))?;
        let shown = if caller.peer.has_role(Role::PrivacyOfficer) {
            let viewer = viewer(&self.sequencer.registry(), &caller.peer)?;
            let details = found.details.as_ref();
            let sees = details.is_some_and(|details| viewer.sees(&found.leaf, details));
            sees.then(|| entry(index.0, &found, &viewer))
        } else {
            None
        };
        Ok(Response::new(v1::GetEntryResponse {
            proof: Some(receipt(proof)),
            entry: shown,
            receipt: Some(receipt(answer.receipt)),
        }))
    }

    async fn explain_entry(
        &self,
        request: Request<v1::ExplainEntryRequest>,
    ) -> Result<Response<v1::ExplainEntryResponse>, Status> {
        use v1::explain_entry_response::Outcome as Told;
        let (caller, message) = opened(request)?;
        let Which { who, entry } = read(message, &caller.peer, audit::explain)?;
        let viewer = viewer(&self.sequencer.registry(), &caller.peer)?;
        let explained = self.explained(entry, &viewer)?;
        let answer = self
            .record(&caller, who, look_at(entry, explained.is_none()))
            .await?;
        let told = match (answer.outcome, explained) {
            (Outcome::Done, Some(mut explanation)) => {
                explanation.receipt = Some(receipt(answer.receipt));
                Told::Explanation(explanation)
            }
            (Outcome::NotDisclosed(reference), None) => {
                Told::NotDisclosed(not_disclosed(reference))
            }
            _ => return Err(Fault::Misfit.into()),
        };
        Ok(Response::new(v1::ExplainEntryResponse {
            outcome: Some(told),
        }))
    }

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        let v1::GetCheckpointRequest {} = request.into_inner();
        let trail = self.sequencer.trail();
        Ok(Response::new(v1::GetCheckpointResponse {
            checkpoint: trail.checkpoint().as_bytes().to_vec().into(),
            verifier_key: trail.verifier_key().to_owned(),
        }))
    }

    async fn get_consistency(
        &self,
        request: Request<v1::GetConsistencyRequest>,
    ) -> Result<Response<v1::GetConsistencyResponse>, Status> {
        let v1::GetConsistencyRequest { old_size, new_size } = request.into_inner();
        let trail = self.sequencer.trail();
        let size = trail.size();
        let new_size = new_size.unwrap_or(size);
        let proof = trail.consistency(old_size, new_size)?;
        let proof = proof.ok_or_else(|| audit::sizes(old_size, size))?;
        Ok(Response::new(audit::consistency(proof, new_size)))
    }
}

/// The purpose of a look into the trail must be registered, in force, and about no condition: it grants
/// nothing.
pub(super) fn check_purpose(
    registry: &Registry,
    purpose: &PurposeCode,
    now: Timestamp,
) -> Result<(), CallError> {
    let registered = registry
        .purpose(purpose, None, now)
        .ok_or_else(|| CallError::PurposeUnknown(purpose.clone()))?;
    if registered.version.conditions.is_empty() {
        return Ok(());
    }
    let rule = "must be a purpose about no condition, such as P-ACCOUNTABILITY: looking into the trail \
                is no disclosure";
    Err(CallError::Invalid {
        field: "purpose".to_owned(),
        rule: rule.to_owned(),
    })
}

pub(super) fn viewer(registry: &Registry, officer: &Peer) -> Result<Viewer, Fault> {
    let controller = registry
        .party(&officer.principal)
        .and_then(|party| party.officer_for.clone())
        .ok_or(Fault::NoController)?;
    Ok(Viewer::new(registry, controller))
}

fn look_at(entry: EntryIndex, denied: bool) -> LookUp {
    LookUp {
        purpose: None,
        subject: None,
        entry: Some(entry),
        question: String::new(),
        results: u32::from(!denied),
        denied,
    }
}
