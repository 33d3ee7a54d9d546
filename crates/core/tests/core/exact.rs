//! Periods hold their first millisecond and not their last: what ends, ends at once.

use schakel_core::{
    ask::Ask,
    case::{Assignment, Case},
    code::{Condition, Status},
    consent::{ConsentKind, ConsentState, Narrowing},
    decide::decide,
    dossier::Dossier,
    id::{EntryIndex, RestrictionId},
    registry::{Change, Registry},
    restriction::{Restriction, RestrictionKind},
    time::{Period, Timestamp},
};

use super::scene::{
    CASE, EAST, HOUSING, PI, WEST, ask, at, consent, dossier, keep, party, peer, purpose, registry,
    report, terms, with_purpose,
};

/// The instant on which everything here turns.
fn turn() -> Timestamp {
    at("2026-06-15T10:00:00.500Z")
}

/// What is asked, by whom, of what.
struct Question {
    who: &'static str,
    ask: Ask,
    dossier: Dossier,
    registry: Registry,
}

impl Question {
    /// The association asks about housing, on a consent.
    fn on_consent() -> Self {
        let mut question = Self::on_law();
        question.who = HOUSING;
        question.ask = ask("P-ARRANGE-HOUSING", &[Condition::Housing]);
        let given = consent(
            1,
            terms(ConsentKind::ProcessingBasis),
            &[ConsentState::Given],
        );
        keep(&mut question.dossier, given);
        question
    }

    /// The municipality asks about housing, on the law.
    fn on_law() -> Self {
        let mut dossier = dossier();
        report(&mut dossier, PI, Condition::Housing, Status::ActionNeeded);
        Self {
            who: EAST,
            ask: ask("P-PLAN", &[Condition::Housing]),
            dossier,
            registry: registry(),
        }
    }

    fn with(mut self, alter: impl FnOnce(&mut Self)) -> Self {
        alter(&mut self);
        self
    }

    fn case(&mut self) -> &mut Case {
        self.dossier.cases.get_mut(&CASE).unwrap()
    }

    fn is_granted(&self, now: Timestamp) -> bool {
        let peer = peer(self.who);
        decide(&self.ask, &peer, Some(&self.dossier), &self.registry, now).is_ok()
    }
}

fn begins(what: &str, question: &Question) {
    let granted =
        [turn().minus_millis(1), turn(), turn().plus_millis(1)].map(|now| question.is_granted(now));
    assert_eq!(granted, [false, true, true], "{what}");
}

fn ends(what: &str, question: &Question) {
    let granted =
        [turn().minus_millis(1), turn(), turn().plus_millis(1)].map(|now| question.is_granted(now));
    assert_eq!(granted, [true, false, false], "{what}");
}

#[test]
fn a_consent_holds_from_its_first_instant_until_its_hard_end() {
    begins(
        "valid_from",
        &Question::on_consent().with(|question| {
            terms_of(question).valid_from = turn();
        }),
    );
    ends(
        "valid_until",
        &Question::on_consent().with(|question| {
            terms_of(question).valid_until = turn();
        }),
    );
}

fn terms_of(question: &mut Question) -> &mut schakel_core::consent::ConsentTerms {
    let mut consents = question.dossier.consents.values_mut();
    &mut consents.next().unwrap().terms
}

#[test]
fn a_withdrawal_works_from_its_own_millisecond() {
    for state in [
        ConsentState::Withdrawn,
        ConsentState::Revoked,
        ConsentState::Invalidated,
    ] {
        ends(
            state.as_str(),
            &Question::on_consent().with(|question| {
                let consent = question.dossier.consents.values_mut().next().unwrap();
                let mut step = consent.history[0].clone();
                (step.state, step.at) = (state, turn());
                consent.history.push(step);
            }),
        );
    }
}

#[test]
fn a_withdrawal_in_part_works_from_its_own_millisecond() {
    let narrowing = |recipient: Option<&str>, conditions: &[Condition]| Narrowing {
        state: ConsentState::Withdrawn,
        conditions: conditions.iter().copied().collect(),
        recipient: recipient.map(party),
        at: turn(),
        by: party(EAST),
        entry: EntryIndex(40),
    };
    for part in [
        narrowing(Some(HOUSING), &[]),
        narrowing(None, &[Condition::Housing]),
        narrowing(Some(HOUSING), &[Condition::Housing, Condition::Debt]),
    ] {
        ends(
            "part",
            &Question::on_consent().with(|question| {
                question
                    .dossier
                    .consents
                    .values_mut()
                    .next()
                    .unwrap()
                    .narrowed
                    .push(part);
            }),
        );
    }
    for other in [
        narrowing(Some(WEST), &[]),
        narrowing(None, &[Condition::Debt]),
    ] {
        let question = Question::on_consent().with(|question| {
            question
                .dossier
                .consents
                .values_mut()
                .next()
                .unwrap()
                .narrowed
                .push(other);
        });
        assert!(question.is_granted(turn()), "the rest stands");
    }
}

#[test]
fn a_purpose_holds_within_its_validity_and_until_it_is_withdrawn() {
    begins(
        "validity.from",
        &Question::on_law().with(|question| {
            question.registry = with_purpose("P-PLAN", |version| version.validity.from = turn());
        }),
    );
    ends(
        "validity.until",
        &Question::on_law().with(|question| {
            question.registry =
                with_purpose("P-PLAN", |version| version.validity.until = Some(turn()));
        }),
    );
    ends(
        "withdrawn",
        &Question::on_law().with(|question| {
            let withdraw = Change::WithdrawPurpose(purpose("P-PLAN"), 1);
            question.registry.make(&withdraw, EntryIndex(1), turn());
        }),
    );
}

#[test]
fn a_place_in_a_case_holds_within_its_period() {
    ends(
        "the municipality of return",
        &Question::on_law().with(|question| {
            question.case().returns[0].period.until = Some(turn());
        }),
    );
    begins(
        "the next municipality",
        &Question::on_law().with(|question| {
            question.who = WEST;
            let case = question.case();
            case.returns[0].period.until = Some(turn());
            let period = Period::new(turn(), None).unwrap();
            case.returns.push(Assignment {
                party: party(WEST),
                period,
            });
        }),
    );
    ends(
        "the case",
        &Question::on_law().with(|question| {
            question.case().closed_at = Some(turn());
        }),
    );
    ends(
        "a member",
        &Question::on_consent().with(|question| {
            for member in &mut question.case().members {
                member.period.until = Some(turn());
            }
        }),
    );
}

#[test]
fn a_restriction_works_from_its_own_millisecond_until_it_is_lifted() {
    let restricted = |from: Timestamp, lifted_at: Option<Timestamp>| {
        Question::on_law().with(|question| {
            let id = RestrictionId::from_bytes([1; 16]);
            let restriction = Restriction {
                id,
                kind: RestrictionKind::Restriction,
                controller: None,
                conditions: [].into(),
                recorded_by: party(PI),
                between_others: false,
                from,
                lifted_at,
                lifted_for: [].into(),
                entry: EntryIndex(40),
            };
            question.dossier.restrictions.insert(id, restriction);
        })
    };
    ends("restricted", &restricted(turn(), None));
    begins(
        "lifted",
        &restricted(at("2026-01-01T00:00:00Z"), Some(turn())),
    );
}

#[test]
fn a_suspension_works_from_its_own_millisecond_until_it_ends() {
    for who in [PI, EAST] {
        let suspended = |question: &mut Question, at: Timestamp| {
            question
                .registry
                .make(&Change::SuspendParty(party(who)), EntryIndex(1), at);
        };
        ends(
            who,
            &Question::on_law().with(|question| suspended(question, turn())),
        );
        begins(
            who,
            &Question::on_law().with(|question| {
                suspended(question, at("2026-03-01T00:00:00Z"));
                question
                    .registry
                    .make(&Change::ReinstateParty(party(who)), EntryIndex(2), turn());
            }),
        );
    }
}
