//! What an outsider's officer passes on, and what others do about the same person meanwhile.

use std::time::Duration;

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_tests::{Party, Scene, TestBroker, actor, bsn, bsn_number, consent, key};

use super::{MEANT, PURPOSE, Told};

/// Somebody nobody ever deals with.
const FILLER: u32 = 11;

/// A broker that knows one person, of whom an association was served by law and on consent.
pub(super) async fn knowing(n: u32) -> TestBroker {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, n).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    association
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    broker
}

/// Waits until everybody who calls in what follows has connected, and the broker has recorded with which certificates: an
/// entry of its own in between would move the places of those after it. Gives the approval of the officer's export.
pub(super) async fn all_connected(broker: &TestBroker) -> Bytes {
    let names = [
        "fg-uwv-test",
        "gemeente-oost",
        "pi-noord",
        "toetser",
        "uwv-test",
        "wonen-zuid",
        "zorg-midden",
    ];
    for name in names {
        broker.party(name).await.checkpoint().await;
    }
    let lines = v1::ExportKind::Processings;
    let lines_approved = broker.approved_export("fg-uwv-test", lines).await;
    // The officer's second employee has another certificate.
    let expected = |name: &str| if name == "fg-uwv-test" { 2 } else { 1 };
    uses_recorded(broker, &names.map(|name| (name, expected(name)))).await;
    lines_approved
}

/// Waits until the broker has recorded with how many certificates each of these connected.
pub(in crate::journey) async fn uses_recorded(broker: &TestBroker, names: &[(&str, usize)]) {
    let auditor = broker.party("toetser").await;
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    let recorded = async {
        loop {
            looks.tick().await;
            let request = v1::ListCertificatesRequest {};
            let listed = auditor.registry().list_certificates(request).await.unwrap();
            let used = listed.into_inner().used;
            let all = names.iter().all(|(name, expected)| {
                let used = used.iter().filter(|one| one.party_id == *name);
                used.count() >= *expected
            });
            if all {
                return;
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), recorded).await;
    in_time.expect("the uses of all certificates are recorded every few seconds");
}

/// What the officer passes on for the person, and lifts for its controller: what it recorded itself, what the
/// controller did, and what nobody did.
pub(super) async fn officer_writes(officer: &Party, party: &Party, told: &mut Told) {
    let subject = || bsn(&bsn_number(MEANT));
    let withdrawn = officer.withdraw(subject()).await;
    notice(officer, withdrawn.index, told).await;
    told.receipt("officer's withdrawal", Some(withdrawn));
    let (own, theirs) = (
        restricted(officer, told).await,
        restricted(party, told).await,
    );
    for restriction in [theirs, key(), own] {
        lifted(officer, restriction, told).await;
    }
}

/// Records an objection, and asks which notices it caused.
async fn restricted(by: &Party, told: &mut Told) -> String {
    let request = v1::RecordRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(&bsn_number(MEANT))),
        kind: v1::RestrictionKind::Objection.into(),
        controller_party_id: None,
        conditions: Vec::new(),
    };
    let answer = by.consents().record_restriction(request).await.unwrap();
    let answer = answer.into_inner();
    let receipt = answer.receipt.expect("a receipt");
    notice(by, receipt.index, told).await;
    told.receipt("objection", Some(receipt));
    answer.restriction_id
}

async fn lifted(by: &Party, restriction_id: String, told: &mut Told) {
    let request = v1::LiftRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(&bsn_number(MEANT))),
        restriction_id,
    };
    let answer = by.consents().lift_restriction(request).await.unwrap();
    match answer.into_inner().outcome {
        Some(v1::lift_restriction_response::Outcome::Lifted(done)) => {
            told.receipt("lifted", done.receipt);
        }
        other => panic!("{other:?}"),
    }
}

async fn notice(by: &Party, entry_index: u64, told: &mut Told) {
    let request = v1::GetNoticeRequest {
        actor: actor(),
        subject: Some(bsn(&bsn_number(MEANT))),
        entry_index,
    };
    let answer = by.notices().get_notice(request).await.unwrap();
    let outcome = answer.into_inner().outcome;
    told.note(
        "notice",
        &outcome.map(|outcome| std::mem::discriminant(&outcome)),
    );
}

/// The outsider has to do with the person once it records a consent, be it made up. What it passed on before shows its
/// officer nothing by that.
pub(super) async fn consent_made_up(
    broker: &TestBroker,
    party: &Party,
    officer: &Party,
    told: &mut Told,
) {
    let made_up = consent(bsn(&bsn_number(MEANT)), broker.now());
    party.try_consent(made_up).await.unwrap().expect("an id");
    let request = v1::GetStatementRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: Some(bsn(&bsn_number(MEANT))),
        period: None,
    };
    let answer = officer.audit().get_statement(request).await.unwrap();
    let mut answer = answer.into_inner();
    told.receipt("statement", answer.receipt.take());
    assert_eq!(answer.consents.len(), 1, "its own");
    for consent in &mut answer.consents {
        consent.consent_id.clear();
    }
    told.note("statement after a consent", &answer);
}

/// What others do about the same person: a stranger passes on an objection, and who was served takes the notices
/// from its inbox. Whatever of it there was to do, the log is as long afterwards.
pub(super) async fn others_act(broker: &TestBroker, length: u64) {
    let stranger = broker.party("zorg-midden").await;
    restricted(&stranger, &mut Told::default()).await;
    let association = broker.party("wonen-zuid").await;
    for message in association.pull(None, 50).await.messages {
        association.acknowledge(vec![message.delivery_id]).await;
    }
    while stranger.withdraw(bsn(&bsn_number(FILLER))).await.index < length {}
}
