//! What every look into the trail has in common: what for, for whom, whom about, and that it is recorded.

use schakel_core::{
    event::Naming,
    id::{EntryIndex, PartyId, PurposeCode, Reference},
    party::Peer,
    person::SubjectRef,
};
use tonic::Status;

use super::Audit;
use crate::{
    call::{Answer, Call, CallError, LookUp},
    edge::identify::Caller,
    officer::{
        meant::Person,
        wide::{self, Question},
    },
    sequencer::Sequencer,
    service::{Fault, called},
    trail::{Trail, TrailError},
    wire::{entry::Viewer, person::Who, request::Parsed},
};

/// How many looks are handed to the writer at once.
const AT_ONCE: usize = 100;

impl Audit {
    /// Records a look into the trail.
    pub(super) async fn record(
        &self,
        caller: &Caller,
        who: Who,
        look_up: LookUp,
    ) -> Result<Answer, Status> {
        self.submit(caller, who, Call::LookUp(look_up)).await
    }

    /// Records a call that is no write.
    pub(super) async fn submit(
        &self,
        caller: &Caller,
        who: Who,
        call: Call,
    ) -> Result<Answer, Status> {
        let parsed = Parsed {
            who: Some(who),
            write: None,
            call,
        };
        Ok(self.sequencer.submit(called(caller, parsed)).await?)
    }

    /// Whether a look may be for this.
    pub(super) fn check_purpose(&self, purpose: &PurposeCode) -> Result<(), CallError> {
        super::check_purpose(&self.sequencer.registry(), purpose, self.sequencer.now())
    }

    /// Whether the party that a question names was ever registered. `within` is where the question stands in the
    /// request.
    pub(super) fn check_party(
        &self,
        within: &str,
        party: Option<&PartyId>,
    ) -> Result<(), CallError> {
        let registry = self.sequencer.registry();
        party.map_or(Ok(()), |party| {
            CallError::check_party(&registry, &format!("{within}party_id"), party)
        })
    }

    /// The officer of a controller.
    pub(super) fn viewer(&self, officer: &Peer) -> Result<Viewer, Fault> {
        super::viewer(&self.sequencer.registry(), officer)
    }

    /// Whom an officer means, as far as the own controller has to do with them.
    pub(super) async fn meant(
        &self,
        caller: &Caller,
        subject: SubjectRef,
    ) -> Result<Person, Status> {
        let caller = caller.peer.principal.clone();
        let naming = Naming::of(&caller, &subject);
        let found = self.sequencer.resolve(subject, caller).await?;
        Ok(Person::new(found, naming))
    }

    /// Makes sure that a wide question was approved by a second officer and may be asked now.
    pub(super) async fn check_approved(
        &self,
        viewer: &Viewer,
        approval: Option<Reference>,
        question: Question,
    ) -> Result<(), Status> {
        let search = approval.ok_or(CallError::WideSearch)?;
        let (controller, now) = (viewer.controller().clone(), self.sequencer.now());
        let registry = self.sequencer.registry();
        let lets = move |trail: &Trail| {
            let proposal = wide::proposal(trail, &controller, search, &registry)?;
            Ok(proposal.is_some_and(|proposal| proposal.lets(&question, now)))
        };
        if self.look(lets).await? {
            Ok(())
        } else {
            Err(CallError::WideSearch.into())
        }
    }

    /// Looks into the trail away from the threads that serve.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Trail) -> Result<T, TrailError> + Send + 'static,
    ) -> Result<T, TrailError> {
        self.sequencer.trail().look(self.waits.catch_up, look).await
    }
}

/// Records a look that names no person for every person it shows, each by an entry about that person, so
/// that each can be told.
pub(in crate::service) async fn record_each(
    sequencer: &Sequencer,
    caller: &Caller,
    who: &Who,
    purpose: &PurposeCode,
    question: &str,
    shown: Vec<EntryIndex>,
) -> Result<(), Status> {
    // Not more at once than leaves room for others.
    for some in shown.chunks(AT_ONCE) {
        let requests = some.iter().map(|entry| {
            let look_up = LookUp {
                purpose: Some(purpose.clone()),
                entry: Some(*entry),
                ..looked(question.to_owned(), 1)
            };
            let parsed = Parsed {
                who: Some(who.clone()),
                write: None,
                call: Call::LookUp(look_up),
            };
            called(caller, parsed)
        });
        for answer in sequencer.submit_all(requests.collect()).await {
            answer?;
        }
    }
    Ok(())
}

/// A look at nobody in particular, to be filled in.
pub(super) fn looked(question: String, results: usize) -> LookUp {
    LookUp {
        purpose: None,
        subject: None,
        entry: None,
        question,
        results: u32::try_from(results).unwrap_or(u32::MAX),
        denied: false,
    }
}
