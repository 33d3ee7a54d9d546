//! Whoever calls is who the registry says at the place of the call in the log: a call that waits behind the entry that
//! took a role or a delegation away does not go through by it.

use schakel_core::{
    erasure::Ground,
    event::Event,
    id::{EntryIndex, ProposalId},
    party::{Delegation, Party},
    registry::Change,
    time::Period,
};
use tonic::Status;

use super::*;
use crate::{
    access,
    edge::{identify::UnknownParty, refusals::Refusal},
};

/// An administrator beside the two of development: by what is changed here, these never lose a role.
const THIRD: &str = "beheer-vier";

fn bench() -> Bench {
    let mut bench = Bench::new();
    let parties = &mut bench.founding.parties;
    let mut third = party(parties.iter(), "beheer-een").clone();
    third.id = THIRD.parse().unwrap();
    third.oins[0].oin = "00000099000000008300".parse().unwrap();
    parties.push(third);
    bench
}

fn party<'p>(mut parties: impl Iterator<Item = &'p Party>, id: &str) -> &'p Party {
    parties.find(|party| party.id.as_str() == id).unwrap()
}

fn registered(sequencer: &Sequencer, id: &str) -> Party {
    party(sequencer.registry().parties(), id).clone()
}

fn administrator(id: &str, certificate: u8, call: Call) -> Request {
    Request {
        certificate: [certificate; 32],
        ..request(id, Role::Administrator, call)
    }
}

async fn proposed(sequencer: &Sequencer, changed: Party) -> ProposalId {
    let change = Box::new(Change::PutParty(changed));
    let call = administrator("beheer-een", 1, Call::ProposeChange(change));
    match sequencer.submit(call).await.unwrap().outcome {
        Outcome::Proposed(id) => id,
        other => panic!("{other:?}"),
    }
}

/// What comes of calls that wait behind the entry that changes a party.
async fn behind(
    sequencer: &Sequencer,
    changed: Party,
    calls: Vec<Request>,
) -> Vec<Result<Answer, CallError>> {
    let id = proposed(sequencer, changed).await;
    let mut all = vec![administrator("beheer-twee", 2, Call::ApproveChange(id))];
    all.extend(calls);
    let mut answers = sequencer.submit_all(all).await;
    answers.remove(0).unwrap();
    answers
}

/// It is what the edge says to the same call a moment later.
fn is_told(answer: Result<Answer, CallError>, refusal: &Refusal) {
    let (told, edge) = (Status::from(answer.unwrap_err()), Status::from(refusal));
    assert_eq!(told.code(), edge.code(), "{told}");
    assert_eq!(told.message(), edge.message());
    assert_eq!(told.details(), edge.details());
}

fn person() -> SubjectRef {
    SubjectRef::Bsn("999999990".parse().unwrap())
}

fn withdrawal() -> Call {
    Call::WithdrawConsent {
        subject: person(),
        conditions: [].into(),
        recipient: None,
    }
}

#[tokio::test]
async fn a_call_behind_the_entry_that_takes_its_role_away_is_refused_as_the_next_one_is() {
    let bench = bench();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let case = case_with_housing(sequencer, bench.clock.now()).await;
    let other = proposed(sequencer, registered(sequencer, "pi-noord")).await;
    let erase = Call::ProposeErasure {
        subject: person(),
        ground: Ground::Unlawful,
    };
    let stop_other = Call::Stop(
        Box::new(Change::SuspendParty("wonen-zuid".parse().unwrap())),
        schakel_core::certificate::StopReason::Suspicion,
    );
    let lost: [(&str, Role, Vec<Call>); 3] = [
        (
            THIRD,
            Role::Administrator,
            vec![Call::ApproveChange(other), Call::RotateKek, stop_other],
        ),
        ("fg-gemeente-oost", Role::PrivacyOfficer, vec![erase]),
        (
            "gemeente-oost",
            Role::Municipality,
            vec![plan_ask(case.clone()), withdrawal()],
        ),
    ];
    let kek = fs::read(&bench.paths.kek).unwrap();
    for (id, role, calls) in lost {
        let mut changed = registered(sequencer, id);
        (changed.roles, changed.officer_for) = (vec![Role::Auditor], None);
        let calls = calls.into_iter().map(|call| Request {
            certificate: [3; 32],
            ..request(id, role, call)
        });
        let calls: Vec<_> = calls.collect();
        let methods: Vec<_> = calls.iter().map(|call| call.method).collect();
        let answers = behind(sequencer, changed, calls).await;
        for (answer, method) in answers.into_iter().zip(methods) {
            if access::named(method).unwrap().never_refused {
                assert!(matches!(answer.unwrap().outcome, Outcome::Done), "{method}");
            } else {
                is_told(answer, &Refusal::MethodNotForRole { method });
            }
        }
    }
    assert_eq!(fs::read(&bench.paths.kek).unwrap(), kek);
    stop(started).await;
}

#[tokio::test]
async fn a_question_goes_by_the_roles_that_are_left_and_says_so_in_its_entry() {
    let bench = bench();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let case = case_with_housing(sequencer, bench.clock.now()).await;
    let mut changed = registered(sequencer, "gemeente-oost");
    changed.roles = vec![Role::Municipality, Role::Uwv];
    behind(sequencer, changed.clone(), Vec::new()).await;
    let ask = || Request {
        peer: Peer {
            roles: vec![Role::Municipality, Role::Uwv],
            ..request("gemeente-oost", Role::Municipality, Call::RotateKek).peer
        },
        ..request("gemeente-oost", Role::Municipality, plan_ask(case.clone()))
    };
    // One role is taken, and another given that counts from the next call on.
    changed.roles = vec![Role::Municipality, Role::Probation];
    let told = behind(sequencer, changed.clone(), vec![ask()])
        .await
        .remove(0);
    let told = told.unwrap();
    assert!(matches!(told.outcome, Outcome::Disclosed { .. }));
    let entry = sequencer
        .trail()
        .entry(told.receipt.index)
        .unwrap()
        .unwrap();
    let call = entry.details.unwrap().call.unwrap();
    assert_eq!(call.roles, Some(vec![Role::Municipality]));
    changed.roles = vec![Role::Uwv];
    let told = behind(sequencer, changed, vec![ask()]).await.remove(0);
    assert!(
        matches!(told, Err(CallError::PurposeNotForRole(_))),
        "{told:?}"
    );
    stop(started).await;
}

#[tokio::test]
async fn a_call_behind_the_entry_that_ends_its_delegation_is_refused_as_the_next_one_is() {
    let bench = bench();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let case = case_with_housing(sequencer, bench.clock.now()).await;
    let mut changed = registered(sequencer, "gemeente-oost");
    let delegate = "gemeente-west".parse().unwrap();
    let period = Period {
        from: bench.clock.now(),
        until: None,
    };
    changed.delegates = vec![Delegation { delegate, period }];
    behind(sequencer, changed.clone(), Vec::new()).await;
    let served = |call| {
        let mut served = request("gemeente-oost", Role::Municipality, call);
        served.peer.transport = "gemeente-west".parse().unwrap();
        served
    };
    let told = sequencer.submit(served(plan_ask(case.clone()))).await;
    assert!(matches!(told.unwrap().outcome, Outcome::Disclosed { .. }));
    changed.delegates.clear();
    let size = sequencer.trail().size();
    let asked = vec![served(plan_ask(case.clone()))];
    let told = behind(sequencer, changed, asked).await.remove(0);
    is_told(told, &Refusal::PartyUnknown(UnknownParty::NoDelegation));
    let disclosed = |index| {
        let details = sequencer.trail().entry(index).unwrap().unwrap().details;
        details.is_some_and(|details| matches!(details.event, Event::Disclosed(_)))
    };
    let last = EntryIndex(sequencer.trail().size());
    assert!(!(size..last.0).any(disclosed));
    stop(started).await;
}
