//! Nothing is taken on trust.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_audit::{leaf::EntryType, tree::Hash};
use schakel_client::{Client, ClientError, HeadError, Incomplete, ReceiptError};

use crate::{broker::Broker, log::leaf, service::Step};

/// Asks; the broker lies as the closure does.
async fn ask(
    broker: &Broker,
    client: &Client,
    lie: impl Fn(&mut v1::Disclosed) + Send + 'static,
) -> Result<v1::AskResponse, ClientError> {
    let lie = move |answer: &mut v1::AskResponse| match &mut answer.outcome {
        Some(v1::ask_response::Outcome::Disclosed(disclosed)) => lie(disclosed),
        other => panic!("{other:?}"),
    };
    broker
        .service
        .state()
        .script
        .push_back(Step::LieAsk(Box::new(lie)));
    client.ask(v1::AskRequest::default()).await
}

/// Why an answer was refused, when its receipt was why.
fn receipt_error<T>(result: Result<T, ClientError>) -> ReceiptError {
    match result {
        Err(ClientError::Receipt(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("the answer was accepted"),
    }
}

fn flip(bytes: &mut Bytes, bit: usize) {
    let mut flipped = bytes.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    *bytes = flipped.into();
}

#[tokio::test]
async fn what_holds_is_answered_and_the_checkpoint_of_a_batch_is_verified_once() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    client.ask(v1::AskRequest::default()).await.unwrap();
    assert_eq!(client.trail().signatures_checked(), 1);
    let before = client.trail().signatures_checked();
    let read = || client.get_checkpoint(v1::GetCheckpointRequest {});
    for _ in 0..5 {
        read().await.unwrap();
    }
    assert_eq!(client.trail().signatures_checked(), before);
    assert_eq!(client.trail().newest().unwrap().checkpoint.size, 6);
}

/// Every bit of a receipt is flipped beside the code that checks it; here, that the client asks that code.
#[tokio::test]
async fn an_answer_with_a_bit_flipped_is_refused() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    for bit in (0..256).step_by(17) {
        let content = move |told: &mut v1::Disclosed| flip(&mut told.disclosure, bit % 64);
        let error = receipt_error(ask(&broker, &client, content).await);
        assert!(
            matches!(error, ReceiptError::Commitment { .. }),
            "{error:?}"
        );
        let hash = move |told: &mut v1::Disclosed| {
            flip(&mut told.receipt.as_mut().unwrap().hashes[0], bit);
        };
        let error = receipt_error(ask(&broker, &client, hash).await);
        assert!(matches!(error, ReceiptError::Inclusion(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_proof_with_a_hash_more_or_less_is_refused() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    let less = |told: &mut v1::Disclosed| drop(told.receipt.as_mut().unwrap().hashes.pop());
    let more = |told: &mut v1::Disclosed| {
        let hashes = &mut told.receipt.as_mut().unwrap().hashes;
        hashes.push(hashes[0].clone());
    };
    let short = |told: &mut v1::Disclosed| {
        told.receipt.as_mut().unwrap().hashes[0] = Bytes::from_static(&[0; 31]);
    };
    let inclusion = |error| matches!(error, ReceiptError::Inclusion(_));
    assert!(inclusion(receipt_error(ask(&broker, &client, less).await)));
    assert!(inclusion(receipt_error(ask(&broker, &client, more).await)));
    let error = receipt_error(ask(&broker, &client, short).await);
    assert_eq!(error, ReceiptError::HashLength { at: 0, got: 31 });
}

#[tokio::test]
async fn an_entry_of_another_party_act_or_time_proves_nothing() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    broker.service.state().party = "gemeente-oost".into();
    let error = receipt_error(ask(&broker, &client, |_| {}).await);
    assert!(matches!(error, ReceiptError::OtherParty { got, .. } if got == "gemeente-oost"));
    broker.service.state().party = crate::service::PARTY.into();
    broker.service.state().transport = Some("softwarehuis".into());
    let error = receipt_error(ask(&broker, &client, |_| {}).await);
    assert!(
        matches!(error, ReceiptError::OtherParty { got, .. } if got == "wonen-zuid by softwarehuis")
    );
    broker.service.state().transport = None;

    let entry = broker
        .service
        .state()
        .log
        .append(&leaf(EntryType::Consent, "wonen-zuid", 77));
    let consent = broker.service.state().log.receipt(entry);
    let other = move |told: &mut v1::Disclosed| told.receipt = Some(consent.clone());
    let error = receipt_error(ask(&broker, &client, other).await);
    assert!(matches!(
        error,
        ReceiptError::OtherAct {
            got: EntryType::Consent,
            ..
        }
    ));
}

#[tokio::test]
async fn an_old_answer_is_not_taken_for_a_new_one() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    let first = client.ask(v1::AskRequest::default()).await.unwrap();
    let Some(v1::ask_response::Outcome::Disclosed(first)) = first.outcome else {
        panic!()
    };
    client.ask(v1::AskRequest::default()).await.unwrap();
    // The same entry, proved under the newest checkpoint, with the content it is committed to.
    let index = first.receipt.as_ref().unwrap().index;
    let proof = broker.service.state().log.receipt(index);
    let mut again = first;
    again.receipt = Some(proof);
    let error = receipt_error(ask(&broker, &client, move |told| *told = again.clone()).await);
    assert!(matches!(error, ReceiptError::Replayed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_forked_log_is_found_out_and_both_notes_are_kept() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    client.ask(v1::AskRequest::default()).await.unwrap();
    let (first, second) = {
        let mut state = broker.service.state();
        let forked = state
            .log
            .checkpoint_of(state.log.size(), Hash::new([1; 32]));
        state.checkpoint = Some(forked.clone());
        (state.log.checkpoint(), forked)
    };
    let error = client
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Head(HeadError::Fork(_))),
        "{error:?}"
    );
    let fork = client.trail().fork().unwrap();
    assert_eq!(
        (fork.first.note.clone(), fork.second.note.clone()),
        (first, second)
    );
    broker.service.state().checkpoint = None;
    let error = receipt_error(client.ask(v1::AskRequest::default()).await);
    assert!(
        error.fork().is_some(),
        "nothing of a forked log is believed"
    );
}

#[tokio::test]
async fn an_answer_with_parts_missing_is_refused() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    let error = ask(&broker, &client, |told| told.receipt = None)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        ClientError::Incomplete(Incomplete { what: "receipt" })
    ));
    let nothing = |answer: &mut v1::AskResponse| answer.outcome = None;
    broker
        .service
        .state()
        .script
        .push_back(Step::LieAsk(Box::new(nothing)));
    let error = client.ask(v1::AskRequest::default()).await.unwrap_err();
    assert!(matches!(
        error,
        ClientError::Incomplete(Incomplete { what: "outcome" })
    ));
    let request = v1::AskBatchRequest {
        items: vec![v1::AskItem::default(); 2],
        ..v1::AskBatchRequest::default()
    };
    let error = client.ask_batch(request).await.unwrap_err();
    assert!(matches!(error, ClientError::Incomplete(_)));
    let short = |answer: &mut v1::AskResponse| {
        let reference = Bytes::from_static(&[1; 15]);
        let denial = v1::NotDisclosed { reference };
        answer.outcome = Some(v1::ask_response::Outcome::NotDisclosed(denial));
    };
    broker
        .service
        .state()
        .script
        .push_back(Step::LieAsk(Box::new(short)));
    let error = client.ask(v1::AskRequest::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::Incomplete(_)));
}

#[tokio::test]
async fn the_entry_shown_is_the_entry_asked_for() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    let ask = |index| v1::GetEntryRequest {
        actor: None,
        index,
        purpose: None,
    };
    client.get_entry(ask(1)).await.unwrap();
    let error = receipt_error(client.get_entry(ask(2)).await);
    assert_eq!(error, ReceiptError::OtherEntry { want: 2, got: 1 });
}
