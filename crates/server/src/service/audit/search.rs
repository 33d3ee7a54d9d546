//! Searching the trail, and searches that need a second officer.

use std::sync::Arc;

use schakel_api::v1;
use schakel_core::id::{ConsentId, EntryIndex};
use schakel_store::{
    entry::Entry,
    index::{Outcome as Sort, Query},
};
use tonic::{Request, Status};

use super::{
    Audit,
    look::{looked, record_each},
};
use crate::{
    call::{Call, CallError, LookUp, Outcome},
    edge::identify::Caller,
    officer::{
        held,
        meant::{About, one_a_person},
        wide::{self, Question},
    },
    sequencer::CursorKind,
    service::{Fault, opened},
    trail::{Trail, TrailError},
    wire::{
        InvalidRequest,
        audit::{self, Filter, Search},
        entry::{Viewer, with_ended},
        inbox::foreign,
        oversight::{self, Export, Proposed},
        receipt::receipt,
        request::read,
        time::instant,
    },
};

/// The method of a search.
const SEARCH: &str = "AuditService/SearchEntries";

/// An entry that was found, and of the consents it ended those that involve the controller.
struct Hit {
    index: EntryIndex,
    read: Entry,
    ended: Vec<ConsentId>,
}

/// One page of what was found, and where the next one continues.
type Found = (Vec<Hit>, Option<EntryIndex>);

impl Audit {
    pub(super) async fn search_entries(
        &self,
        request: Request<v1::SearchEntriesRequest>,
    ) -> Result<v1::SearchEntriesResponse, Status> {
        let (caller, message) = opened(request)?;
        let search = read(message, &caller.peer, audit::search)?;
        self.check_purpose(&search.purpose)?;
        self.check_party("", search.filter.party.as_ref())?;
        let viewer = self.viewer(&caller.peer)?;
        let query = self.query(&caller, &search, &viewer).await?;
        if self.is_wide(&search) {
            self.check_approved(&viewer, search.approval, of_search(&search))
                .await?;
        }
        let (seer, size) = (viewer.clone(), search.page_size);
        let (found, next) = self
            .look(move |trail| page(trail, query, size, &seer))
            .await?;
        if search.subject.is_none() {
            let (purpose, words) = (&search.purpose, search.filter.in_words());
            let shown = one_shown(&found, &viewer);
            let who = &search.who;
            record_each(&self.sequencer, &caller, who, purpose, &words, shown).await?;
        }
        let look_up = LookUp {
            purpose: Some(search.purpose),
            subject: search.subject,
            ..looked(search.filter.in_words(), found.len())
        };
        let answer = self.record(&caller, search.who, look_up).await?;
        let seal = |next: EntryIndex| {
            let party = &caller.peer.principal;
            let cursor = self
                .sequencer
                .seal_cursor(party, CursorKind::Search, next.0);
            cursor.into()
        };
        let shown = found
            .iter()
            .map(|hit| with_ended(self.shown((hit.index, &hit.read), &viewer), &hit.ended));
        Ok(v1::SearchEntriesResponse {
            entries: shown.collect(),
            next_page_token: next.map(seal),
            receipt: Some(receipt(answer.receipt)),
        })
    }

    pub(super) async fn propose_search(
        &self,
        request: Request<v1::ProposeSearchRequest>,
    ) -> Result<v1::ProposeSearchResponse, Status> {
        let (caller, message) = opened(request)?;
        let proposed = read(message, &caller.peer, oversight::propose)?;
        let viewer = self.viewer(&caller.peer)?;
        let (is_wide, question) = match &proposed {
            Proposed::Search(search) => (self.is_wide(search), of_search(search)),
            Proposed::Report(asked) => {
                (self.is_wide_report(asked), super::report::of_report(asked))
            }
            Proposed::Breach(breach) => (
                self.bounds.is_long(Some(&breach.period)),
                super::oversight::of_breach(breach),
            ),
            Proposed::Export(export) => (export.shows_anybody(&viewer), of_export(export)),
        };
        let (who, export) = (proposed.who().clone(), proposed.export());
        self.check_purpose(&question.purpose)?;
        self.check_named(&proposed)?;
        if !is_wide {
            let rule = "needs no second officer: ask it";
            return Err(InvalidRequest::of("question", rule).into());
        }
        let call = Call::ProposeSearch {
            method: question.method,
            purpose: question.purpose,
            question: question.words,
            export,
        };
        let answer = self.submit(&caller, who, call).await?;
        match answer.outcome {
            Outcome::SearchProposed(search) => Ok(v1::ProposeSearchResponse {
                search_id: search.as_bytes().to_vec().into(),
                receipt: Some(receipt(answer.receipt)),
            }),
            _ => Err(Fault::Misfit.into()),
        }
    }

    pub(super) async fn decide_search(
        &self,
        request: Request<v1::DecideSearchRequest>,
    ) -> Result<v1::DecideSearchResponse, Status> {
        let (caller, message) = opened(request)?;
        let decision = read(message, &caller.peer, oversight::decide)?;
        let controller = self.viewer(&caller.peer)?.controller().clone();
        let (search, registry) = (decision.search, self.sequencer.registry());
        let known = Arc::clone(&registry);
        let found = self
            .look(move |trail| wide::proposal(trail, &controller, search, &known))
            .await?;
        let now = self.sequencer.now();
        let waiting = found.filter(|proposal| {
            let is_taken_back = !decision.approve && proposal.stands(now);
            proposal.waits(now) || is_taken_back
        });
        let waiting = waiting.ok_or(CallError::NotFound("search that waits"))?;
        // Whoever proposed it may take it back; approving it takes another.
        let actor = decision.who.actor.as_str();
        if decision.approve && !waiting.is_second(actor, &caller.certificate, &registry) {
            return Err(CallError::SecondActor.into());
        }
        let call = Call::DecideSearch {
            search,
            approved_for: decision.approve.then(|| waiting.term(self.bounds.approval)),
        };
        let answer = self.submit(&caller, decision.who, call).await?;
        match answer.outcome {
            Outcome::SearchDecided(until) => Ok(v1::DecideSearchResponse {
                until: until.map(instant),
                receipt: Some(receipt(answer.receipt)),
            }),
            _ => Err(Fault::Misfit.into()),
        }
    }

    pub(super) async fn list_searches(
        &self,
        request: Request<v1::ListSearchesRequest>,
    ) -> Result<v1::ListSearchesResponse, Status> {
        let (caller, message) = opened(request)?;
        let who = read(message, &caller.peer, oversight::searches)?;
        let controller = self.viewer(&caller.peer)?.controller().clone();
        let (registry, now) = (self.sequencer.registry(), self.sequencer.now());
        let searches = self
            .look(move |trail| wide::proposals(trail, &controller, &registry, now))
            .await?;
        let look_up = looked("searches that wait".to_owned(), searches.len());
        let answer = self.record(&caller, who, look_up).await?;
        Ok(v1::ListSearchesResponse {
            searches,
            receipt: Some(receipt(answer.receipt)),
        })
    }

    /// Whether what a proposed question names is there.
    fn check_named(&self, proposed: &Proposed) -> Result<(), CallError> {
        match proposed {
            Proposed::Search(search) => self.check_party("search.", search.filter.party.as_ref()),
            Proposed::Report(asked) => self.check_party("report.", asked.party.as_ref()),
            Proposed::Breach(breach) => self.check_breach("breach.", breach),
            Proposed::Export(_) => Ok(()),
        }
    }

    /// Whether a search is too wide for one officer: it names no person, and no party or a long period.
    fn is_wide(&self, search: &Search) -> bool {
        let Filter { party, period, .. } = &search.filter;
        search.subject.is_none() && (party.is_none() || self.bounds.is_long(period.as_ref()))
    }

    async fn query(
        &self,
        caller: &Caller,
        search: &Search,
        viewer: &Viewer,
    ) -> Result<Query, Status> {
        let before = match &search.page_token {
            Some(token) => {
                let party = &caller.peer.principal;
                let opened = self.sequencer.open_cursor(party, CursorKind::Search, token);
                Some(EntryIndex(opened.ok_or_else(|| foreign("page_token"))?))
            }
            None => None,
        };
        let about = match &search.subject {
            Some(subject) => {
                let person = self.meant(caller, subject.clone()).await?;
                person.entries(viewer.controller())
            }
            None => Query::of(viewer.controller().clone()),
        };
        let Filter {
            party,
            purpose,
            condition,
            period,
            outcome,
        } = search.filter.clone();
        Ok(Query {
            party,
            purpose,
            condition,
            period,
            outcome,
            before,
            ..about
        })
    }
}

/// The question of a search.
fn of_search(search: &Search) -> Question {
    Question {
        method: SEARCH,
        purpose: search.purpose.clone(),
        words: search.filter.in_words(),
    }
}

/// The question of an export.
fn of_export(export: &Export) -> Question {
    Question {
        method: match export.kind {
            v1::ExportKind::Processings => "ExportService/ExportProcessings",
            v1::ExportKind::Entries | v1::ExportKind::Unspecified => "ExportService/ExportEntries",
        },
        purpose: export.purpose.clone(),
        words: export.in_words(),
    }
}

/// The entries of one page, newest first, and where the next one continues. What the officer may not see
/// does not shorten the page.
fn page(
    trail: &Trail,
    mut query: Query,
    size: usize,
    viewer: &Viewer,
) -> Result<Found, TrailError> {
    let mut shown = Vec::new();
    // Found by who made it, it would not be nameless.
    let by_party = query.party.is_some();
    loop {
        query.limit = size.saturating_sub(shown.len());
        let found = trail.find(&query)?;
        for index in found.entries {
            if let Some(read) = trail.entry(index.0)?
                && (viewer.shows(&read) || (!by_party && viewer.shows_nameless(&read)))
                && (viewer.reads(&read) || found_by_leaf(&query, &read))
            {
                let ended = held::ended(trail, &read, viewer)?;
                shown.push(Hit { index, read, ended });
            }
        }
        query.before = found.next;
        if found.next.is_none() || shown.len() >= size {
            return Ok((shown, found.next));
        }
    }
}

/// Whether an entry that was erased for the controller is found by what its leaf says alone.
fn found_by_leaf(query: &Query, read: &Entry) -> bool {
    let by_details = query.subject.is_some() || query.condition.is_some();
    let outcome = Sort::of_leaf(read.leaf.entry_type);
    !by_details && query.outcome.is_none_or(|wanted| wanted == outcome)
}

/// One entry about each person in what was found, of those entries whose details are shown.
fn one_shown(found: &[Hit], viewer: &Viewer) -> Vec<EntryIndex> {
    let read = found.iter().filter(|hit| viewer.reads(&hit.read));
    let read = read.filter_map(|hit| {
        let details = hit.read.details.as_ref()?;
        Some((About::of(details, viewer.controller()), hit.index))
    });
    one_a_person(read.collect())
}
