//! Invariant 5, over several calls: who asks twice learns no more than who asks once. Whatever two receipts about
//! somebody known have in common, two receipts about nobody have too.

use std::time::Duration;

use schakel_api::v1::{self, lift_restriction_response::Outcome as Lifted};
use schakel_audit::leaf::Leaf;
use schakel_tests::{Party, Scene, TestBroker, actor, at, bsn, bsn_number, key};

/// A little more than a month: tags change with the month.
const MONTH: Duration = Duration::from_secs(32 * 86_400);

fn leaf(receipt: Option<v1::Receipt>) -> Leaf {
    Leaf::decode(&receipt.expect("a receipt").leaf).expect("a leaf")
}

async fn restrict(party: &Party, number: &str) -> (String, Leaf) {
    let request = v1::RecordRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(number)),
        kind: v1::RestrictionKind::Objection.into(),
        controller_party_id: None,
        conditions: Vec::new(),
    };
    let answer = party.consents().record_restriction(request).await.unwrap();
    let answer = answer.into_inner();
    (answer.restriction_id, leaf(answer.receipt))
}

async fn lift(party: &Party, number: &str, restriction_id: String) -> Leaf {
    let request = v1::LiftRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(number)),
        restriction_id,
    };
    let answer = party.consents().lift_restriction(request).await.unwrap();
    match answer.into_inner().outcome {
        Some(Lifted::Lifted(lifted)) => leaf(lifted.receipt),
        other => panic!("{other:?} tells that nothing is recorded about the person"),
    }
}

async fn withhold(party: &Party, number: &str, broker: &TestBroker) -> Leaf {
    let request = v1::RecordWithholdingRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(number)),
        ground: "UAVG_41_1_I".into(),
        entry_indexes: vec![1],
        until: at(broker.now().plus_days(30)),
        counted: false,
    };
    let answer = party.audit().record_withholding(request).await.unwrap();
    leaf(answer.into_inner().receipt)
}

async fn redeem(party: &Party, code: &str, client_ref: &str) -> Leaf {
    let request = v1::RedeemRequest {
        idempotency_key: key(),
        actor: actor(),
        code: code.into(),
        client_ref: client_ref.into(),
    };
    let answer = party.exchange().redeem(request).await.unwrap();
    leaf(answer.into_inner().receipt)
}

/// Who asks about people with whom it has nothing to do, and the officer of such a controller.
struct Outsiders {
    parties: Vec<Party>,
    officer: Party,
}

impl Outsiders {
    async fn of(broker: &TestBroker) -> Self {
        let mut parties = Vec::new();
        for id in ["gemeente-west", "uwv-test", "zorg-midden"] {
            parties.push(broker.party(id).await);
        }
        let officer = broker.party("fg-wonen-zuid").await;
        Self { parties, officer }
    }

    /// Every call about a number that is answered the same for nobody, each made twice.
    async fn call(&self, broker: &TestBroker, number: &str) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for party in self.parties.iter().chain([&self.officer]) {
            for _ in 0..2 {
                leaves.push(leaf(Some(party.withdraw(bsn(number)).await)));
                let (id, restricted) = restrict(party, number).await;
                leaves.push(restricted);
                leaves.push(lift(party, number, id).await);
            }
        }
        for party in &self.parties {
            for _ in 0..2 {
                leaves.push(withhold(party, number, broker).await);
            }
        }
        leaves
    }
}

/// What two leaves have in common, beside what is another in every entry.
fn relation(one: &Leaf, other: &Leaf) -> [bool; 9] {
    [
        one.entry_type == other.entry_type,
        one.party == other.party,
        one.transport == other.transport,
        one.purpose == other.purpose,
        one.released == other.released,
        one.subject_tag == other.subject_tag,
        one.subject_tag.is_some() == other.subject_tag.is_some(),
        (one.class, one.destroy, one.rules) == (other.class, other.destroy, other.rules),
        one.encode().len() == other.encode().len(),
    ]
}

fn relations(leaves: &[Leaf]) -> Vec<[bool; 9]> {
    let pairs = leaves
        .iter()
        .flat_map(|one| leaves.iter().map(move |other| relation(one, other)));
    pairs.collect()
}

/// Somebody known elsewhere, nobody, and somebody who becomes known meanwhile: an outsider that calls again and
/// again over months gets receipts that are related alike.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_two_receipts_tell_no_more_than_one() {
    let broker = TestBroker::start().await;
    let known = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&known.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    association
        .ask_housing(&known.mark)
        .await
        .expect("somebody who was served");
    let (nobody, later) = (bsn_number(8), bsn_number(9));
    let outsiders = Outsiders::of(&broker).await;
    let numbers = [&known.bsn, &nobody, &later];
    let mut leaves = [const { Vec::new() }; 3];
    for month in 0..3 {
        for (number, leaves) in numbers.iter().zip(&mut leaves) {
            leaves.extend(outsiders.call(&broker, number).await);
        }
        if month == 1 {
            let pi = broker.party("pi-noord").await;
            pi.open_case(&later, Some("gemeente-oost")).await;
            for (number, leaves) in numbers.iter().zip(&mut leaves) {
                leaves.extend(outsiders.call(&broker, number).await);
            }
        }
        broker.clock().advance(MONTH);
    }
    let [known, nobody, later] = leaves.map(|leaves| relations(&leaves));
    assert!(known == nobody, "known elsewhere and nobody");
    assert!(later == nobody, "becomes known, and nobody");
}

/// A redemption or an acknowledgement that came to something is related to what follows as one that did not.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_what_worked_is_not_told_from_what_did_not() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    let income = v1::Condition::Income;
    let code = municipality
        .introduce(&scene.case, "wonen-zuid", income)
        .await;
    let other = municipality
        .introduce(&scene.case, "uwv-test", income)
        .await;
    let mut redeemed = Vec::new();
    // A code that works and then is used up, and one of another partner.
    for (code, mark) in [
        (&code, "huurder-1"),
        (&code, "huurder-1"),
        (&other, "huurder-2"),
        (&other, "huurder-3"),
    ] {
        redeemed.push(redeem(&association, code, mark).await);
    }
    let pi = broker.party("pi-noord").await;
    let debt = v1::Condition::Debt;
    let reported = pi
        .report(&scene.case, debt, v1::ConditionStatus::ActionNeeded)
        .await;
    assert!(reported);
    let pulled = municipality.pull(None, 10).await;
    let delivery = pulled.messages[0].delivery_id.clone();
    let mut acknowledged = Vec::new();
    for delivery in [&delivery, &delivery, &key(), &key()] {
        let receipts = municipality.acknowledge(vec![delivery.clone()]).await;
        acknowledged.push(leaf(receipts.into_iter().next()));
    }
    let asked = association.ask_housing(&scene.mark).await;
    assert!(asked.is_some());
    for leaves in [redeemed, acknowledged] {
        let all = relations(&leaves);
        let apart = |pair: &usize| pair / leaves.len() != pair % leaves.len();
        let pairs: Vec<_> = (0..all.len()).filter(apart).map(|pair| all[pair]).collect();
        assert!(
            pairs.iter().all(|pair| *pair == pairs[0]),
            "every two are related alike"
        );
    }
}
