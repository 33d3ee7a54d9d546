//! What a withdrawal, a correction and a restriction come to, and who is sent word of a report.

use std::collections::BTreeSet;

use schakel_core::{
    code::{Condition, Status},
    consent::{ConsentKind, ConsentState, ConsentTerms, MOST_NARROWINGS, Narrowing},
    correction,
    dossier::{Dossier, Served},
    id::{ConsentId, EntryIndex},
    notice::{NOTICE_DEADLINE_DAYS, Notice, NoticeKind},
    person::SubjectRef,
    restriction,
    withdrawal::{self, Scope, Withdrawal},
};

use super::scene::{
    Altered, CARE, Counting, EAST, HOUSING, PI, PROBATION, UWV, WEST, at, consent, decided,
    dossier, keep, now, party, registry, report, terms,
};

/// A consent for housing and debt, to the association and UWV; both were served both.
fn served_dossier() -> Dossier {
    let mut dossier = dossier();
    let mut agreed = terms(ConsentKind::ProcessingBasis);
    agreed.conditions = [Condition::Housing, Condition::Debt].into();
    agreed.recipients = [party(HOUSING), party(UWV)].into();
    keep(&mut dossier, consent(1, agreed, &[ConsentState::Given]));
    for who in [HOUSING, UWV] {
        for condition in [Condition::Housing, Condition::Debt] {
            serve(&mut dossier, who, condition, &[1]);
        }
    }
    dossier
}

fn serve(dossier: &mut Dossier, who: &str, condition: Condition, consents: &[u8]) {
    let served = Served {
        recipient: party(who),
        condition,
        reference: SubjectRef::ClientRef(format!("{who}-1").parse().unwrap()),
        consents: consents.iter().map(|number| id(*number)).collect(),
        providers: [party(PI)].into(),
    };
    dossier.served.insert((party(who), condition), served);
}

fn id(number: u8) -> ConsentId {
    ConsentId::from_bytes([number; 16])
}

fn withdraw(dossier: &Dossier, conditions: &[Condition], recipient: Option<&str>) -> Withdrawal {
    let conditions: BTreeSet<Condition> = conditions.iter().copied().collect();
    let recipient = recipient.map(party);
    let scope = Scope {
        conditions: &conditions,
        recipient: recipient.as_ref(),
        leaves: None,
    };
    withdrawal::plan(dossier, &scope, &party(CARE), now(), &mut Counting(0))
}

fn told(notices: &[Notice]) -> Vec<(&str, Vec<Condition>)> {
    let told = notices.iter().map(|notice| {
        (
            notice.recipient.as_str(),
            notice.conditions.iter().copied().collect(),
        )
    });
    told.collect()
}

/// The dossier after the withdrawal, as the log would have it.
fn after(
    dossier: &Dossier,
    plan: &Withdrawal,
    conditions: &[Condition],
    to: Option<&str>,
) -> Dossier {
    let mut dossier = dossier.clone();
    for id in &plan.narrowed {
        dossier
            .consents
            .get_mut(id)
            .unwrap()
            .narrowed
            .push(Narrowing {
                state: ConsentState::Withdrawn,
                conditions: conditions.iter().copied().collect(),
                recipient: to.map(party),
                at: now(),
                by: party(CARE),
                entry: EntryIndex(200),
            });
    }
    for id in &plan.consents {
        let consent = dossier.consents.get_mut(id).unwrap();
        let mut step = consent.history[0].clone();
        (step.state, step.at) = (ConsentState::Withdrawn, now());
        consent.history.push(step);
    }
    dossier
}

#[test]
fn everything_withdrawn_ends_the_consent_and_tells_everyone_served() {
    let plan = withdraw(&served_dossier(), &[], None);
    assert_eq!((plan.consents, plan.narrowed), (vec![id(1)], Vec::new()));
    let both = vec![Condition::Housing, Condition::Debt];
    assert_eq!(told(&plan.notices), [(UWV, both.clone()), (HOUSING, both)]);
    for notice in &plan.notices {
        assert_eq!(notice.kind, NoticeKind::Withdrawal);
        assert_eq!(notice.issued_by, party(CARE));
        assert_eq!(notice.deadline, now().plus_days(NOTICE_DEADLINE_DAYS));
        let own = format!("{}-1", notice.recipient);
        assert_eq!(
            notice.reference,
            SubjectRef::ClientRef(own.parse().unwrap())
        );
    }
    assert_ne!(plan.notices[0].id, plan.notices[1].id);
}

#[test]
fn a_part_withdrawn_leaves_the_rest_standing() {
    let dossier = served_dossier();
    let plan = withdraw(&dossier, &[Condition::Housing], None);
    assert_eq!(
        (&plan.consents, &plan.narrowed),
        (&Vec::new(), &vec![id(1)])
    );
    let housing = vec![Condition::Housing];
    assert_eq!(
        told(&plan.notices),
        [(UWV, housing.clone()), (HOUSING, housing)]
    );

    let dossier = after(&dossier, &plan, &[Condition::Housing], None);
    let plan = withdraw(&dossier, &[], Some(UWV));
    assert_eq!(plan.narrowed, [id(1)]);
    assert_eq!(
        told(&plan.notices),
        [(UWV, vec![Condition::Debt])],
        "the rest, once"
    );

    let dossier = after(&dossier, &plan, &[], Some(UWV));
    let plan = withdraw(&dossier, &[Condition::Debt], Some(HOUSING));
    assert_eq!(plan.consents, [id(1)], "nothing is left, so the whole ends");
    assert_eq!(told(&plan.notices), [(HOUSING, vec![Condition::Debt])]);

    let dossier = after(&dossier, &plan, &[], None);
    assert_eq!(withdraw(&dossier, &[], None), Withdrawal::default());
}

#[test]
fn a_withdrawal_is_never_refused_however_often_the_consent_was_narrowed() {
    let mut dossier = served_dossier();
    let whole = dossier.consents.get_mut(&id(1)).unwrap();
    let part = Narrowing {
        state: ConsentState::Withdrawn,
        conditions: [].into(),
        recipient: Some(party(WEST)),
        at: at("2026-04-01T00:00:00Z"),
        by: party(EAST),
        entry: EntryIndex(20),
    };
    whole.narrowed = vec![part; MOST_NARROWINGS];
    let plan = withdraw(&dossier, &[Condition::Housing], Some(UWV));
    assert_eq!((plan.consents, plan.narrowed), (vec![id(1)], Vec::new()));
    assert_eq!(
        plan.notices.len(),
        2,
        "everyone served under what ends is told"
    );
}

#[test]
fn only_what_has_not_ended_is_withdrawn() {
    use ConsentState::{Deferred, Given, Refused, Renewed, Requested, Revoked, Withdrawn};
    let states: [(&[ConsentState], bool); 7] = [
        (&[Given], true),
        (&[Given, Renewed], true),
        (&[Requested], true),
        (&[Deferred], true),
        (&[Refused], false),
        (&[Given, Withdrawn], false),
        (&[Given, Revoked], false),
    ];
    for (states, live) in states {
        let mut dossier = dossier();
        keep(
            &mut dossier,
            consent(1, terms(ConsentKind::SecrecyWaiver), states),
        );
        let ended = withdraw(&dossier, &[], None).consents;
        assert_eq!(!ended.is_empty(), live, "{states:?}");
    }
    let altered: [Altered<ConsentTerms>; 2] = [
        ("over", |terms| terms.valid_until = now()),
        ("to begin", |terms| {
            terms.valid_from = at("2026-08-01T00:00:00Z");
        }),
    ];
    for (name, alter) in altered {
        let mut agreed = terms(ConsentKind::ProcessingBasis);
        alter(&mut agreed);
        let mut dossier = dossier();
        keep(&mut dossier, consent(1, agreed, &[Given]));
        let ended = withdraw(&dossier, &[], None).consents;
        assert_eq!(!ended.is_empty(), name == "to begin");
    }
}

#[test]
fn nothing_is_granted_on_a_consent_after_its_withdrawal() {
    for (conditions, recipient, other) in [
        (&[][..], None, false),
        (&[Condition::Housing][..], None, true),
        (&[][..], Some(HOUSING), true),
    ] {
        let mut dossier = dossier();
        keep(
            &mut dossier,
            consent(
                1,
                terms(ConsentKind::ProcessingBasis),
                &[ConsentState::Given],
            ),
        );
        report(&mut dossier, PI, Condition::Housing, Status::ActionNeeded);
        report(&mut dossier, PI, Condition::Income, Status::ActionNeeded);
        let plan = withdraw(&dossier, conditions, recipient);
        let dossier = after(&dossier, &plan, conditions, recipient);
        let registry = registry();
        let granted =
            |who, code, condition| decided(who, code, condition, &dossier, &registry).is_ok();
        assert!(!granted(HOUSING, "P-ARRANGE-HOUSING", Condition::Housing));
        assert_eq!(granted(UWV, "P-ARRANGE-INCOME", Condition::Income), other);
        assert!(
            granted(EAST, "P-PLAN", Condition::Housing),
            "the law does not depend on it"
        );
    }
}

#[test]
fn a_correction_tells_those_served_by_its_reporter_of_its_condition() {
    let dossier = served_dossier();
    let correct = |reporter: &str, condition| {
        correction::notices(
            &dossier,
            condition,
            &party(reporter),
            now(),
            &mut Counting(0),
        )
    };
    let notices = correct(PI, Condition::Debt);
    let debt = vec![Condition::Debt];
    assert_eq!(told(&notices), [(UWV, debt.clone()), (HOUSING, debt)]);
    assert!(
        notices
            .iter()
            .all(|notice| notice.kind == NoticeKind::Correction)
    );
    assert_eq!(correct(EAST, Condition::Debt), [], "it served nobody");
    assert_eq!(correct(PI, Condition::Income), []);
}

#[test]
fn a_restriction_tells_those_served_what_it_covers() {
    let dossier = served_dossier();
    let restrict = |controller: Option<&str>, conditions: &[Condition]| {
        let controller = controller.map(party);
        let conditions = conditions.iter().copied().collect();
        let by = party(PROBATION);
        let random = &mut Counting(0);
        restriction::notices(
            &dossier,
            (controller.as_ref(), &conditions),
            (&by, false),
            now(),
            random,
        )
    };
    let both = vec![Condition::Housing, Condition::Debt];
    let everyone = [(UWV, both.clone()), (HOUSING, both.clone())];
    assert_eq!(told(&restrict(None, &[])), everyone);
    assert_eq!(told(&restrict(Some(PI), &[])), everyone, "as the provider");
    assert_eq!(
        told(&restrict(Some(UWV), &[])),
        [(UWV, both)],
        "as the recipient"
    );
    let debt = vec![Condition::Debt];
    assert_eq!(
        told(&restrict(None, &[Condition::Debt])),
        [(UWV, debt.clone()), (HOUSING, debt)]
    );
    assert_eq!(restrict(Some(EAST), &[]), []);
    let notices = restrict(None, &[]);
    assert!(
        notices
            .iter()
            .all(|notice| notice.kind == NoticeKind::Restriction)
    );
}
