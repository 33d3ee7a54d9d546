//! Invariant 8: every past decision replays from the log.

use std::collections::BTreeMap;

use schakel_api::v1;
use schakel_core::{
    ask::Ask,
    decide::decide,
    dossier::Dossier,
    event::{Asked, Details, Event},
    id::{EntryIndex, PartyId, SubjectId},
    party::Peer,
    registry::Registry,
    time::Timestamp,
};
use schakel_tests::{Scene, TestBroker, bsn, by_case, consent, item};

/// The state of everything just before an entry, rebuilt from the entries before it.
#[derive(Default)]
struct Replayed {
    registry: Registry,
    dossiers: BTreeMap<SubjectId, Dossier>,
}

impl Replayed {
    /// Whether the entry is a decision; it must come out the same again.
    fn decides(&self, details: &Details, at: Timestamp) -> bool {
        match &details.event {
            Event::Disclosed(disclosed) => {
                let permit = self
                    .decide(details, &disclosed.ask, at)
                    .expect("granted then");
                assert_eq!(permit.grants(), disclosed.grants);
                assert_eq!(permit.version().version, disclosed.version);
                assert_eq!(permit.granularity(), disclosed.granularity);
                true
            }
            Event::Denied(denied) => match &denied.asked {
                Asked::Disclosure(ask) => {
                    let denial = self.decide(details, ask, at).expect_err("denied then");
                    assert_eq!(denial.into_findings(), denied.findings);
                    true
                }
                Asked::Message { .. } | Asked::Call { .. } => false,
            },
            _ => false,
        }
    }

    fn decide(
        &self,
        details: &Details,
        ask: &Ask,
        at: Timestamp,
    ) -> Result<schakel_core::decide::Permit, schakel_core::decide::Denial> {
        let call = details.call.as_ref().expect("somebody asked");
        let peer = Peer {
            principal: call.principal.clone(),
            transport: call.transport.clone(),
            roles: self.registry.roles(&call.principal, at).to_vec(),
            unit: call.unit.clone(),
        };
        let dossier = details
            .subject
            .and_then(|subject| self.dossiers.get(&subject));
        decide(ask, &peer, dossier, &self.registry, at)
    }

    fn apply(&mut self, details: &Details, entry: EntryIndex, at: Timestamp) {
        if let Event::Changed { change, .. } = &details.event {
            self.registry.make(change, entry, at);
        }
        if let Some(subject) = details.subject {
            let dossier = self
                .dossiers
                .entry(subject)
                .or_insert_with(|| Dossier::new(subject));
            dossier.apply(details, entry, at);
        }
    }
}

/// From the sealed details alone, with nothing of the view, every decision comes out as it did: grants,
/// detail, rule version, and the reasons of denials in their order.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_8_every_decision_replays() {
    let mut broker = TestBroker::start().await;
    let (first, second) = (Scene::set(&broker, 1).await, Scene::set(&broker, 2).await);
    let (pi, municipality) = (
        broker.party("pi-noord").await,
        broker.party("gemeente-oost").await,
    );
    let (care, association) = (
        broker.party("zorg-midden").await,
        broker.party("wonen-zuid").await,
    );
    let mut short = consent(bsn(&second.bsn), broker.now());
    short.terms.as_mut().unwrap().valid_until =
        schakel_tests::at(broker.now().plus_millis(120_000));
    for minute in 0..6 {
        broker.clock().advance(std::time::Duration::from_secs(60));
        association.ask_housing(&first.mark).await;
        association.ask_housing(&second.mark).await;
        association.ask_housing("nobody").await;
        let plan = item(
            by_case(&first.case),
            "P-PLAN",
            v1::Condition::Housing,
            v1::Granularity::StatusWithDates,
        );
        assert!(municipality.ask(plan).await.is_some());
        match minute {
            0 => drop(municipality.consent(bsn(&first.bsn)).await),
            1 => drop(municipality.try_consent(short.clone()).await.unwrap()),
            2 => drop(care.withdraw(bsn(&first.bsn)).await),
            3 => {
                let solved = v1::ConditionStatus::Arranged;
                pi.report(&first.case, v1::Condition::Housing, solved).await;
            }
            _ => drop(municipality.consent(bsn(&first.bsn)).await),
        }
    }
    broker.stop().await;
    let log = broker.check_log().await;
    let mut replayed = Replayed::default();
    let mut decisions = 0;
    for (index, details) in log.details(broker.place()).into_iter().enumerate() {
        let details = details.expect("nothing was erased");
        let at = Timestamp::from_millis(log.leaves[index].at_ms).unwrap();
        decisions += usize::from(replayed.decides(&details, at));
        replayed.apply(&details, EntryIndex(u64::try_from(index).unwrap()), at);
    }
    assert_eq!(decisions, 24, "four a minute");
    let association: PartyId = "wonen-zuid".parse().unwrap();
    assert!(
        replayed.registry.party(&association).is_some(),
        "the registry came from the log too"
    );
}
