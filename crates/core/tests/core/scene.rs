//! A small world: nine parties, one person with one case, and the purposes as they ship.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use schakel_core::{
    ask::Ask,
    case::{Assignment, Case},
    catalogue::Catalogue,
    code::{Condition, Granularity, Moment, Regime, Role, Status},
    consent::{
        Attestations, CollectionMethod, Consent, ConsentKind, ConsentState, ConsentTerms, GivenBy,
        NoticeText, StateChange,
    },
    decide::{Denial, Permit, decide},
    dossier::Dossier,
    id::{CaseId, ConsentId, EntryIndex, PartyId, PurposeCode, SubjectId},
    party::{Contact, Party, Peer},
    person::SubjectRef,
    random::Random,
    registry::{Change, Registry},
    status::{Report, StatusRecord},
    time::{Period, Timestamp},
};

pub(crate) const PI: &str = "pi-noord";
pub(crate) const EAST: &str = "gemeente-oost";
pub(crate) const WEST: &str = "gemeente-west";
pub(crate) const PROBATION: &str = "reclassering";
pub(crate) const CARE: &str = "zorg-midden";
pub(crate) const HOUSING: &str = "wonen-zuid";
pub(crate) const UWV: &str = "uwv-landelijk";
pub(crate) const DEBT: &str = "schuldhulp-oost";
pub(crate) const SAFETY: &str = "veiligheidshuis";

pub(crate) const PARTIES: [(&str, Role); 9] = [
    (PI, Role::Pi),
    (EAST, Role::Municipality),
    (WEST, Role::Municipality),
    (PROBATION, Role::Probation),
    (CARE, Role::CareProvider),
    (HOUSING, Role::HousingAssociation),
    (UWV, Role::Uwv),
    (DEBT, Role::DebtCounsellor),
    (SAFETY, Role::SafetyHouse),
];

pub(crate) const CASE: CaseId = CaseId::from_bytes([1; 16]);

/// Something changed in a value, with the name of what was changed.
pub(crate) type Altered<T> = (&'static str, fn(&mut T));

/// Randomness that counts.
pub(crate) struct Counting(pub(crate) u8);

impl Random for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 += 1;
        bytes.fill(self.0);
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The instant at which everything is decided unless a test says otherwise.
pub(crate) fn now() -> Timestamp {
    at("2026-06-01T12:00:00Z")
}

pub(crate) fn party(id: &str) -> PartyId {
    id.parse().unwrap()
}

pub(crate) fn purpose(code: &str) -> PurposeCode {
    code.parse().unwrap()
}

pub(crate) fn catalogue() -> Catalogue {
    static SHIPPED: LazyLock<Catalogue> = LazyLock::new(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/purposes.toml");
        toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    });
    SHIPPED.clone()
}

pub(crate) fn registered(id: &str, roles: Vec<Role>) -> Party {
    Party {
        id: party(id),
        name: format!("Test {id}"),
        roles,
        oins: Vec::new(),
        contact: Contact {
            team: format!("Team {id}"),
            email: format!("team@{id}.example"),
            telephone: String::new(),
        },
        officer_for: None,
        delegates: Vec::new(),
        suspensions: Vec::new(),
        succession: None,
        units: Vec::new(),
    }
}

/// The parties, and the purposes as they ship.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::default();
    let parties = PARTIES.map(|(id, role)| Change::PutParty(registered(id, vec![role])));
    for change in parties.into_iter().chain(catalogue().changes()) {
        registry.make(&change, EntryIndex(0), at("2026-01-01T00:00:00Z"));
    }
    registry
}

/// A case that the PI opened, in which every party but the second municipality has a place.
pub(crate) fn dossier() -> Dossier {
    let opened = at("2026-02-01T09:00:00Z");
    let place = |id: &str| Assignment {
        party: party(id),
        period: Period::new(opened, None).unwrap(),
    };
    let case = Case {
        id: CASE,
        opened_by: party(PI),
        opened_at: opened,
        closed_at: None,
        returns: vec![place(EAST)],
        members: [PROBATION, CARE, HOUSING, UWV, DEBT, SAFETY]
            .map(place)
            .into(),
        introduced: BTreeSet::new(),
        entry: EntryIndex(1),
        besides: Vec::new(),
        in_error: false,
    };
    let mut dossier = Dossier::new(SubjectId::from_bytes([9; 16]));
    dossier.cases.insert(CASE, case);
    dossier
}

/// Puts a report in the dossier, first-hand.
pub(crate) fn report(dossier: &mut Dossier, by: &str, condition: Condition, status: Status) {
    let role = role_of(by);
    let entry = EntryIndex(100 + dossier.statuses.len() as u64);
    let declined = status == Status::HelpDeclined;
    let record = StatusRecord {
        case: CASE,
        condition,
        reporter: party(by),
        report: Report {
            status,
            as_of: "2026-05-01".parse().unwrap(),
            expected: Some("2026-07-01".parse().unwrap()),
            moment: Moment::Interim,
            origin: role,
            offered_by: declined.then(|| party(HOUSING)),
        },
        regime: if role == Role::Pi {
            Regime::Wjsg
        } else {
            Regime::Avg
        },
        reported_at: at("2026-05-01T10:00:00Z"),
        entry,
    };
    dossier
        .statuses
        .insert((CASE, condition, party(by)), record);
}

pub(crate) fn role_of(id: &str) -> Role {
    PARTIES.iter().find(|(known, _)| *known == id).unwrap().1
}

/// Terms that cover everything between everybody for every purpose, explicitly.
pub(crate) fn terms(kind: ConsentKind) -> ConsentTerms {
    let parties: BTreeSet<PartyId> = PARTIES.iter().map(|(id, _)| party(id)).collect();
    ConsentTerms {
        kind,
        explicit: true,
        case: None,
        conditions: Condition::ALL.iter().copied().collect(),
        purposes: catalogue()
            .purposes
            .into_iter()
            .map(|found| found.code)
            .collect(),
        providers: parties.clone(),
        recipients: parties,
        granularity: Granularity::StatusWithDates,
        valid_from: at("2026-03-01T00:00:00Z"),
        valid_until: at("2026-12-01T00:00:00Z"),
        notice: NoticeText {
            version: "3".into(),
            language: "nl".into(),
            sha256: [3; 32],
        },
        collected_by: party(EAST),
        method: CollectionMethod::Written,
        collected_at: at("2026-02-20T00:00:00Z"),
        given_by: GivenBy::Subject,
        interpreter: false,
        attestations: Attestations {
            own_interest: true,
            help_question: true,
            refusal_without_detriment: true,
            alternative_offered: true,
        },
    }
}

/// A consent that came to these states, one a day from the day it was collected.
pub(crate) fn consent(number: u8, terms: ConsentTerms, states: &[ConsentState]) -> Consent {
    let step = |(day, state): (u32, &ConsentState)| StateChange {
        state: *state,
        at: terms.collected_at.plus_days(day),
        by: terms.collected_by.clone(),
        entry: EntryIndex(10 + u64::from(number) * 10 + u64::from(day)),
    };
    Consent {
        id: ConsentId::from_bytes([number; 16]),
        history: (0..).zip(states).map(step).collect(),
        narrowed: Vec::new(),
        terms,
    }
}

pub(crate) fn keep(dossier: &mut Dossier, consent: Consent) {
    dossier.consents.insert(consent.id, consent);
}

pub(crate) fn ask(code: &str, conditions: &[Condition]) -> Ask {
    Ask {
        subject: SubjectRef::Case(CASE),
        purpose: purpose(code),
        version: None,
        conditions: conditions.iter().copied().collect(),
        granularity: Granularity::StatusWithDates,
    }
}

pub(crate) fn peer(id: &str) -> Peer {
    Peer {
        principal: party(id),
        transport: party(id),
        roles: vec![role_of(id)],
        unit: None,
    }
}

/// What the party is decided to get of one condition.
pub(crate) fn decided(
    who: &str,
    code: &str,
    condition: Condition,
    dossier: &Dossier,
    registry: &Registry,
) -> Result<Permit, Denial> {
    decide(
        &ask(code, &[condition]),
        &peer(who),
        Some(dossier),
        registry,
        now(),
    )
}

/// The registry with one purpose version changed, as if it had been registered so.
pub(crate) fn with_purpose(
    code: &str,
    alter: impl FnOnce(&mut schakel_core::purpose::PurposeVersion),
) -> Registry {
    let mut registry = registry();
    let mut version = {
        let found = registry.purpose(&purpose(code), None, now()).unwrap();
        (*Arc::clone(&found.version)).clone()
    };
    alter(&mut version);
    registry.make(
        &Change::PutPurpose(version),
        EntryIndex(0),
        at("2026-01-01T00:00:00Z"),
    );
    registry
}
