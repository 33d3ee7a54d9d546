//! What outsiders are shown is the same with and without an institution in the background: not a name less, not a
//! row more, not a gap.

use std::fmt::Debug;

use prost::Message as _;
use schakel_api::v1::{
    self, get_consent_response::Outcome as Consented, get_my_rights_response::Outcome as Rights,
    list_consents_response::Outcome as Listed,
};
use schakel_tests::{Party, TestBroker, actor, bsn, bsn_number, consent, item, key, mark, report};

use super::{
    known::{
        MEANT, OTHER, Told, officer_asks, officer_asks_of_a_breach, officer_exports, officer_opens,
    },
    plain::plain,
};

const INCOME: &str = "P-ARRANGE-INCOME";
const UWV: &str = "uwv-test";

/// Who stands behind each of the two people: a prison behind one, the municipality alone behind the other.
struct World {
    broker: TestBroker,
    prison: Party,
    town: Party,
    uwv: Party,
    /// The number of each, and whether the prison takes part.
    people: [(u32, bool); 2],
}

impl World {
    /// Everything done for one is done for the other, so that both worlds have as many entries.
    async fn with_prison_behind(one: u32) -> Self {
        let broker = TestBroker::start().await;
        let parties = ["pi-noord", "gemeente-oost", UWV];
        let [prison, town, uwv] = parties.map(|id| broker.party(id));
        let (prison, town, uwv) = (prison.await, town.await, uwv.await);
        Self {
            broker,
            prison,
            town,
            uwv,
            people: [MEANT, OTHER].map(|n| (n, n == one)),
        }
    }

    fn actor(&self, by_prison: bool) -> &Party {
        if by_prison { &self.prison } else { &self.town }
    }

    /// The case, what is reported in it, and the place of the outsider.
    async fn help(&self) {
        for (n, by_prison) in self.people {
            let number = bsn_number(n);
            let case = self.prison.open_case(&number, Some("gemeente-oost")).await;
            let (by, now) = (self.actor(by_prison), self.broker.now());
            for condition in [v1::Condition::Income, v1::Condition::Debt] {
                let status = v1::ConditionStatus::ActionNeeded;
                assert!(by.report(&case, condition, status).await);
            }
            let code = by.introduce(&case, UWV, v1::Condition::Income).await;
            self.uwv.redeem(&code, &format!("klant-{n}")).await;
            self.consent(by, by_prison, n, false).await;
            self.consent(&self.town, by_prison, n, true).await;
            assert!(self.ask(n).await.is_some(), "told of person {n}");
            let status = v1::ConditionStatus::InProgress;
            let mut corrected = report(&case, v1::Condition::Income, status, now);
            corrected.correction = true;
            assert!(by.try_report(corrected).await.unwrap());
        }
    }

    /// A consent under which the outsider is to tell; or the wide one, under which it is told. With an institution that
    /// one names it, and probation, on either side, and what concerns them alone.
    async fn consent(&self, by: &Party, with_prison: bool, n: u32, wide: bool) {
        let mut request = consent(bsn(&bsn_number(n)), self.broker.now());
        let terms = request.terms.as_mut().unwrap();
        terms.conditions = vec![v1::Condition::Income.into()];
        let (purpose, from, to) = if wide {
            (INCOME, "gemeente-oost", UWV)
        } else {
            ("P-FOLLOWUP", UWV, "gemeente-oost")
        };
        terms.purposes = vec![purpose.into()];
        terms.provider_party_ids = vec![from.into()];
        terms.recipient_party_ids = vec![to.into()];
        if wide && with_prison {
            terms.conditions.push(v1::Condition::Debt.into());
            let purposes = ["P-PLAN", "P-RELEASE-HANDOVER", "P-DETENTION-DATES"];
            terms.purposes.extend(purposes.map(Into::into));
            terms.provider_party_ids.push("pi-noord".into());
            let recipients = ["pi-noord", "reclassering-test"];
            terms.recipient_party_ids.extend(recipients.map(Into::into));
        }
        by.try_consent(request).await.unwrap().expect("a consent");
    }

    /// What ends again: parts of the consents, and an objection while it stands.
    async fn change(&self) {
        let parts = [
            (None, Some("pi-noord")),
            (Some(v1::Condition::Debt), None),
            (Some(v1::Condition::Income), Some("reclassering-test")),
        ];
        for (n, by_prison) in self.people {
            let by = self.actor(by_prison);
            for (condition, recipient) in parts {
                withdraw(by, n, condition, recipient).await;
            }
            let request = v1::RecordRestrictionRequest {
                idempotency_key: key(),
                actor: actor(),
                subject: Some(bsn(&bsn_number(n))),
                kind: v1::RestrictionKind::Objection.into(),
                controller_party_id: None,
                conditions: Vec::new(),
            };
            let restricted = by.consents().record_restriction(request).await.unwrap();
            assert!(self.ask(n).await.is_none(), "objected to");
            let request = v1::LiftRestrictionRequest {
                idempotency_key: key(),
                actor: actor(),
                subject: Some(bsn(&bsn_number(n))),
                restriction_id: restricted.into_inner().restriction_id,
            };
            by.consents().lift_restriction(request).await.unwrap();
        }
    }

    async fn ask(&self, n: u32) -> Option<v1::Disclosure> {
        let condition = v1::Condition::Income;
        let granularity = v1::Granularity::Signal;
        let about = mark(&format!("klant-{n}"));
        self.uwv
            .ask(item(about, INCOME, condition, granularity))
            .await
    }

    /// Everything the outsider itself can ask about the person.
    async fn party_asks(&self, told: &mut Told) {
        let subject = || Some(bsn(&bsn_number(MEANT)));
        told.note("disclosed", &self.ask(MEANT).await);
        let request = v1::ListConsentsRequest {
            actor: actor(),
            subject: subject(),
        };
        let answer = self.uwv.consents().list_consents(request).await.unwrap();
        let listed = match answer.into_inner().outcome {
            Some(Listed::Consents(listed)) => listed.consents,
            other => panic!("{other:?}"),
        };
        told.note("consents", &listed);
        for consent in listed {
            let request = v1::GetConsentRequest {
                actor: actor(),
                subject: subject(),
                consent_id: consent.consent_id,
            };
            let answer = self.uwv.consents().get_consent(request).await.unwrap();
            match answer.into_inner().outcome {
                Some(Consented::Consents(shown)) => told.note("consent", &shown.consents),
                other => panic!("{other:?}"),
            }
        }
        let request = v1::GetMyRightsRequest {
            actor: actor(),
            subject: subject(),
        };
        let answer = self.uwv.exchange().get_my_rights(request).await.unwrap();
        match answer.into_inner().outcome {
            Some(Rights::Rights(rights)) => told.note("rights", &rights.rights),
            other => told.note("no rights", &other.is_some()),
        }
        for message in self.uwv.pull(None, 100).await.messages {
            told.note("named", &message.subject);
            match message.content {
                Some(v1::message::Content::Notice(notice)) => {
                    let shown = (notice.kind, notice.conditions, notice.issued_at);
                    told.note("notice", &shown);
                }
                Some(v1::message::Content::Disclosed(disclosed)) => {
                    let shown = v1::Disclosure::decode(disclosed.disclosure).unwrap();
                    told.note("message", &shown);
                }
                None => panic!("an empty message"),
            }
        }
    }

    /// Everything the outsider's officer can ask about the person, and about whoever may stand behind.
    async fn officer_asks(&self, told: &mut Told) {
        let officer = self.broker.party("fg-uwv-test").await;
        let shown = officer_asks(&self.broker, &officer, told).await;
        for party in ["pi-noord", "gemeente-oost", UWV] {
            for report in 1..=8 {
                let request = v1::GetReportRequest {
                    actor: actor(),
                    purpose: "P-ACCOUNTABILITY".into(),
                    report,
                    party_id: Some(party.into()),
                    condition: Some(v1::Condition::Debt.into()),
                    subject: Some(bsn(&bsn_number(MEANT))),
                    ..v1::GetReportRequest::default()
                };
                match officer.audit().get_report(request).await {
                    Ok(mut answer) => {
                        answer.get_mut().receipt = None;
                        told.note("report", &(party, report, answer.get_ref()));
                    }
                    // Without the party: it is the test that names it.
                    Err(refused) => told.note("report refused", &(report, refused.code())),
                }
            }
        }
        for index in shown {
            officer_opens(&officer, index, told).await;
        }
        let lines = v1::ExportKind::Processings;
        let lines_approved = self.broker.approved_export("fg-uwv-test", lines).await;
        officer_exports(&officer, lines_approved, told).await;
    }
}

async fn withdraw(by: &Party, n: u32, condition: Option<v1::Condition>, recipient: Option<&str>) {
    let request = v1::WithdrawConsentRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(&bsn_number(n))),
        conditions: condition.into_iter().map(Into::into).collect(),
        recipient_party_id: recipient.map(Into::into),
    };
    by.consents().withdraw_consent(request).await.unwrap();
}

async fn everything(with_prison_behind: u32) -> Vec<String> {
    let world = World::with_prison_behind(with_prison_behind).await;
    let mut told = Told::default();
    world.help().await;
    world.party_asks(&mut told).await;
    world.officer_asks(&mut told).await;
    world.change().await;
    world.party_asks(&mut told).await;
    world.officer_asks(&mut told).await;
    for (n, by_prison) in world.people {
        withdraw(world.actor(by_prison), n, None, None).await;
    }
    told.note("disclosed", &world.ask(MEANT).await);
    world.officer_asks(&mut told).await;
    // Last: it records a look at each person, in an order drawn at random.
    let officer = world.broker.party("fg-uwv-test").await;
    officer_asks_of_a_breach(&world.broker, &officer, &mut told).await;
    let log = world.broker.check_log().await;
    plain(&log, &told.lines)
}

fn holds(lines: &[String], what: &impl Debug) -> bool {
    let what = format!("{what:?}");
    lines.iter().any(|line| line.contains(&what))
}

/// Behind the person asked about stands a prison, which reports, introduces, collects consent, corrects, withdraws and
/// objects, and which stands in a consent beside probation and beside purposes of theirs; or the municipality does the
/// same without them.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_an_outsider_is_shown_the_same_with_and_without_an_institution_in_the_background()
 {
    let (with, without) = tokio::join!(everything(MEANT), everything(OTHER));
    for (one, other) in with.iter().zip(&without) {
        let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
        let from = same.count().saturating_sub(200);
        let differs = |line: &String| line.chars().skip(from).take(400).collect::<String>();
        assert_eq!(one, other, "{}\n{}", differs(one), differs(other));
    }
    assert_eq!(with.len(), without.len());
    for hidden in ["pi-noord", "reclassering-test"] {
        let asked_for = |line: &&String| !line.starts_with("report: (\"pi-noord\"");
        let lines: Vec<_> = with.iter().filter(asked_for).cloned().collect();
        assert!(!holds(&lines, &hidden), "{hidden}");
    }
    // It would prove nothing if nothing were shown.
    assert!(with.iter().any(|line| line.starts_with("disclosed: Some")));
    assert!(with.iter().any(|line| line.starts_with("notice")));
    assert!(
        with.iter()
            .any(|line| line.contains("narrowed") || line.contains("GRANTED"))
    );
}
