//! Invariant 9: erased is erased, and everything else is as it was.

use std::fs;

use schakel_api::v1::{
    self, approve_erasure_response::Outcome as Approved, propose_erasure_response::Outcome as Asked,
};
use schakel_audit::{
    erasure::Erasure,
    leaf::{EntryType, Leaf},
};
use schakel_store::seal;
use schakel_tests::{
    NOTHING, Party, Scene, Settings, TestBroker, actor, at, bsn, by_case, copy, found_anywhere,
};

use v1::ErasureGround::{LoggedWrongly, NotNeeded, Unlawful};

mod exports;
mod rules;
mod shown;
mod waiting;

/// A broker that looks often and changes its key-encryption key at once.
async fn start() -> TestBroker {
    let more = "[retention]\nlook_every = \"20ms\"\nrotate_kek_after = \"0s\"\n";
    let settings = Settings {
        more: more.to_owned(),
        ..Settings::default()
    };
    TestBroker::start_with(settings).await
}

/// The controllers of a scene, each with its privacy officer.
const CONTROLLERS: [(&str, &str); 3] = [
    ("wonen-zuid", "fg-wonen-zuid"),
    ("pi-noord", "fg-pi-noord"),
    ("gemeente-oost", "fg-gemeente-oost"),
];

async fn proposed(officer: &Party, subject: v1::SubjectRef, ground: v1::ErasureGround) -> String {
    match officer.propose_erasure(subject, ground).await {
        Asked::Proposed(proposed) => proposed.proposal_id,
        Asked::Retained(retained) => panic!("{retained:?}"),
    }
}

/// Erases the person of a case for a controller, as two actors do; how many entries that covers.
async fn erase(broker: &TestBroker, case: &str, controller: usize) -> u64 {
    let (controller, officer) = CONTROLLERS[controller];
    let officer = broker.party(officer).await;
    let proposal = proposed(&officer, by_case(case), Unlawful).await;
    let second = broker.party(controller).await;
    match second.approve_erasure(&proposal, Some(by_case(case))).await {
        Ok(Approved::Erased(done)) => done.entries,
        other => panic!("{other:?}"),
    }
}

/// Waits until the keyring stands under another key-encryption key.
async fn rotated(broker: &TestBroker) {
    let administrator = broker.party("beheer-een").await;
    while administrator
        .retention_state()
        .await
        .kek_due_since
        .is_some()
    {
        tokio::task::yield_now().await;
    }
}

/// A person of whom everything is recorded that a scene can record.
async fn lived(broker: &TestBroker, n: u32) -> Scene {
    let scene = Scene::set(broker, n).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    let officer = broker.party("fg-gemeente-oost").await;
    assert!(!officer.search(bsn(&scene.bsn)).await.is_empty());
    for message in municipality.pull(None, 100).await.messages {
        municipality.acknowledge(vec![message.delivery_id]).await;
    }
    scene
}

/// What the parties are told about a person, without receipts.
async fn told(broker: &TestBroker, scene: &Scene) -> Vec<String> {
    let mut parties = Vec::new();
    for (id, _) in CONTROLLERS {
        parties.push(broker.party(id).await);
    }
    scene.told(&parties).await
}

/// After the last controller has erased a person nothing of that person can be read anywhere, whatever is
/// kept of the keyring; others are as they were, and every receipt still verifies.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_9_erased_is_erased() {
    let mut broker = start().await;
    let (scene, other) = (lived(&broker, 1).await, lived(&broker, 2).await);
    let before = told(&broker, &other).await;
    // A backup that lacks a key which was made later is not one to go on with: the month's key for entries
    // about nobody known is there already.
    let association = broker.party("wonen-zuid").await;
    assert!(association.ask_housing("niemand").await.is_none());
    let backup = broker.place().path("backup");
    copy(&broker.place().path("keyring"), &backup);
    let kek = fs::read(broker.place().path("kek")).unwrap();

    let mut covered = 0;
    for controller in 0..CONTROLLERS.len() {
        covered += erase(&broker, &scene.case, controller).await;
    }
    rotated(&broker).await;
    let log = broker.check_log().await;
    broker.stop().await;
    let key = broker.verifier_key().to_string();
    let (exit, said) = broker.place().verify_log(&key);
    let law = "law=\"AVG 17(1)(d)\"";
    let counted = format!("WARN redacted rule=UNLAWFUL {law} erasures=3 entries={covered}\n");
    assert!(exit == Some(0) && said.contains(&counted), "{said}");
    let found = found_anywhere(broker.place(), &log, &scene.secrets());
    assert!(found.is_empty(), "{found:#?}");
    assert!(
        !found_anywhere(broker.place(), &log, &other.secrets()).is_empty(),
        "the search finds what is there"
    );

    broker.run().await.expect("it starts again");
    assert_eq!(told(&broker, &other).await, before);
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.expect("from the log alone");
    assert_eq!(told(&broker, &other).await, before);

    // A keyring from before, with its key-encryption key: erased again before anything is served.
    broker.stop().await;
    fs::remove_dir_all(broker.place().path("keyring")).unwrap();
    copy(&backup, &broker.place().path("keyring"));
    fs::write(broker.place().path("kek"), kek).unwrap();
    broker.run().await.expect("with the keyring of a backup");
    let log = broker.check_log().await;
    let found = found_anywhere(broker.place(), &log, &scene.secrets());
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(told(&broker, &scene).await, NOTHING);
    assert_eq!(told(&broker, &other).await, before);
    broker.check_log().await;
}

/// What the officer is shown as redacted of what each party did.
async fn redacted(broker: &TestBroker, officer: &Party) -> Vec<v1::Entry> {
    let mut redacted = Vec::new();
    for party in ["wonen-zuid", "gemeente-oost", "fg-wonen-zuid"] {
        let request = v1::SearchEntriesRequest {
            actor: actor(),
            purpose: "P-ACCOUNTABILITY".into(),
            party_id: Some(party.into()),
            period: Some(v1::Period {
                from: at(broker.place().furnished_at()),
                until: at(broker.now().plus_days(1)),
            }),
            page_size: 100,
            ..v1::SearchEntriesRequest::default()
        };
        let answer = officer.audit().search_entries(request).await.unwrap();
        let entries = answer.into_inner().entries.into_iter();
        redacted.extend(entries.filter(|entry| entry.redacted.is_some()));
    }
    redacted
}

/// One controller's erasure is nobody else's: it can read nothing any more, the others what they could.
#[tokio::test(flavor = "multi_thread")]
async fn a_controller_erases_for_itself() {
    let mut broker = start().await;
    let scene = lived(&broker, 1).await;
    let before = told(&broker, &scene).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let seen = officer.search(bsn(&scene.bsn)).await.len();
    let covered = erase(&broker, &scene.case, 0).await;

    for restarted in [false, true] {
        if restarted {
            broker.restart().await;
        }
        let after = told(&broker, &scene).await;
        assert_eq!(after[0], "None", "the mark of the association means nobody");
        assert_eq!(after[1..], before[1..]);
        let officer = broker.party("fg-gemeente-oost").await;
        assert!(officer.search(bsn(&scene.bsn)).await.len() >= seen);
        let officer = broker.party("fg-wonen-zuid").await;
        assert!(
            officer
                .search(by_case(&scene.case))
                .await
                .iter()
                .all(|entry| entry.readable && entry.party_id == "fg-wonen-zuid")
        );
        let redacted = redacted(&broker, &officer).await;
        // All but the consent and the introduction, which the municipality recorded.
        assert_eq!(redacted.len() as u64, covered - 2, "{restarted}");
        for entry in redacted {
            let rule = entry.redacted.clone().unwrap();
            assert_eq!(
                (rule.code.as_str(), rule.law_ref.as_str()),
                ("UNLAWFUL", "AVG 17(1)(d)")
            );
            assert!(!entry.readable && entry.actor_ref.is_none(), "{entry:?}");
            let request = v1::ExplainEntryRequest {
                actor: actor(),
                index: entry.index,
                purpose: "P-ACCOUNTABILITY".into(),
                ..v1::ExplainEntryRequest::default()
            };
            let answer = officer.audit().explain_entry(request).await.unwrap();
            match answer.into_inner().outcome.unwrap() {
                v1::explain_entry_response::Outcome::Explanation(told) => {
                    assert_eq!(told.decision, "REDACTED");
                }
                v1::explain_entry_response::Outcome::NotDisclosed(_) => panic!("{entry:?}"),
            }
        }
    }
    broker.check_log().await;
}

/// The erasure entry can be read by whoever has the log and no key, and covers what was erased and no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_tells_what_was_redacted() {
    let broker = start().await;
    let scene = lived(&broker, 1).await;
    lived(&broker, 2).await;
    let mut covered = 0;
    for controller in 0..CONTROLLERS.len() {
        covered += erase(&broker, &scene.case, controller).await;
    }
    let log = broker.check_log().await;
    let told: Vec<Erasure> = log
        .leaves
        .iter()
        .zip(&log.sealed)
        .filter(|(leaf, _)| leaf.entry_type == EntryType::Erasure)
        .map(|(leaf, sealed)| Erasure::open(leaf, &seal::opened(sealed).unwrap()).unwrap())
        .collect();
    assert_eq!(told.len(), 3);
    let covers = |erasure: &Erasure, (index, leaf): (usize, &Leaf)| {
        erasure.covers(u64::try_from(index).unwrap(), leaf)
    };
    let mut counted = 0;
    for (index, opened) in log.details(broker.place()).iter().enumerate() {
        let leaf = &log.leaves[index];
        let by = told
            .iter()
            .filter(|erasure| covers(erasure, (index, leaf)))
            .count();
        counted += by as u64;
        assert!(opened.is_some() || by > 0, "entry {index} is missing");
    }
    assert_eq!(counted, covered);
}

/// A key that is gone without an erasure stops the start, and the broker says which.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_missing_without_an_erasure_stops_the_start() {
    use schakel_store::{
        keyring::{Kek, Keyring},
        random::OsRandom,
    };
    let mut broker = start().await;
    lived(&broker, 1).await;
    let log = broker.check_log().await;
    broker.stop().await;
    let slot = log
        .sealed
        .iter()
        .flat_map(|sealed| seal::slots(sealed))
        .next()
        .unwrap();
    let kek = Kek::read(&broker.place().path("kek")).unwrap();
    let dir = broker.place().path("keyring");
    let keyring = Keyring::open(&dir, kek, Box::new(OsRandom)).unwrap();
    keyring.destroy_slot(slot).unwrap();
    drop(keyring);
    let refused = broker.run().await.unwrap_err();
    assert!(refused.contains("nothing in the log says"), "{refused}");
}
