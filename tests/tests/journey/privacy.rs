//! Invariant 7: the leaf, and everything else that is not sealed, says nothing about a person.

use std::{fs, path::Path};

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_tests::{Scene, TestBroker, actor, bsn, key};

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Every file below a directory; the zeros at the end of each are left out.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else {
            let mut bytes = fs::read(&entry).unwrap();
            let len = bytes
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |last| last + 1);
            bytes.truncate(len);
            found.push((entry.display().to_string(), bytes));
        }
    }
    found
}

/// No status, no number, no mark, no employee stands in a leaf, nor anywhere in the data directory in the
/// clear: not in the log, the view or the indexes.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_7_nothing_personal_in_the_clear() {
    let mut broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 123_456).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    municipality.consent(bsn(&scene.bsn)).await;
    association
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    municipality.pull(None, 10).await;
    municipality.withdraw(bsn(&scene.bsn)).await;
    association.pull(None, 10).await;
    broker.stop().await;
    let log = broker.check_log().await;
    let case = scene.case.replace('-', "");
    let secrets: Vec<(&str, Vec<u8>)> = vec![
        ("the number", scene.bsn.clone().into_bytes()),
        ("the mark", scene.mark.clone().into_bytes()),
        ("the employee", actor().unwrap().actor_ref.into_bytes()),
        ("the case", hex::decode(case).unwrap()),
        ("the case, written", scene.case.clone().into_bytes()),
    ];
    let statuses = ["ACTION_NEEDED", "ActionNeeded", "HOUSING\0", "NOT_ASSESSED"];
    for leaf in &log.encoded {
        for (what, needle) in &secrets {
            assert!(!holds(leaf, needle), "{what} in a leaf");
        }
        assert!(
            statuses
                .iter()
                .all(|status| !holds(leaf, status.as_bytes())),
            "a status in a leaf"
        );
    }
    let files = files(&broker.place().data());
    assert!(
        files
            .iter()
            .any(|(name, bytes)| name.contains("view") && !bytes.is_empty())
    );
    for (name, bytes) in files {
        for (what, needle) in &secrets {
            assert!(!holds(&bytes, needle), "{what} in {name}");
        }
    }
    // The search would find them: the broker's own words are there.
    assert!(log.encoded.iter().any(|leaf| holds(leaf, b"wonen-zuid")));
}

/// Entries about the same fact have nothing in common that could be recognised or guessed, and those about
/// different facts are as long.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_7_nothing_in_a_leaf_can_be_guessed() {
    let broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    let scene = Scene::set(&broker, 1).await;
    let start = broker.check_log().await.leaves.len();
    for status in [
        v1::ConditionStatus::InOrder,
        v1::ConditionStatus::InOrder,
        v1::ConditionStatus::ActionNeeded,
        v1::ConditionStatus::Unresolved,
    ] {
        pi.report(&scene.case, v1::Condition::Debt, status).await;
    }
    let log = broker.check_log().await;
    let leaves = &log.leaves[start..];
    assert_eq!(leaves.len(), 4);
    for (index, leaf) in leaves.iter().enumerate() {
        assert_eq!(leaf.entry_type, EntryType::Status);
        assert_eq!(
            log.encoded[start + index].len(),
            log.encoded[start].len(),
            "one length"
        );
        assert_eq!(
            log.sealed[start + index].len(),
            log.sealed[start].len(),
            "one length sealed"
        );
        for other in &leaves[index + 1..] {
            assert_ne!(leaf.commitment, other.commitment);
            assert_ne!(leaf.id, other.id);
        }
    }
}

/// The same person is another tag for another party: receipts cannot be laid side by side.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_7_a_tag_means_nothing_to_another_party() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    municipality.consent(bsn(&scene.bsn)).await;
    association
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    association
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    let request = v1::ListConsentsRequest {
        actor: actor(),
        subject: Some(bsn(&scene.bsn)),
    };
    municipality
        .consents()
        .list_consents(request)
        .await
        .unwrap();
    let log = broker.check_log().await;
    let tags = |party: &str| -> std::collections::BTreeSet<_> {
        let of = log.leaves.iter().filter(|leaf| leaf.party == party);
        of.filter_map(|leaf| leaf.subject_tag).collect()
    };
    let (ours, theirs) = (tags("gemeente-oost"), tags("wonen-zuid"));
    assert!(!ours.is_empty() && !theirs.is_empty());
    assert!(ours.is_disjoint(&theirs), "{ours:?} {theirs:?}");
}

/// What an outsider is told does not say that there is a prison in it: not by name, basis, moment or regime.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_an_outsider_is_told_nothing_of_detention() {
    use prost::Message as _;
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    let mut request = schakel_tests::consent(bsn(&scene.bsn), broker.now());
    request.idempotency_key = key();
    municipality.try_consent(request).await.unwrap().unwrap();
    let told = association
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    assert_eq!(told.regime(), v1::Regime::Avg);
    let [item] = &told.items[..] else {
        panic!("{told:?}")
    };
    assert!(item.moment.is_none() && item.provider_basis.is_none());
    assert_eq!(item.counterpart_party_id, "gemeente-oost");
    let bytes = told.encode_to_vec();
    for word in ["pi-noord", "PBW", "WJSG", "Wjsg", "Pbw", "detenti"] {
        assert!(!holds(&bytes, word.as_bytes()), "{word}");
    }
}
