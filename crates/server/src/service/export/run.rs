//! A run of calls: where it goes on, who goes on with it, and under which approval of a second officer.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::{
    id::{ActorRef, PartyId, PurposeCode, Reference},
    time::{Period, Timestamp},
};
use tonic::Status;

use super::Export;
use crate::{
    call::{Call, CallError, LookUp},
    edge::identify::Caller,
    officer::wide,
    sequencer::{CursorKind, RunCursor},
    service::{audit::check_purpose, called},
    wire::{
        InvalidRequest, inbox::foreign, person::Who, receipt::receipt, request::Parsed,
        request::sha256,
    },
};

/// How long a run lasts: this broker's own term.
const RUN_MS: u64 = 24 * 60 * 60 * 1000;

/// The position before which every entry is.
const NEWEST: u64 = u64::MAX;

/// What a call says of the run it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) who: &'a Who,
    pub(super) purpose: &'a PurposeCode,
    /// Where it goes on, as given: still to be opened.
    pub(super) cursor: Option<&'a Bytes>,
    /// Where it begins without a cursor.
    pub(super) from: Start,
    /// The approval, where one is given beside that of the cursor.
    pub(super) approval: Option<Reference>,
}

/// Where a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At this entry, and goes on.
    At(u64),
    /// At the newest entry, and goes back.
    Newest,
}

/// A run of calls, as one of them takes part in it.
#[derive(Clone, Debug)]
pub(super) struct Run {
    kind: CursorKind,
    /// For whom is exported, where it is for one controller.
    controller: Option<PartyId>,
    /// Where this call begins: before this entry, where it goes back.
    pub(super) from: u64,
    goes_back: bool,
    /// When what this run may open was recorded; none without an approval.
    pub(super) approved: Option<Period>,
    begun: Timestamp,
    turn: Turn,
    by: [u8; 16],
    approval: Option<Reference>,
}

/// How a call stands to its run. All but going on is an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Begins,
    GoesOn,
    /// Another employee or another certificate goes on with it, or the same for another purpose.
    TakenOver,
}

impl Export {
    /// The run that a call belongs to. What it is for, and whether its approval stands, is looked at in every call, as
    /// of now.
    pub(super) async fn run(
        &self,
        caller: &Caller,
        kind: CursorKind,
        controller: Option<PartyId>,
        asked: Asked<'_>,
    ) -> Result<Run, Status> {
        let now = self.sequencer.now();
        check_purpose(&self.sequencer.registry(), asked.purpose, now)?;
        let whose = (&caller.peer.principal, controller.as_ref());
        let before = asked.cursor.map(|cursor| {
            let opened = self.sequencer.open_run(whose, kind, cursor);
            opened.ok_or_else(|| foreign("cursor"))
        });
        let before = before.transpose()?;
        let approval = asked
            .approval
            .or_else(|| before.as_ref().and_then(|before| before.approval));
        let by = employee(&asked, caller);
        let same = before.as_ref().filter(|before| {
            let lasts = now >= before.begun && now < before.begun.plus_millis(RUN_MS);
            lasts && before.approval == approval
        });
        let turn = match same {
            None => Turn::Begins,
            Some(before) if before.by == by => Turn::GoesOn,
            Some(_) => Turn::TakenOver,
        };
        let approved = match (approval, &controller) {
            (Some(search), Some(controller)) => {
                let approved = self.approved(controller, search, caller.method, asked.purpose, now);
                Some(approved.await?)
            }
            (Some(_), None) => {
                let rule = "must be left out: no details are opened to an auditor";
                return Err(InvalidRequest::of("search_id", rule).into());
            }
            (None, _) => None,
        };
        Ok(Run {
            kind,
            from: before
                .as_ref()
                .map_or(asked.from.position(), |before| before.position),
            goes_back: asked.from == Start::Newest,
            approved,
            begun: same.map_or(now, |before| before.begun),
            turn,
            by,
            approval,
            controller,
        })
    }

    /// What an approval lets an export open, as it stands now: any officer may have taken it back since.
    async fn approved(
        &self,
        controller: &PartyId,
        search: Reference,
        method: &'static str,
        purpose: &PurposeCode,
        now: Timestamp,
    ) -> Result<Period, Status> {
        let (controller, purpose) = (controller.clone(), purpose.clone());
        let (trail, registry) = (self.sequencer.trail(), self.sequencer.registry());
        let found = trail.look(self.waits.catch_up, move |trail| {
            let proposal = wide::proposal(trail, &controller, search, &registry)?;
            Ok::<_, crate::trail::TrailError>(
                proposal.and_then(|proposal| proposal.lets_export(method, &purpose, now)),
            )
        });
        Ok(found.await?.ok_or(CallError::ExportUnapproved)?)
    }

    /// Records a run that begins, or with which somebody else goes on, before anything of it is shown.
    pub(super) async fn record(
        &self,
        caller: &Caller,
        (who, purpose): (Who, PurposeCode),
        run: &Run,
        results: usize,
    ) -> Result<Option<v1::Receipt>, Status> {
        let Some(question) = run.in_words() else {
            return Ok(None);
        };
        let look_up = LookUp {
            purpose: Some(purpose),
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
        let answer = self.sequencer.submit(called(caller, parsed)).await?;
        Ok(Some(receipt(answer.receipt)))
    }

    /// The cursor that goes on with a run at a position.
    pub(super) fn cursor(&self, caller: &Caller, run: &Run, position: u64) -> Bytes {
        let whose = (&caller.peer.principal, run.controller.as_ref());
        let next = RunCursor {
            position,
            begun: run.begun,
            by: run.by,
            approval: run.approval,
        };
        self.sequencer.seal_run(whose, run.kind, &next).into()
    }
}

impl Start {
    const fn position(self) -> u64 {
        match self {
            Self::At(index) => index,
            Self::Newest => NEWEST,
        }
    }
}

impl Run {
    /// What the entry about this call says; none where it only goes on.
    fn in_words(&self) -> Option<String> {
        let place = match (self.goes_back, self.from) {
            (true, NEWEST) => "from the newest entry back".to_owned(),
            (true, from) => format!("from before entry {from} back"),
            (false, from) => format!("from entry {from} on"),
        };
        let said = match self.turn {
            Turn::Begins => format!("export {place}, for a day; these first"),
            Turn::TakenOver => format!(
                "export gone on with {place}, by another employee or certificate, or for another purpose; these first"
            ),
            Turn::GoesOn => return None,
        };
        let under = self.approval.map(|approval| {
            let id = u128::from_be_bytes(*approval.as_bytes());
            format!("; approved as {id:032x}")
        });
        Some(said + &under.unwrap_or_default())
    }
}

/// Who goes on with a run, and for what: the employee with the certificate of the connection, whoever is responsible and
/// the purpose, without saying any of it.
fn employee(asked: &Asked<'_>, caller: &Caller) -> [u8; 16] {
    let Who { actor, responsible } = asked.who;
    let responsible = responsible.as_ref().map_or("", ActorRef::as_str);
    let named = [actor.as_str(), responsible, asked.purpose.as_str()];
    let mut all = caller.certificate.to_vec();
    for named in named {
        // No character of a mark or a purpose: what is one and what the next is plain.
        all.push(0);
        all.extend_from_slice(named.as_bytes());
    }
    let digest = sha256(&all);
    digest.first_chunk().copied().unwrap_or_default()
}
