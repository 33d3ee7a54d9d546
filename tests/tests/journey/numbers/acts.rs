//! What an institution and others do about a few numbers, drawn from a seed.

use schakel_api::v1::{
    self, close_case_response::Outcome as Closed, get_case_response::Outcome as Shown,
    get_my_rights_response::Outcome as Rights, list_consents_response::Outcome as Listed,
    open_case_response::Outcome as Opened, subject_ref::Reference,
};
use schakel_tests::{Party, TestBroker, actor, bsn, bsn_number, by_case, consent, key, report};

use super::Told;

/// Draws choices, of so many numbers of criminal justice; the same from the same seed.
pub(super) struct Dice(u64, u64);

/// A number that others alone say is somebody's.
const OF_OTHERS: &str = "SKN3";

impl Dice {
    pub(super) fn new(seed: u64, skns: u64) -> Self {
        Self(seed, skns)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) % n
    }

    fn bsn(&mut self) -> String {
        bsn_number(u32::try_from(self.below(3)).unwrap())
    }

    fn skn(&mut self) -> String {
        format!("SKN{}", self.below(self.1))
    }

    /// A number of criminal justice, a citizen service number, or mostly both.
    fn numbers(&mut self) -> (Option<String>, Option<String>) {
        let (skn, bsn) = (self.skn(), self.bsn());
        match self.below(5) {
            0 => (Some(skn), None),
            1 => (None, Some(bsn)),
            _ => (Some(skn), Some(bsn)),
        }
    }
}

pub(in crate::journey) fn by_skn(number: &str) -> v1::SubjectRef {
    v1::SubjectRef {
        reference: Some(Reference::Skn(number.into())),
    }
}

/// What a party does about numbers.
pub(in crate::journey) trait Acts {
    /// Opens a case by one number or two; its id, and the receipt.
    async fn open(&self, skn: Option<&str>, bsn: Option<&str>) -> (String, Option<v1::Receipt>);
    /// Closes a case.
    async fn close(&self, case: &str, in_error: bool) -> bool;
    /// The case that is shown of somebody, if any.
    async fn case_of(&self, subject: v1::SubjectRef) -> Option<v1::Case>;
    /// Records a consent that concerns these two beside itself.
    async fn agree(&self, subject: v1::SubjectRef, from: &str, to: &str) -> Option<String>;
    /// The consents that are shown of somebody, if any: their ids and states.
    async fn agreed(&self, subject: v1::SubjectRef) -> Option<Vec<(String, i32)>>;
}

impl Acts for Party {
    async fn open(&self, skn: Option<&str>, bsn: Option<&str>) -> (String, Option<v1::Receipt>) {
        let request = v1::OpenCaseRequest {
            idempotency_key: key(),
            actor: actor(),
            skn: skn.map(Into::into),
            bsn: bsn.map(Into::into),
            municipality_party_id: None,
        };
        let answer = self.cases().open_case(request).await.expect("an answer");
        match answer.into_inner().outcome {
            Some(Opened::Opened(opened)) => (opened.case_id, opened.receipt),
            other => panic!("the case was not opened: {other:?}"),
        }
    }

    async fn close(&self, case: &str, in_error: bool) -> bool {
        let reason = if in_error {
            v1::ClosingReason::OpenedInError
        } else {
            v1::ClosingReason::Completed
        };
        let request = v1::CloseCaseRequest {
            idempotency_key: key(),
            actor: actor(),
            case_id: case.into(),
            reason: reason.into(),
        };
        let answer = self.cases().close_case(request).await.expect("an answer");
        matches!(answer.into_inner().outcome, Some(Closed::Changed(_)))
    }

    async fn case_of(&self, subject: v1::SubjectRef) -> Option<v1::Case> {
        let request = v1::GetCaseRequest {
            actor: actor(),
            subject: Some(subject),
        };
        let answer = self.cases().get_case(request).await.expect("an answer");
        match answer.into_inner().outcome {
            Some(Shown::Case(case)) => Some(case),
            _ => None,
        }
    }

    async fn agree(&self, subject: v1::SubjectRef, from: &str, to: &str) -> Option<String> {
        let now = self.now();
        let mut request = consent(subject, now);
        let terms = request.terms.as_mut().expect("terms");
        terms.provider_party_ids = vec![from.into()];
        terms.recipient_party_ids = vec![to.into()];
        self.try_consent(request).await.expect("an answer")
    }

    async fn agreed(&self, subject: v1::SubjectRef) -> Option<Vec<(String, i32)>> {
        let request = v1::ListConsentsRequest {
            actor: actor(),
            subject: Some(subject),
        };
        let answer = self.consents().list_consents(request).await;
        match answer.expect("an answer").into_inner().outcome {
            Some(Listed::Consents(listed)) => {
                let consents = listed.consents.into_iter();
                let shown = consents.map(|consent| (consent.consent_id, consent.state));
                Some(shown.collect())
            }
            _ => None,
        }
    }
}

/// An institution, and what it did so far.
pub(super) struct Institution {
    party: Party,
    officer: Party,
    cases: Vec<String>,
    consents: Vec<String>,
}

impl Institution {
    pub(super) const ID: &str = "pi-noord";

    pub(super) async fn of(broker: &TestBroker) -> Self {
        Self {
            party: broker.party(Self::ID).await,
            officer: broker.party("fg-pi-noord").await,
            cases: Vec::new(),
            consents: Vec::new(),
        }
    }

    fn somebody(&self, dice: &mut Dice) -> v1::SubjectRef {
        let case = usize::try_from(dice.below(9)).unwrap();
        match (dice.below(5), self.cases.get(case)) {
            (0, Some(case)) => by_case(case),
            (1 | 2, _) => bsn(&dice.bsn()),
            _ => by_skn(&dice.skn()),
        }
    }

    /// Does one thing, and notes what it is told.
    pub(super) async fn act(&mut self, dice: &mut Dice, told: &mut Told) {
        let party = &self.party;
        match dice.below(12) {
            0..=2 => {
                let (skn, bsn) = dice.numbers();
                let (case, receipt) = party.open(skn.as_deref(), bsn.as_deref()).await;
                self.cases.push(case);
                told.note("opened", &self.cases.len());
                told.receipt(receipt);
            }
            3 | 4 => {
                let about = self.somebody(dice);
                self.shown(about, told).await;
            }
            5 | 6 => {
                let about = self.somebody(dice);
                let agreed = party.agree(about, "gemeente-oost", "wonen-zuid").await;
                told.note("agreed", &agreed.is_some());
                self.consents.extend(agreed);
            }
            7 | 8 => {
                let about = self.somebody(dice);
                self.listed(about, told).await;
            }
            9 => {
                let mut reported = report(
                    "",
                    v1::Condition::Debt,
                    v1::ConditionStatus::ActionNeeded,
                    party.now(),
                );
                reported.subject = Some(self.somebody(dice));
                let taken = party.try_report(reported).await;
                told.note("reported", &taken.expect("an answer"));
            }
            10 => {
                let about = match dice.below(3) {
                    0 => by_skn(OF_OTHERS),
                    _ => self.somebody(dice),
                };
                let receipt = party.withdraw(about).await;
                told.note("withdrawn", &());
                told.receipt(Some(receipt));
            }
            _ => {
                let case = usize::try_from(dice.below(12)).unwrap();
                let in_error = dice.below(2) == 0;
                if let Some(case) = self.cases.get(case) {
                    told.note("closed", &party.close(case, in_error).await);
                }
            }
        }
    }

    /// Asks after all the numbers and cases, as the institution and as its officer.
    pub(super) async fn look_back(&self, told: &mut Told) {
        let numbers = (0..3).flat_map(|n| [bsn(&bsn_number(n)), by_skn(&format!("SKN{n}"))]);
        let cases = self.cases.iter().map(|case| by_case(case));
        for about in numbers.chain(cases) {
            self.shown(about.clone(), told).await;
            self.listed(about.clone(), told).await;
            let request = v1::GetMyRightsRequest {
                actor: actor(),
                subject: Some(about),
            };
            let answer = self.party.exchange().get_my_rights(request).await;
            let rights = match answer.expect("an answer").into_inner().outcome {
                Some(Rights::Rights(rights)) => Some(rights.rights.len()),
                _ => None,
            };
            told.note("rights", &rights);
        }
        for n in 0..3 {
            let found = self.officer.search(bsn(&bsn_number(n))).await;
            let shown = found.iter().map(|entry| (&entry.r#type, &entry.party_id));
            told.note("found", &shown.collect::<Vec<_>>());
        }
    }

    async fn shown(&self, about: v1::SubjectRef, told: &mut Told) {
        let shown = self.party.case_of(about).await;
        let shown = shown.map(|case| {
            let at = self.cases.iter().position(|own| *own == case.case_id);
            (at, case.opened_by, case.closed_at.is_some(), case.members)
        });
        told.note("case", &shown);
    }

    async fn listed(&self, about: v1::SubjectRef, told: &mut Told) {
        let listed = self.party.agreed(about).await;
        let listed = listed.map(|consents| {
            let at = |id: &str| self.consents.iter().position(|own| own == id);
            let shown = consents.iter().map(|(id, state)| (at(id), *state));
            shown.collect::<Vec<_>>()
        });
        told.note("consents", &listed);
    }
}

/// Others who act about the same numbers, and have nothing to do with the institution.
pub(super) struct Others {
    institution: Party,
    municipality: Party,
    probation: Party,
}

impl Others {
    pub(super) async fn of(broker: &TestBroker) -> Self {
        let parties = ["pi-zuid", "gemeente-west", "reclassering-test"];
        let [institution, municipality, probation] = parties.map(|id| broker.party(id));
        Self {
            institution: institution.await,
            municipality: municipality.await,
            probation: probation.await,
        }
    }

    pub(super) async fn act(&self, dice: &mut Dice) {
        match dice.below(5) {
            0 => {
                let about = bsn(&dice.bsn());
                let agreed = self
                    .municipality
                    .agree(about, "gemeente-west", "wonen-noord");
                assert!(agreed.await.is_some());
            }
            1 => {
                let about = by_skn(&dice.skn());
                let agreed = self.probation.agree(about, "gemeente-west", "wonen-noord");
                assert!(agreed.await.is_some());
            }
            _ => {
                let (skn, bsn) = dice.numbers();
                let (case, _) = self.institution.open(skn.as_deref(), bsn.as_deref()).await;
                if dice.below(4) == 0 {
                    assert!(self.institution.close(&case, true).await);
                }
            }
        }
    }
}
