//! A party that was never registered: whatever names one is refused, so that a typing error never reads as if there
//! were nothing, or as if something had been done.

use schakel_api::v1::{self, get_breach_request::By, propose_search_request::Question};
use schakel_tests::{Party, Scene, TestBroker, actor, at, bsn, key};

use super::{Row, check, refused, with};

/// What everybody is told of a name that nobody has.
const RULE: &str = "must be a party that is or was registered";

fn withdrawal(scene: &Scene, recipient: &str) -> v1::WithdrawConsentRequest {
    v1::WithdrawConsentRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(&scene.bsn)),
        conditions: Vec::new(),
        recipient_party_id: Some(recipient.to_owned()),
    }
}

/// A withdrawal is refused for nothing else: of a recipient that is suspended it is taken, and counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_towards_nobody_registered_is_refused_and_one_towards_a_suspended_party_is_taken()
 {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let town = broker.party("gemeente-oost").await;
    town.consent(bsn(&scene.bsn)).await;
    let entries = broker.check_log().await.leaves.len();
    for who in [scene.bsn.clone(), schakel_tests::bsn_number(8)] {
        let mistyped = with(withdrawal(&scene, "wonen-zud"), |request| {
            request.subject = Some(bsn(&who));
        });
        let told = town.consents().withdraw_consent(mistyped).await;
        let row = refused("a mistyped recipient", "recipient_party_id", told);
        assert!(row.2.message().contains(RULE), "{:?}", row.2);
        check(vec![row]);
    }
    assert_eq!(broker.check_log().await.leaves.len(), entries);

    let home = broker.party("wonen-zuid").await;
    assert!(home.ask_housing(&scene.mark).await.is_some());
    let suspend = v1::StopRequest {
        idempotency_key: key(),
        reason: v1::StopReason::KeyCompromise.into(),
        what: Some(v1::stop_request::What::PartyId("wonen-zuid".into())),
    };
    let administrator = broker.party("beheer-een").await;
    administrator.registry().stop(suspend).await.unwrap();
    let taken = town
        .consents()
        .withdraw_consent(withdrawal(&scene, "wonen-zuid"))
        .await;
    assert!(taken.is_ok(), "{taken:?}");
    let list = v1::ListConsentsRequest {
        actor: actor(),
        subject: Some(bsn(&scene.bsn)),
    };
    let listed = town.consents().list_consents(list).await.unwrap();
    let Some(v1::list_consents_response::Outcome::Consents(listed)) = listed.into_inner().outcome
    else {
        panic!("the consents of the municipality");
    };
    let withdrawn = v1::ConsentState::Withdrawn;
    assert_eq!(listed.consents[0].state(), withdrawn);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_by_a_name_that_nobody_has_and_at_a_time_to_come_is_refused() {
    let broker = TestBroker::start().await;
    let officer = broker.party("fg-gemeente-oost").await;
    let tomorrow = at(broker.now().plus_days(1));
    let breach = |by| v1::GetBreachRequest {
        actor: actor(),
        purpose: "P-ACCOUNTABILITY".into(),
        by: Some(by),
        period: Some(v1::Period {
            from: at(broker.place().furnished_at()),
            until: tomorrow,
        }),
        discovered_at: at(broker.now()),
        ..v1::GetBreachRequest::default()
    };
    let nobody = || By::PartyId("wonen-zud".into());
    let ask = async |what, field, request| {
        refused(what, field, officer.audit().get_breach(request).await)
    };
    let early = with(breach(By::PartyId("wonen-zuid".into())), |request| {
        request.discovered_at = tomorrow;
    });
    let as_of = v1::GetAsOfRequest {
        actor: actor(),
        purpose: "P-ACCOUNTABILITY".into(),
        subject: Some(bsn("999999990")),
        at: tomorrow,
    };
    check(vec![
        ask("a breach by nobody", "party_id", breach(nobody())).await,
        ask(
            "a number of nobody",
            "oin",
            breach(By::Oin("00000099000000990000".into())),
        )
        .await,
        ask("a breach to come", "discovered_at", early).await,
        proposed(
            &officer,
            "breach.party_id",
            Question::Breach(breach(nobody())),
        )
        .await,
        refused(
            "a time to come",
            "at",
            officer.audit().get_as_of(as_of).await,
        ),
        reported(&officer).await,
    ]);
}

async fn proposed(officer: &Party, field: &'static str, question: Question) -> Row {
    let request = v1::ProposeSearchRequest {
        question: Some(question),
    };
    let answer = officer.audit().propose_search(request).await;
    refused("a question that is proposed", field, answer)
}

async fn reported(officer: &Party) -> Row {
    let request = v1::GetReportRequest {
        actor: actor(),
        purpose: "P-ACCOUNTABILITY".into(),
        report: v1::Report::Denials.into(),
        party_id: Some("wonen-zud".into()),
        ..v1::GetReportRequest::default()
    };
    let answer = officer.audit().get_report(request).await;
    refused("a report about nobody", "party_id", answer)
}
