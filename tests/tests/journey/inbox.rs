//! The inbox: every message is decided when it leaves, none is lost, and what may not be read leaves no gap.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use schakel_api::v1::{self, message::Content};
use schakel_client::Register;
use schakel_tests::{Party, Scene, Settings, TestBroker, actor, at, bsn, key, reason};
use tokio::time::timeout;
use tonic::Code;

use super::registry::change;

/// A second version of the association's purpose, under which changed statuses are delivered.
pub(super) async fn deliver_housing(broker: &TestBroker) {
    let pi = broker.party("pi-noord").await;
    let purposes = pi
        .registry()
        .list_purposes(v1::ListPurposesRequest {})
        .await
        .unwrap()
        .into_inner();
    let mut version = purposes
        .purposes
        .into_iter()
        .find(|purpose| purpose.code == schakel_tests::HOUSING)
        .unwrap();
    version.version = 2;
    version.deliver = true;
    version.validity = Some(v1::Period {
        from: at(broker.now()),
        until: None,
    });
    change(broker, v1::change::Change::PutPurpose(version)).await;
}

async fn report(pi: &Party, scene: &Scene, status: v1::ConditionStatus) {
    assert!(pi.report(&scene.case, v1::Condition::Housing, status).await);
}

fn ids(messages: &[v1::Message]) -> Vec<String> {
    messages
        .iter()
        .map(|message| message.delivery_id.clone())
        .collect()
}

/// What was pulled and not acknowledged is handed over again, the same deliveries in the same order; what
/// was acknowledged is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_acknowledged_comes_again() {
    let broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    let municipality = broker.party("gemeente-oost").await;
    for n in 1..=3 {
        Scene::set(&broker, n).await;
    }
    let first = municipality.pull(None, 2).await;
    assert_eq!(first.messages.len(), 2);
    let rest = municipality.pull(Some(first.cursor.to_vec()), 10).await;
    assert_eq!(
        rest.messages.len(),
        1,
        "after the cursor comes what follows"
    );
    let all = [ids(&first.messages), ids(&rest.messages)].concat();
    assert_eq!(
        ids(&municipality.pull(None, 10).await.messages),
        all,
        "from the beginning"
    );
    municipality.acknowledge(all[..2].to_vec()).await;
    assert_eq!(ids(&municipality.pull(None, 10).await.messages), all[2..]);
    // Once more, and of somebody else's: the same answer, and nothing changes.
    let again = municipality.acknowledge(vec![all[0].clone()]).await;
    assert_eq!(again.len(), 1);
    let foreign = pi.acknowledge(vec![all[2].clone()]).await;
    assert_eq!(foreign.len(), 1);
    assert_eq!(
        foreign[0].leaf.len(),
        again[0].leaf.len() - "gemeente-oost".len() + "pi-noord".len()
    );
    assert_eq!(ids(&municipality.pull(None, 10).await.messages), all[2..]);
    broker.check_log().await;
}

/// A subscription goes on where it stopped, over a restart: every message once, none lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_goes_on_after_a_restart() {
    let mut broker = TestBroker::start().await;
    let municipality = broker.party("gemeente-oost").await;
    let (first, second) = (Scene::set(&broker, 1).await, Scene::set(&broker, 2).await);
    let mut stream = municipality.subscribe(None).await;
    let one = municipality.next(&mut stream).await;
    broker.stop().await;
    let end = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(status) => break Some(status.code()),
        }
    };
    assert!(
        matches!(end, Some(Code::Unavailable)),
        "the stream ends with UNAVAILABLE: {end:?}"
    );
    broker.run().await.unwrap();
    let municipality = broker.party("gemeente-oost").await;
    let mut stream = municipality.subscribe(Some(one.cursor.to_vec())).await;
    let other = municipality.next(&mut stream).await;
    assert_ne!(other.delivery_id, one.delivery_id);
    let pi = broker.party("pi-noord").await;
    report(&pi, &first, v1::ConditionStatus::InProgress).await;
    report(&pi, &second, v1::ConditionStatus::Arranged).await;
    let later = [
        municipality.next(&mut stream).await,
        municipality.next(&mut stream).await,
    ];
    let all = municipality.pull(None, 100).await;
    let expected = [ids(&[one, other]), ids(&later)].concat();
    assert_eq!(
        ids(&all.messages),
        expected,
        "four, in the order in which they came"
    );
    broker.check_log().await;
}

/// A program that stops waiting for a message, however often, gets it the next time it waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_cancelled_loses_no_message() {
    let broker = TestBroker::start_with(Settings {
        system_clock: true,
        ..Settings::default()
    })
    .await;
    let municipality = broker.party("gemeente-oost").await;
    for n in 1..=3 {
        Scene::set(&broker, n).await;
    }
    let all = ids(&municipality.pull(None, 100).await.messages);
    let dir = tempfile::tempdir().unwrap();
    let register = Arc::new(Register::open(dir.path().join("held")).unwrap());
    let client = broker.client("gemeente-oost", Some(register)).await;
    let mut subscription = client.subscribe(actor().unwrap(), None);
    let mut given = Vec::new();
    while given.len() < all.len() {
        // One poll, and gone: whatever it was waiting for, the stream or the disk, is cancelled.
        for _ in 0..2000 {
            let next = std::pin::pin!(subscription.next());
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(message) = next.poll(&mut context) {
                given.push(message.unwrap());
            }
            tokio::task::yield_now().await;
        }
        if given.len() < all.len() {
            let next = timeout(Duration::from_secs(10), subscription.next()).await;
            given.push(next.expect("a message was lost").unwrap());
        }
    }
    assert_eq!(ids(&given), all);
}

/// A silent subscription sends heartbeats with a cursor to go on from.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_subscription_lives() {
    let broker = TestBroker::start().await;
    let municipality = broker.party("gemeente-oost").await;
    let mut stream = municipality.subscribe(None).await;
    let event = stream.message().await.unwrap().unwrap().event.unwrap();
    let v1::subscribe_response::Event::Heartbeat(heartbeat) = event else {
        panic!("{event:?}")
    };
    Scene::set(&broker, 1).await;
    let mut stream = municipality
        .subscribe(Some(heartbeat.cursor.to_vec()))
        .await;
    municipality.next(&mut stream).await;
}

/// A message that waits is decided when it leaves: after a withdrawal it does not, and leaves no gap.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_a_message_that_waits_does_not_outlive_its_consent() {
    let broker = TestBroker::start().await;
    deliver_housing(&broker).await;
    let (pi, municipality) = (
        broker.party("pi-noord").await,
        broker.party("gemeente-oost").await,
    );
    let association = broker.party("wonen-zuid").await;
    let (kept, withdrawn) = (Scene::set(&broker, 1).await, Scene::set(&broker, 2).await);
    for scene in [&kept, &withdrawn] {
        municipality.consent(bsn(&scene.bsn)).await;
    }
    report(&pi, &withdrawn, v1::ConditionStatus::InProgress).await;
    report(&pi, &kept, v1::ConditionStatus::InProgress).await;
    municipality.withdraw(bsn(&withdrawn.bsn)).await;
    let pulled = association.pull(None, 10).await.messages;
    let [message] = &pulled[..] else {
        panic!("one message should be left: {pulled:?}")
    };
    assert_eq!(message.subject, Some(schakel_tests::mark(&kept.mark)));
    assert!(matches!(message.content, Some(Content::Disclosed(_))));
    // The next one follows on: its place does not tell that another was dropped.
    report(&pi, &kept, v1::ConditionStatus::Arranged).await;
    let next = association
        .pull(Some(message.cursor.to_vec()), 10)
        .await
        .messages;
    assert_eq!(next.len(), 1);
    let log = broker.check_log().await;
    let positions: Vec<_> = log
        .details(broker.place())
        .into_iter()
        .filter_map(|details| match details?.event {
            schakel_core::event::Event::Delivered(delivered) => Some(delivered.position),
            _ => None,
        })
        .collect();
    assert_eq!(positions, [1, 2], "positions without gaps");
}

/// A withdrawal while a stream is open and nobody reads: what the stream had no room for yet is not sent.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_a_withdrawal_reaches_an_open_stream() {
    let broker = TestBroker::start().await;
    deliver_housing(&broker).await;
    let (pi, municipality) = (
        broker.party("pi-noord").await,
        broker.party("gemeente-oost").await,
    );
    let association = broker.party("wonen-zuid").await;
    let scene = Scene::set(&broker, 1).await;
    municipality.consent(bsn(&scene.bsn)).await;
    let mut stream = association.subscribe(None).await;
    report(&pi, &scene, v1::ConditionStatus::InProgress).await;
    association.next(&mut stream).await;
    let withdrawal = municipality.withdraw(bsn(&scene.bsn)).await;
    report(&pi, &scene, v1::ConditionStatus::Arranged).await;
    let message = association.next(&mut stream).await;
    let Some(Content::Notice(notice)) = message.content else {
        panic!("{message:?}")
    };
    assert_eq!(notice.kind(), v1::NoticeKind::Withdrawal);
    let log = broker.check_log().await;
    let after = usize::try_from(withdrawal.index).unwrap();
    assert!(
        log.leaves[after..]
            .iter()
            .all(|leaf| leaf.released.is_none()),
        "nothing was released after it"
    );
}

/// Whoever was served gets a notice of a withdrawal; the municipality of the case sees who is outstanding, and a
/// stranger that passed the withdrawal on does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_outstanding_until_it_is_acknowledged() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (municipality, care) = (
        broker.party("gemeente-oost").await,
        broker.party("zorg-midden").await,
    );
    let association = broker.party("wonen-zuid").await;
    municipality.consent(bsn(&scene.bsn)).await;
    association
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    let withdrawal = care.withdraw(bsn(&scene.bsn)).await;
    let outstanding = |party: &Party| {
        let request = v1::GetNoticeRequest {
            actor: actor(),
            subject: Some(bsn(&scene.bsn)),
            entry_index: withdrawal.index,
        };
        let mut notices = party.notices();
        async move {
            match notices
                .get_notice(request)
                .await
                .unwrap()
                .into_inner()
                .outcome
                .unwrap()
            {
                v1::get_notice_response::Outcome::Notices(states) => Some(states.outstanding),
                v1::get_notice_response::Outcome::NotDisclosed(_) => None,
            }
        }
    };
    assert_eq!(outstanding(&municipality).await, Some(1));
    assert_eq!(outstanding(&care).await, None, "a stranger's to pass on");
    let messages = association.pull(None, 10).await.messages;
    association.acknowledge(ids(&messages)).await;
    assert_eq!(outstanding(&municipality).await, Some(0));
    assert!(association.pull(None, 10).await.messages.is_empty());
}

/// A cursor is its party's own and of its own kind, and cannot be made up.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_its_partys_own() {
    let broker = TestBroker::start().await;
    Scene::set(&broker, 1).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    let cursor = municipality.pull(None, 10).await.cursor;
    let mut forged = cursor.to_vec();
    forged[0] ^= 1;
    for (party, cursor) in [
        (&association, cursor.to_vec()),
        (&municipality, forged),
        (&municipality, Vec::new()),
        (&municipality, vec![0; 4096]),
    ] {
        let request = v1::PullRequest {
            actor: actor(),
            cursor: Some(cursor.into()),
            max_messages: 10,
        };
        let refused = party.inbox().pull(request).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::InvalidArgument, "INVALID_REQUEST")
        );
        assert_eq!(schakel_tests::violations(&refused)[0].0, "cursor");
    }
    let request = v1::AcknowledgeRequest {
        idempotency_key: key(),
        actor: actor(),
        delivery_ids: vec![key()],
    };
    municipality
        .inbox()
        .acknowledge(request)
        .await
        .expect("nobody's delivery is passed over");
}
