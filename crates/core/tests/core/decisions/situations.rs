//! The situations in which the decisions are made.

use schakel_core::{
    case::Assignment,
    code::{Condition, Granularity, Role, Status},
    consent::{Consent, ConsentKind, ConsentState, ConsentTerms, Narrowing},
    dossier::Dossier,
    id::{CaseId, EntryIndex, RestrictionId},
    party::Party,
    registry::{Change, Registry},
    restriction::{Restriction, RestrictionKind},
    time::Period,
};

use crate::core::scene::{
    Altered, CARE, CASE, EAST, HOUSING, PARTIES, PI, PROBATION, UWV, WEST, at, consent, dossier,
    keep, now, party, purpose, registry, report, terms, with_purpose,
};

/// A situation by its name.
type Situation = (&'static str, Vec<Consent>);

pub(super) fn consent_situations() -> Vec<Situation> {
    let mut situations = vec![("none", Vec::new())];
    situations.extend(by_state());
    situations.extend(by_terms());
    situations.extend(by_kind());
    situations.extend(in_part());
    situations
}

fn by_state() -> impl IntoIterator<Item = Situation> {
    use ConsentState::{
        Deferred, Given, Invalidated, Refused, Renewed, Requested, Revoked, Withdrawn,
    };
    let states: [(&str, &[ConsentState]); 9] = [
        ("asked for", &[Requested]),
        ("deferred", &[Deferred]),
        ("refused", &[Refused]),
        ("given", &[Given]),
        ("given and renewed", &[Given, Renewed]),
        ("given and withdrawn", &[Given, Withdrawn]),
        ("given and revoked", &[Given, Revoked]),
        ("given and found invalid", &[Given, Invalidated]),
        ("renewed alone", &[Renewed]),
    ];
    let terms = || terms(ConsentKind::ProcessingBasis);
    states.map(|(name, states)| (name, vec![consent(1, terms(), states)]))
}

fn by_terms() -> impl IntoIterator<Item = Situation> {
    let altered: [Altered<ConsentTerms>; 10] = [
        ("given, not explicit", |terms| terms.explicit = false),
        ("given, to begin in a month", |terms| {
            terms.valid_from = at("2026-07-01T00:00:00Z");
        }),
        ("given, ended a month ago", |terms| {
            terms.valid_until = at("2026-05-01T00:00:00Z");
        }),
        ("given, for another condition", |terms| {
            terms.conditions = [Condition::Income].into();
        }),
        ("given, for another purpose", |terms| {
            terms.purposes = [purpose("P-FOLLOWUP")].into();
        }),
        ("given, from the municipality alone", |terms| {
            terms.providers = [party(EAST)].into();
        }),
        ("given, to another recipient", |terms| {
            terms.recipients = [party(UWV)].into();
        }),
        ("given, within another case", |terms| {
            terms.case = Some(CaseId::from_bytes([2; 16]));
        }),
        ("given, within this case", |terms| terms.case = Some(CASE)),
        ("given, for a signal", |terms| {
            terms.granularity = Granularity::Signal;
        }),
    ];
    altered.map(|(name, alter)| {
        let mut terms = terms(ConsentKind::ProcessingBasis);
        alter(&mut terms);
        (name, vec![consent(1, terms, &[ConsentState::Given])])
    })
}

fn by_kind() -> [Situation; 3] {
    let (basis, waiver) = (
        given(ConsentKind::ProcessingBasis),
        given(ConsentKind::SecrecyWaiver),
    );
    [
        (
            "given, with a waiver of secrecy",
            vec![basis, waiver.clone()],
        ),
        ("a waiver of secrecy alone", vec![waiver]),
        (
            "an agreement to the help alone",
            vec![given(ConsentKind::ServiceAgreement)],
        ),
    ]
}

fn in_part() -> [Situation; 3] {
    let part = |recipient: Option<&str>, conditions: &[Condition]| {
        let mut whole = given(ConsentKind::ProcessingBasis);
        whole.narrowed.push(Narrowing {
            state: ConsentState::Withdrawn,
            conditions: conditions.iter().copied().collect(),
            recipient: recipient.map(party),
            at: at("2026-05-20T00:00:00Z"),
            by: party(CARE),
            entry: EntryIndex(60),
        });
        vec![whole]
    };
    let both = [Condition::Housing, Condition::Care];
    [
        ("given, withdrawn for UWV", part(Some(UWV), &[])),
        (
            "given, withdrawn for income",
            part(None, &[Condition::Income]),
        ),
        ("given, withdrawn for housing and care", part(None, &both)),
    ]
}

pub(super) fn dossier_circumstances() -> Vec<Altered<Dossier>> {
    let mut circumstances = circumstances_of_the_case();
    circumstances.extend(circumstances_of_the_data());
    circumstances
}

fn circumstances_of_the_case() -> Vec<Altered<Dossier>> {
    vec![
        ("as described", |_| {}),
        ("the case is closed", |dossier| {
            case(dossier).closed_at = Some(at("2026-05-01T00:00:00Z"));
        }),
        ("nobody is the municipality of return", |dossier| {
            case(dossier).returns.clear();
        }),
        (
            "the municipality of return became gemeente-west",
            |dossier| {
                let moved = at("2026-05-01T00:00:00Z");
                let case = case(dossier);
                case.returns[0].period.until = Some(moved);
                let period = Period::new(moved, None).unwrap();
                case.returns.push(Assignment {
                    party: party(WEST),
                    period,
                });
            },
        ),
        ("the partners lost their places", |dossier| {
            case(dossier).members.clear();
        }),
        (
            "the partners lost their places, the association is introduced for housing",
            |dossier| {
                case(dossier).members.clear();
                case(dossier)
                    .introduced
                    .insert((party(HOUSING), Condition::Housing));
            },
        ),
        (
            "the partners lost their places, the association is introduced for income",
            |dossier| {
                case(dossier).members.clear();
                case(dossier)
                    .introduced
                    .insert((party(HOUSING), Condition::Income));
            },
        ),
    ]
}

fn circumstances_of_the_data() -> Vec<Altered<Dossier>> {
    vec![
        ("nobody reported", |dossier| dossier.statuses.clear()),
        ("restricted for everyone", |dossier| {
            restrict(dossier, None, &[]);
        }),
        ("restricted for the PI", |dossier| {
            restrict(dossier, Some(PI), &[]);
        }),
        ("restricted for gemeente-oost", |dossier| {
            restrict(dossier, Some(EAST), &[]);
        }),
        ("restricted for income", |dossier| {
            restrict(dossier, None, &[Condition::Income]);
        }),
        ("restricted until a month ago", |dossier| {
            restrict(dossier, None, &[]);
            for found in dossier.restrictions.values_mut() {
                found.lifted_at = Some(at("2026-05-01T00:00:00Z"));
            }
        }),
        ("the report stems from a housing association", |dossier| {
            for record in dossier.statuses.values_mut() {
                record.report.origin = Role::HousingAssociation;
            }
        }),
    ]
}

pub(super) fn registry_circumstances(code: &str) -> Vec<(&'static str, Registry)> {
    let suspended = |id: &str| {
        let mut registry = registry();
        let change = Change::SuspendParty(party(id));
        registry.make(&change, EntryIndex(1), at("2026-05-01T00:00:00Z"));
        registry
    };
    let withdrawn = {
        let mut registry = registry();
        let change = Change::WithdrawPurpose(purpose(code), 1);
        registry.make(&change, EntryIndex(1), at("2026-05-01T00:00:00Z"));
        registry
    };
    let both = {
        let mut registry = registry();
        let mut found: Party = registry.party(&party(PI)).unwrap().clone();
        found.roles.push(Role::CareProvider);
        registry.make(&Change::PutParty(found), EntryIndex(1), now());
        registry
    };
    vec![
        ("the PI is suspended", suspended(PI)),
        ("gemeente-oost is suspended", suspended(EAST)),
        ("the association is suspended", suspended(HOUSING)),
        ("the PI is a care provider too", both),
        ("the purpose is withdrawn", withdrawn),
        (
            "the purpose is not yet in force",
            with_purpose(code, |version| {
                version.validity.from = at("2026-07-01T00:00:00Z");
            }),
        ),
        (
            "the purpose is no longer in force",
            with_purpose(code, |version| version.validity.until = Some(now())),
        ),
        (
            "the purpose names no ground for data that reveal detention",
            with_purpose(code, |version| {
                for route in &mut version.routes {
                    route.criminal_data_ground = None;
                }
            }),
        ),
        (
            "the purpose allows a signal at most",
            with_purpose(code, |version| version.granularity = Granularity::Signal),
        ),
        (
            "the purpose has no routes",
            with_purpose(code, |version| version.routes.clear()),
        ),
    ]
}

pub(super) fn reported(condition: Condition, consents: &[Consent]) -> Dossier {
    let mut dossier = dossier();
    for (who, _) in PARTIES {
        if who != WEST {
            report(&mut dossier, who, condition, Status::ActionNeeded);
        }
    }
    for consent in consents {
        keep(&mut dossier, consent.clone());
    }
    dossier
}

pub(super) fn given(kind: ConsentKind) -> Consent {
    let number = match kind {
        ConsentKind::ProcessingBasis => 1,
        ConsentKind::SecrecyWaiver => 2,
        ConsentKind::ServiceAgreement => 3,
    };
    consent(number, terms(kind), &[ConsentState::Given])
}

pub(super) fn plain() -> Consent {
    let mut consent = given(ConsentKind::ProcessingBasis);
    consent.terms.explicit = false;
    consent
}

fn case(dossier: &mut Dossier) -> &mut schakel_core::case::Case {
    dossier.cases.get_mut(&CASE).unwrap()
}

fn restrict(dossier: &mut Dossier, controller: Option<&str>, conditions: &[Condition]) {
    let id = RestrictionId::from_bytes([1; 16]);
    let restriction = Restriction {
        id,
        kind: RestrictionKind::Restriction,
        controller: controller.map(party),
        conditions: conditions.iter().copied().collect(),
        recorded_by: party(PROBATION),
        between_others: false,
        from: at("2026-04-01T00:00:00Z"),
        lifted_at: None,
        lifted_for: [].into(),
        entry: EntryIndex(50),
    };
    dossier.restrictions.insert(id, restriction);
}
