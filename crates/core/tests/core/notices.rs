//! Who sees how a notice stands, and which notices were issued in one go.

use std::collections::BTreeSet;

use schakel_core::{
    code::Condition,
    consent::{ConsentKind, ConsentState},
    correction,
    dossier::{Dossier, Served},
    id::{ConsentId, EntryIndex, PartyId},
    notice::Notice,
    person::SubjectRef,
    restriction,
};

use super::{
    dossier::{introduce, remove},
    kept::Kept,
    scene::{
        CARE, CASE, Counting, EAST, HOUSING, PI, UWV, consent, dossier, keep, now, party, terms,
    },
};

fn named() -> SubjectRef {
    SubjectRef::Skn("123".parse().unwrap())
}

/// The notices of an objection to everything, recorded by one party.
fn objected(dossier: &Dossier, by: &str) -> Vec<Notice> {
    let conditions = BTreeSet::new();
    restriction::notices(
        dossier,
        (None, &conditions),
        (&party(by), false),
        now(),
        &mut Counting(0),
    )
}

fn serve(dossier: &mut Dossier, who: &str, condition: Condition, consents: &[u8]) {
    let id = |number: &u8| ConsentId::from_bytes([*number; 16]);
    let served = Served {
        recipient: party(who),
        condition,
        reference: named(),
        consents: consents.iter().map(id).collect(),
        providers: [party(PI)].into(),
    };
    dossier.served.insert((party(who), condition), served);
}

fn both(one: &str, other: &str) -> BTreeSet<PartyId> {
    [party(one), party(other)].into()
}

/// An officer that issued a notice and stands in a consent itself sees what its controller, which has a place in the
/// case, sees, and no less.
#[test]
fn a_notice_is_seen_as_far_as_caller_and_controller_see_it_together() {
    let mut dossier = dossier();
    let mut agreed = terms(ConsentKind::ProcessingBasis);
    agreed.conditions = [Condition::Housing].into();
    agreed.collected_by = party("a-officer");
    keep(&mut dossier, consent(1, agreed, &[ConsentState::Given]));
    serve(&mut dossier, HOUSING, Condition::Housing, &[1]);
    serve(&mut dossier, HOUSING, Condition::Debt, &[]);
    let mut notice = objected(&dossier, "a-officer").pop().unwrap();
    notice.entry = EntryIndex(90);
    for officer in ["a-officer", "z-officer"] {
        let seen = notice.seen_by(&both(officer, EAST), true, &dossier);
        assert_eq!(seen.as_ref(), Some(&notice), "{officer}");
    }
    let alone = notice.seen_by(&both("a-officer", "nobody"), true, &dossier);
    assert_eq!(alone.unwrap().conditions, [Condition::Housing].into());
    assert!(
        notice
            .seen_by(&both("z-officer", "nobody"), true, &dossier)
            .is_none()
    );
}

/// Who has a place in a case sees how a notice to a partner stands that was in it, and is no longer.
#[test]
fn a_notice_to_a_partner_that_was_removed_is_seen_by_who_has_a_place() {
    let mut kept = Kept::with_case();
    introduce(&mut kept, HOUSING);
    remove(&mut kept, HOUSING);
    let mut dossier = kept.dossier;
    serve(&mut dossier, HOUSING, Condition::Housing, &[]);
    serve(&mut dossier, UWV, Condition::Income, &[]);
    let mut notices = objected(&dossier, CARE);
    for notice in &mut notices {
        notice.issued_at = dossier.cases[&CASE].opened_at.plus_days(1);
    }
    let seen = |notice: &&Notice| {
        notice
            .seen_by(&[party(EAST)].into(), false, &dossier)
            .is_some()
    };
    let seen: Vec<_> = notices.iter().filter(seen).collect();
    let seen: Vec<_> = seen
        .iter()
        .map(|notice| notice.recipient.as_str())
        .collect();
    assert_eq!(seen, [HOUSING], "UWV never had a place");
}

/// Two acts of one party at one instant, as one batch may hold them, are two; the notices of one are one act.
#[test]
fn notices_of_two_acts_at_one_instant_are_told_apart() {
    let mut dossier = dossier();
    for who in [HOUSING, UWV] {
        serve(&mut dossier, who, Condition::Housing, &[]);
    }
    let mut random = Counting(0);
    let mut issue = || {
        let conditions = BTreeSet::new();
        restriction::notices(
            &dossier,
            (None, &conditions),
            (&party(CARE), false),
            now(),
            &mut random,
        )
    };
    let (one, other) = (issue(), issue());
    for notice in &one {
        assert!(notice.is_issued_with(&one[0]));
        assert!(!notice.is_issued_with(&other[0]), "{notice:?}");
    }
    // What an older broker recorded names no act.
    let old = |notice: &Notice| Notice {
        issued_with: None,
        ..notice.clone()
    };
    assert!(old(&one[0]).is_issued_with(&old(&one[1])));
    let corrected = correction::notices(
        &dossier,
        Condition::Housing,
        &party(PI),
        now(),
        &mut Counting(0),
    );
    assert!(!old(&corrected[0]).is_issued_with(&old(&one[0])));
}
