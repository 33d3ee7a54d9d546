//! Both sides find out whether they hold the same: what one lost, that the other's log was rewound, and
//! nothing about denials.

use std::{fs, ops::Range, path::Path, sync::Arc};

use schakel_api::v1;
use schakel_client::{Client, ClientError, HeadError, Register};
use schakel_tests::{HOUSING, Scene, Settings, TestBroker, actor, bsn, item, mark};

const HOUR: u64 = 3_600_000;

async fn start() -> TestBroker {
    TestBroker::start_with(Settings {
        system_clock: true,
        ..Settings::default()
    })
    .await
}

/// The hours around now.
fn around(broker: &TestBroker) -> Range<u64> {
    let now = broker.now().as_millis();
    now - now % HOUR - HOUR..now - now % HOUR + 2 * HOUR
}

fn asked(client_ref: &str) -> v1::AskRequest {
    let signal = v1::Granularity::Signal;
    v1::AskRequest {
        actor: actor(),
        item: Some(item(
            mark(client_ref),
            HOUSING,
            v1::Condition::Housing,
            signal,
        )),
    }
}

/// Asks; the receipt, when something was disclosed.
async fn ask(client: &Client, client_ref: &str) -> Option<v1::Receipt> {
    let answer = client.ask(asked(client_ref)).await.expect("an answer");
    match answer.outcome.expect("an outcome") {
        v1::ask_response::Outcome::Disclosed(disclosed) => disclosed.receipt,
        v1::ask_response::Outcome::NotDisclosed(_) => None,
    }
}

async fn consenting(broker: &TestBroker, n: u32) -> Scene {
    let scene = Scene::set(broker, n).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    scene
}

fn register(dir: &Path, name: &str) -> Arc<Register> {
    Arc::new(Register::open(dir.join(name)).expect("a register"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_learns_exactly_which_receipts_it_lost() {
    let broker = start().await;
    let dir = tempfile::tempdir().unwrap();
    let all = register(dir.path(), "all");
    let scene = consenting(&broker, 1).await;
    let client = broker.client("wonen-zuid", Some(Arc::clone(&all))).await;
    let mut receipts = Vec::new();
    for _ in 0..7 {
        receipts.push(ask(&client, &scene.mark).await.expect("a disclosure"));
    }
    let period = around(&broker);
    let held = all.handed_over(&period);
    let indexes: Vec<_> = receipts.iter().map(|receipt| receipt.index).collect();
    let kept: Vec<_> = held.iter().map(|one| one.index).collect();
    assert_eq!(kept, indexes, "the client kept every receipt by itself");

    let who = || actor().unwrap();
    let same = client.reconcile(&all, who(), period.clone()).await.unwrap();
    assert!(same.agrees() && same.both == 7, "{same:?}");
    assert_eq!(same.recorded.len(), 1, "one comparison is enough");

    let some = register(dir.path(), "some");
    some.keep(receipts.iter().filter(|receipt| receipt.index % 3 != 0))
        .unwrap();
    let lost: Vec<_> = indexes.iter().copied().filter(|at| at % 3 == 0).collect();
    let found = client
        .reconcile(&some, who(), period.clone())
        .await
        .unwrap();
    let lacking: Vec<_> = found.lacking_here.iter().map(|one| one.index).collect();
    assert_eq!(lacking, lost);
    assert_eq!(found.both, 7 - lost.len() as u64);
    assert!(!found.is_evidence(), "{found:?}");
    // What was lost can be had again, with proofs.
    some.keep(&found.lacking_here).unwrap();
    let again = client.reconcile(&some, who(), period).await.unwrap();
    assert!(again.agrees() && again.both == 7);
}

/// The log, view, indexes and keys as they were: what an operator puts back who wants something undone.
fn save(broker: &TestBroker, to: &Path) {
    for name in ["data", "keyring"] {
        copy_all(&broker.place().path(name), &to.join(name));
    }
}

fn rewind(broker: &TestBroker, from: &Path) {
    for name in ["data", "keyring"] {
        fs::remove_dir_all(broker.place().path(name)).unwrap();
        copy_all(&from.join(name), &broker.place().path(name));
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A broker that was put back to an earlier state, keys and all, cannot show what it had signed for.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_rewound_is_found_out_with_both_leaves_as_evidence() {
    let mut broker = start().await;
    let dir = tempfile::tempdir().unwrap();
    let held = register(dir.path(), "held");
    let scene = consenting(&broker, 1).await;
    let client = broker.client("wonen-zuid", Some(Arc::clone(&held))).await;
    let before = ask(&client, &scene.mark).await.expect("a disclosure");
    drop(client);
    broker.stop().await;
    save(&broker, dir.path());
    broker.run().await.unwrap();
    let client = broker.client("wonen-zuid", Some(Arc::clone(&held))).await;
    let mut undone = Vec::new();
    for _ in 0..3 {
        undone.push(ask(&client, &scene.mark).await.expect("a disclosure"));
    }
    drop(client);
    broker.stop().await;
    rewind(&broker, dir.path());
    broker.run().await.unwrap();
    // A program that has seen nothing yet, so that nothing but the register tells.
    let client = broker.client("wonen-zuid", None).await;
    let other = ask(&client, &scene.mark).await.expect("a disclosure");
    assert_eq!(other.index, undone[0].index);
    assert_ne!(other.leaf, undone[0].leaf);

    let period = around(&broker);
    let found = client
        .reconcile(&held, actor().unwrap(), period)
        .await
        .unwrap();
    assert!(found.is_evidence());
    assert_eq!(found.both, 1, "what was before the rewinding");
    let [(ours, theirs)] = &found.differing[..] else {
        panic!("{found:?}")
    };
    assert_eq!((ours, &theirs.leaf), (&undone[0], &other.leaf));
    let lacking: Vec<_> = found.lacking_there.iter().map(|one| one.index).collect();
    assert_eq!(lacking, [undone[1].index, undone[2].index]);
    assert!(found.lacking_here.is_empty());
    let contradiction = *found.contradiction.expect("the head held is gone");
    assert!(
        matches!(
            contradiction,
            ClientError::Head(HeadError::Rollback { .. } | HeadError::Fork(_))
                | ClientError::Inconsistent { .. }
        ),
        "{contradiction:?}"
    );
    assert!(before.index < other.index);
}

/// What the broker says it holds: the digests of a period, or none when they are as the caller said.
async fn shown(client: &Client, period: &Range<u64>) -> v1::PeriodDifference {
    let at = |ms: u64| prost_types::Timestamp {
        seconds: i64::try_from(ms / 1000).unwrap(),
        nanos: 0,
    };
    let held = v1::PeriodDigest {
        period: Some(v1::Period {
            from: Some(at(period.start)),
            until: Some(at(period.end)),
        }),
        digest: vec![0; 32].into(),
        entries: 0,
    };
    let request = v1::CompareDigestsRequest {
        actor: actor(),
        held: vec![held],
    };
    let answer = client.compare_digests(request).await.unwrap();
    let [difference] = <[_; 1]>::try_from(answer.differing).unwrap();
    difference
}

/// Invariant 5: whatever was denied, of whomever, nothing about it shows, not even that there was something.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_denials_leave_no_trace_in_what_is_compared() {
    let broker = start().await;
    let scene = consenting(&broker, 1).await;
    let refusing = Scene::set(&broker, 2).await;
    let client = broker.client("wonen-zuid", None).await;
    ask(&client, &scene.mark).await.expect("a disclosure");
    let period = around(&broker);
    let before = shown(&client, &period).await;
    assert_eq!(before.held.as_ref().unwrap().entries, 1);
    for _ in 0..3 {
        assert!(ask(&client, &refusing.mark).await.is_none());
        assert!(ask(&client, "nobody").await.is_none());
    }
    let association = broker.party("wonen-zuid").await;
    association
        .redeem("0000-0000-0000-0000-0000-0000-0000", "nobody-2")
        .await;
    let after = shown(&client, &period).await;
    assert_eq!(before, after);
    // It is not that nothing shows at all.
    ask(&client, &scene.mark).await.expect("a disclosure");
    assert_ne!(shown(&client, &period).await, after);
    let log = broker.check_log().await;
    let denials = log
        .leaves
        .iter()
        .filter(|leaf| leaf.entry_type == schakel_audit::leaf::EntryType::Denial);
    assert_eq!(denials.count(), 6, "they are in the log");
}

/// Another party's disclosures are nobody else's to compare, and every comparison is an entry.
#[tokio::test(flavor = "multi_thread")]
async fn a_party_compares_what_was_handed_over_to_itself_and_is_recorded() {
    let broker = start().await;
    let scene = consenting(&broker, 1).await;
    let client = broker.client("wonen-zuid", None).await;
    let told = ask(&client, &scene.mark).await.expect("a disclosure");
    let other = broker.client("wonen-noord", None).await;
    let period = around(&broker);
    let nothing = shown(&other, &period).await;
    assert_eq!(nothing.held.unwrap().entries, 0);
    let dir = tempfile::tempdir().unwrap();
    let empty = register(dir.path(), "empty");
    let who = || actor().unwrap();
    let found = other
        .reconcile(&empty, who(), period.clone())
        .await
        .unwrap();
    assert!(found.agrees() && found.both == 0);
    let found = client.reconcile(&empty, who(), period).await.unwrap();
    assert_eq!(found.lacking_here.len(), 1);
    assert_eq!(found.lacking_here[0].leaf, told.leaf);
    let log = broker.check_log().await;
    for receipt in &found.recorded {
        let index = usize::try_from(receipt.index).unwrap();
        let leaf = &log.leaves[index];
        assert_eq!(leaf.entry_type, schakel_audit::leaf::EntryType::LookUp);
        assert_eq!(leaf.party, "wonen-zuid");
    }
    // The whole, its hours, and the list.
    assert_eq!(found.recorded.len(), 2, "{:?}", found.recorded.len());
}
