use proptest::prelude::*;
use schakel_audit::leaf::EntryType;
use schakel_core::{
    consent::ConsentState,
    event::ConsentEnded,
    id::{ConsentId, EntryIndex, NoticeId, RestrictionId, SubjectId},
    notice::NoticeKind,
    person::SubjectRef,
    restriction::RestrictionKind,
    time::Timestamp,
};

use super::*;
use crate::{
    call::Outcome,
    sequencer::plan::{Retention, Subject},
};

fn numbered(n: usize) -> [u8; 16] {
    u128::try_from(n).unwrap().to_be_bytes()
}

fn notice(n: usize) -> Notice {
    Notice {
        id: NoticeId::from_bytes(numbered(n)),
        kind: NoticeKind::Withdrawal,
        recipient: format!("party-{n}").parse().unwrap(),
        reference: SubjectRef::Bsn("999999990".parse().unwrap()),
        conditions: BTreeSet::new(),
        issued_by: "fg-oost".parse().unwrap(),
        issued_at: Timestamp::EPOCH,
        deadline: Timestamp::EPOCH,
        delivered_at: None,
        acknowledged_at: None,
        entry: EntryIndex(0),
        issued_with: None,
    }
}

fn consents(count: usize, from: usize) -> Vec<ConsentId> {
    let ids = from..from + count;
    ids.map(|n| ConsentId::from_bytes(numbered(n))).collect()
}

fn withdrawal(whole: usize, narrowed: usize, notices: usize) -> Plan {
    let ended = ConsentEnded {
        state: ConsentState::Withdrawn,
        subject: SubjectRef::Bsn("999999990".parse().unwrap()),
        conditions: BTreeSet::new(),
        recipient: None,
        consents: consents(whole, 0),
        narrowed: consents(narrowed, whole),
        notices: (0..notices).map(notice).collect(),
    };
    let event = Event::ConsentEnded(ended);
    Plan {
        kind: EntryType::Consent,
        subject: Subject::Known(SubjectId::from_bytes([1; 16])),
        retention: Retention::Consent,
        controllers: recipients(&event),
        purpose: None,
        event,
        told: Told::Plain(Outcome::Done),
    }
}

fn ended(part: &Part) -> &ConsentEnded {
    match &part.plan.event {
        Event::ConsentEnded(ended) => ended,
        other => panic!("{other:?}"),
    }
}

fn held(part: &Part) -> usize {
    let ended = ended(part);
    ended.consents.len() + ended.narrowed.len() + ended.notices.len()
}

/// Cuts until every part holds at most so much.
fn cut_down(part: Part, most: usize, into: &mut Vec<Part>) {
    if held(&part) <= most {
        into.push(part);
        return;
    }
    for half in part.cut(BTreeSet::new()).unwrap() {
        cut_down(half, most, into);
    }
}

proptest! {
    /// The parts say in order what the whole said, each tells only those it names, and the last answers.
    #[test]
    fn parts_say_together_what_the_whole_said(
        whole in 0_usize..300, narrowed in 0_usize..300, notices in 0_usize..300, most in 1_usize..50,
    ) {
        let before = Part::whole(withdrawal(whole, narrowed, notices));
        let all = ended(&before).clone();
        let mut parts = Vec::new();
        cut_down(before, most, &mut parts);
        let joined = |list: &dyn Fn(&ConsentEnded) -> Vec<ConsentId>| -> Vec<ConsentId> {
            parts.iter().flat_map(|part| list(ended(part))).collect()
        };
        prop_assert_eq!(joined(&|part| part.consents.clone()), all.consents);
        prop_assert_eq!(joined(&|part| part.narrowed.clone()), all.narrowed);
        let told: Vec<_> = parts.iter().flat_map(|part| ended(part).notices.clone()).collect();
        prop_assert_eq!(told, all.notices);
        for part in &parts {
            prop_assert_eq!(&part.plan.controllers, &recipients(&part.plan.event));
        }
        let answers = |part: &Part| matches!(part.plan.told, Told::Plain(_));
        prop_assert_eq!(parts.iter().filter(|part| answers(part)).count(), 1);
        prop_assert!(parts.last().is_some_and(answers));
    }
}

/// So many parties, told apart by what they are.
fn parties(what: &str, count: usize) -> BTreeSet<PartyId> {
    let ids = (0..count).map(|n| format!("{what}-{n}"));
    ids.map(|id| id.parse().unwrap()).collect()
}

/// An objection with so many notices, or the lifting of one, that concerns these besides.
fn objection(lifted: bool, notices: usize, others: BTreeSet<PartyId>) -> Plan {
    let restriction = RestrictionId::from_bytes([3; 16]);
    let event = if lifted {
        Event::RestrictionLifted {
            restriction,
            controller: others.first().cloned(),
        }
    } else {
        Event::Restricted {
            restriction,
            kind: RestrictionKind::Objection,
            controller: None,
            conditions: BTreeSet::new(),
            between_others: false,
            notices: (0..notices).map(notice).collect(),
        }
    };
    let controllers = recipients(&event).into_iter().chain(others).collect();
    Plan {
        kind: EntryType::Restriction,
        controllers,
        event,
        ..withdrawal(0, 0, 0)
    }
}

/// Cuts until every part is sealed for at most so many.
fn cut_for(part: Part, most: usize, into: &mut Vec<Part>) {
    let keepers = part.keepers(None);
    if part.plan.controllers.len() + keepers.len() <= most {
        into.push(part);
        return;
    }
    for half in part.cut(keepers).unwrap() {
        cut_for(half, most, into);
    }
}

proptest! {
    /// Whomever an objection or its lifting concerned, one of its parts concerns, and none concerns anybody else;
    /// whoever has a notice in a part is concerned by that part.
    #[test]
    fn the_parts_of_an_objection_concern_whom_the_whole_concerned(
        lifted: bool, notices in 0_usize..400, others in 0_usize..400, keepers in 0_usize..400, most in 1_usize..255,
    ) {
        let plan = objection(lifted, notices, parties("member", others));
        let (concerned, keepers) = (plan.controllers.clone(), parties("keeper", keepers));
        let whole = Part { plan, keepers: Some(keepers.clone()) };
        let mut parts = Vec::new();
        cut_for(whole, most, &mut parts);
        let all = parts.iter().flat_map(|part| part.plan.controllers.clone());
        prop_assert_eq!(all.collect::<BTreeSet<_>>(), concerned);
        let kept = parts.iter().flat_map(|part| part.keepers(None));
        prop_assert_eq!(kept.collect::<BTreeSet<_>>(), keepers);
        for part in &parts {
            prop_assert!(recipients(&part.plan.event).is_subset(&part.plan.controllers));
        }
    }
}

#[test]
fn what_is_one_cannot_be_cut() {
    assert!(
        Part::whole(withdrawal(1, 0, 0))
            .cut(BTreeSet::new())
            .is_none()
    );
    assert!(
        Part::whole(withdrawal(0, 0, 0))
            .cut(BTreeSet::new())
            .is_none()
    );
}
