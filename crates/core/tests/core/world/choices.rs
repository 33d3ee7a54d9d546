//! The parts of a world, drawn one by one.

use std::collections::BTreeSet;

use schakel_core::{
    ask::Ask,
    case::{Assignment, Case},
    code::{
        Art9Ground, Basis, Condition, CriminalDataGround, Granularity, Moment, Regime, Role, Status,
    },
    consent::{Consent, ConsentKind, ConsentState, Narrowing, StateChange},
    dossier::Dossier,
    id::{CaseId, ConsentId, EntryIndex, PartyId, RestrictionId, SubjectId},
    person::SubjectRef,
    purpose::{LegalBasis, PurposeVersion, Route},
    restriction::{Restriction, RestrictionKind},
    status::{Report, StatusRecord},
    time::{Period, Timestamp},
};

use super::super::scene::{PARTIES, at, party, purpose, terms};
use super::World;

/// Draws choices from bytes; when those run out, every choice is the first.
pub(super) struct Choices {
    bytes: std::vec::IntoIter<u8>,
    now: Timestamp,
}

impl Choices {
    /// Choices at this instant.
    pub(super) fn new(bytes: Vec<u8>, now: Timestamp) -> Self {
        let bytes = bytes.into_iter();
        Self { bytes, now }
    }

    fn below(&mut self, count: u8) -> u8 {
        self.bytes.next().unwrap_or(0) % count
    }

    /// Yes in so many of eight cases.
    fn chance(&mut self, of_eight: u8) -> bool {
        self.below(8) < of_eight
    }

    fn one<T: Clone>(&mut self, all: &[T]) -> T {
        let count = u8::try_from(all.len()).unwrap();
        all[usize::from(self.below(count))].clone()
    }

    fn some<T: Clone + Ord>(&mut self, all: &[T], of_eight: u8) -> BTreeSet<T> {
        all.iter()
            .filter(|_| self.chance(of_eight))
            .cloned()
            .collect()
    }

    /// An instant within days of now, most before it; at times exactly now.
    fn instant(&mut self) -> Timestamp {
        match self.below(8) {
            0 => self.now,
            1 => self.now.plus_millis(1),
            2 => self.now.plus_days(9),
            days => self.now.minus_millis(Timestamp::DAY_MS * u64::from(days)),
        }
    }

    fn period(&mut self) -> Period {
        let from = self.instant();
        let until = self.chance(3).then(|| self.instant());
        Period::new(from, until.filter(|until| *until > from)).unwrap()
    }

    fn party(&mut self) -> PartyId {
        party(self.one(&PARTIES).0)
    }

    /// The world they come to.
    pub(super) fn world(&mut self) -> World {
        let parties: Vec<(PartyId, Vec<Role>)> = PARTIES
            .iter()
            .map(|(id, role)| {
                let second = self.chance(1).then(|| self.one(Role::ALL));
                (party(id), [*role].into_iter().chain(second).collect())
            })
            .collect();
        let version = self.version();
        let mut dossier = self.dossier();
        let asker = self.party();
        if self.chance(6) {
            let period = Period::new(at("2026-02-01T00:00:00Z"), None).unwrap();
            for case in dossier.cases.values_mut() {
                let party = asker.clone();
                case.members.push(Assignment { party, period });
            }
        }
        World {
            parties,
            version,
            dossier,
            ask: Ask {
                subject: if self.chance(6) {
                    SubjectRef::Case(CaseId::from_bytes([1; 16]))
                } else {
                    SubjectRef::Skn("1".parse().unwrap())
                },
                purpose: purpose("P-ANY"),
                version: self.chance(2).then_some(1),
                conditions: self.some(Condition::ALL, 5),
                granularity: self.one(Granularity::ALL),
            },
            asker,
            now: self.now,
        }
    }

    fn version(&mut self) -> PurposeVersion {
        let routes = (0..=self.below(4)).map(|_| self.route()).collect();
        PurposeVersion {
            code: purpose("P-ANY"),
            version: 1,
            title: "Any".into(),
            conditions: self.some(Condition::ALL, 6),
            granularity: self.one(Granularity::ALL),
            routes,
            validity: if self.chance(7) {
                Period::new(at("2026-01-01T00:00:00Z"), None).unwrap()
            } else {
                self.period()
            },
            retention_days: 30,
            notify_person: false,
            deliver: self.chance(4),
            wjsg_51c: None,
        }
    }

    fn route(&mut self) -> Route {
        let basis = |choices: &mut Self| LegalBasis {
            basis: choices.one(&[
                Basis::Consent,
                Basis::ExplicitConsent,
                Basis::Pbw18a,
                Basis::PublicTask,
                Basis::Wjsg51c2c,
            ]),
            law_ref: "any".into(),
        };
        Route {
            from: self.some(Role::ALL, 6),
            to: self.some(Role::ALL, 6),
            conditions: if self.chance(4) {
                BTreeSet::new()
            } else {
                self.some(Condition::ALL, 5)
            },
            origins: self.some(Role::ALL, 6),
            provider_basis: basis(self),
            recipient_basis: basis(self),
            regime: self.one(Regime::ALL),
            criminal_data_ground: self.chance(6).then(|| self.one(CriminalDataGround::ALL)),
            art9_ground: self.chance(6).then(|| self.one(Art9Ground::ALL)),
            secrecy_waiver: self.chance(2),
        }
    }

    fn dossier(&mut self) -> Dossier {
        let mut dossier = Dossier::new(SubjectId::from_bytes([9; 16]));
        for number in 1..=1 + self.below(2) {
            let case = self.case(number);
            dossier.cases.insert(case.id, case);
        }
        for entry in 0..8 + u64::from(self.below(8)) {
            let record = self.record(EntryIndex(100 + entry));
            let key = (record.case, record.condition, record.reporter.clone());
            dossier.statuses.insert(key, record);
        }
        for number in 1..=self.below(5) {
            let consent = self.consent(number);
            dossier.consents.insert(consent.id, consent);
        }
        if self.chance(1) {
            let id = RestrictionId::from_bytes([1; 16]);
            let restriction = Restriction {
                id,
                kind: RestrictionKind::Objection,
                controller: self.chance(6).then(|| self.party()),
                conditions: self.some(Condition::ALL, 3),
                recorded_by: self.party(),
                between_others: self.chance(4),
                from: self.instant(),
                lifted_at: self.chance(3).then(|| self.instant()),
                lifted_for: [].into(),
                entry: EntryIndex(50),
            };
            dossier.restrictions.insert(id, restriction);
        }
        dossier
    }

    fn case(&mut self, number: u8) -> Case {
        let mut place = || Assignment {
            party: self.party(),
            period: self.period(),
        };
        let (members, returns) = (vec![place(), place(), place(), place()], vec![place()]);
        Case {
            id: CaseId::from_bytes([number; 16]),
            opened_by: self.party(),
            opened_at: at("2026-02-01T00:00:00Z"),
            closed_at: self.chance(1).then(|| self.instant()),
            returns: if self.chance(6) {
                let east = party("gemeente-oost");
                let period = Period::new(at("2026-02-01T00:00:00Z"), None).unwrap();
                vec![Assignment {
                    party: east,
                    period,
                }]
            } else {
                returns
            },
            members,
            introduced: (0..3)
                .map(|_| (self.party(), self.one(Condition::ALL)))
                .collect(),
            entry: EntryIndex(number.into()),
            besides: Vec::new(),
            in_error: false,
        }
    }

    fn record(&mut self, entry: EntryIndex) -> StatusRecord {
        let status = self.one(Status::ALL);
        let declined = status == Status::HelpDeclined;
        StatusRecord {
            case: CaseId::from_bytes([1 + u8::from(self.chance(1)); 16]),
            condition: self.one(Condition::ALL),
            reporter: self.party(),
            report: Report {
                status,
                as_of: self.instant().date(),
                expected: self.chance(4).then(|| self.now.date()),
                moment: self.one(Moment::ALL),
                origin: self.one(Role::ALL),
                offered_by: declined.then(|| self.party()),
            },
            regime: self.one(Regime::ALL),
            reported_at: self.now,
            entry,
        }
    }

    fn consent(&mut self, number: u8) -> Consent {
        let parties: Vec<PartyId> = PARTIES.iter().map(|(id, _)| party(id)).collect();
        let kind = if self.chance(5) {
            ConsentKind::ProcessingBasis
        } else {
            self.one(ConsentKind::ALL)
        };
        let mut terms = terms(kind);
        terms.explicit = self.chance(6);
        terms.case = self
            .chance(2)
            .then(|| CaseId::from_bytes([1 + self.below(2); 16]));
        terms.conditions = self.some(Condition::ALL, 6);
        terms.purposes = [purpose(if self.chance(7) { "P-ANY" } else { "P-OTHER" })].into();
        terms.providers = self.some(&parties, 6);
        terms.recipients = self.some(&parties, 6);
        terms.granularity = self.one(Granularity::ALL);
        if self.chance(1) {
            terms.valid_from = self.instant();
        }
        if self.chance(1) {
            terms.valid_until = self.instant();
        }
        let mut states = vec![ConsentState::Given];
        if self.chance(2) {
            states.push(self.one(ConsentState::ALL));
        }
        let entry = |step: u32| EntryIndex(10 + u64::from(number) * 10 + u64::from(step));
        let history = (0..).zip(states).map(|(step, state)| StateChange {
            state,
            at: terms.collected_at.plus_days(step),
            by: terms.collected_by.clone(),
            entry: entry(step),
        });
        Consent {
            id: ConsentId::from_bytes([number; 16]),
            history: history.collect(),
            narrowed: if self.chance(2) {
                vec![Narrowing {
                    state: ConsentState::Withdrawn,
                    conditions: self.some(Condition::ALL, 3),
                    recipient: self.chance(5).then(|| self.party()),
                    at: self.instant(),
                    by: self.party(),
                    entry: entry(5),
                }]
            } else {
                Vec::new()
            },
            terms,
        }
    }
}
