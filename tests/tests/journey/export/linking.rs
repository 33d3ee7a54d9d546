//! What is opened proves itself and does not link one person across controllers.

use schakel_core::id::{SlotId, SubjectId};
use schakel_store::{
    details::{self, DetailsError},
    seal,
};
use schakel_tests::{Log, holds};

use super::*;

/// Every number and key of persons that the log holds.
fn linking(broker: &TestBroker, log: &Log) -> (BTreeSet<SubjectId>, BTreeSet<SlotId>) {
    let details = log.details(broker.place()).into_iter().flatten();
    let persons = details.filter_map(|details| details.subject).collect();
    let keys = log.sealed.iter().flat_map(|sealed| seal::slots(sealed));
    (persons, keys.collect())
}

/// The prison's export and the municipality's of one person laid together have nothing of the broker's in common. The
/// client verifies every proof and commitment, so what is opened is still what each leaf is committed to.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_export_opens_does_not_link_a_person_across_controllers() {
    let broker = start().await;
    let scene = story(&broker).await;
    let town = broker.party("gemeente-oost").await;
    town.report(
        &scene.case,
        v1::Condition::Income,
        v1::ConditionStatus::ActionNeeded,
    )
    .await;
    let (persons, keys) = linking(&broker, &broker.check_log().await);
    assert!(!persons.is_empty() && keys.len() > 3);
    for officer in ["fg-gemeente-oost", "fg-pi-noord"] {
        let approved = broker.approved_export(officer, Entries).await;
        let client = broker.client(officer, None).await;
        let mut opened = 0;
        for entry in all_entries(&client, 10, Some(approved)).await {
            let Some(v1::exported_entry::Details::Opened(shown)) = entry.details else {
                continue;
            };
            opened += 1;
            for id in &persons {
                assert!(!holds(&shown.details, id.as_bytes()), "{}", entry.index);
            }
            for id in &keys {
                assert!(!holds(&shown.details, id.as_bytes()), "{}", entry.index);
            }
            // They hold a digest of it, so that they are of no use as somebody else's.
            let whole = details::decode(&shown.details);
            assert!(matches!(whole, Err(DetailsError::Links)), "{whole:?}");
        }
        assert!(opened > 1, "{officer}");
    }
}
