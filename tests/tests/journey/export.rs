//! Exports from the log itself: who sees what, that nothing is lost or comes twice, and that every run is an
//! entry itself.

use std::collections::BTreeSet;

use prost::bytes::Bytes;
use schakel_api::v1::{
    self,
    ExportKind::{Entries, Processings},
};
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_client::Client;
use schakel_tests::{Scene, Settings, TestBroker, actor, bsn, reason};

mod approval;
mod linking;
mod told;
mod transactions;

const PURPOSE: &str = "P-ACCOUNTABILITY";

async fn start() -> TestBroker {
    TestBroker::start_with(Settings {
        system_clock: true,
        ..Settings::default()
    })
    .await
}

/// A person in a case who consented, of whom the association was told, and somebody nobody knows.
async fn story(broker: &TestBroker) -> Scene {
    let scene = Scene::set(broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let association = broker.party("wonen-zuid").await;
    municipality.consent(bsn(&scene.bsn)).await;
    association.ask_housing(&scene.mark).await.expect("told");
    assert!(association.ask_housing("nobody").await.is_none());
    municipality.withdraw(bsn(&scene.bsn)).await;
    assert!(association.ask_housing(&scene.mark).await.is_none());
    scene
}

fn entries(page_size: u32) -> v1::ExportEntriesRequest {
    v1::ExportEntriesRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        page_size,
        ..v1::ExportEntriesRequest::default()
    }
}

fn processings(page_size: u32) -> v1::ExportProcessingsRequest {
    v1::ExportProcessingsRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        page_size,
        ..v1::ExportProcessingsRequest::default()
    }
}

/// Everything there is to export, in pages; every page is proved and holds to the one before.
async fn all_entries(
    client: &Client,
    page_size: u32,
    approved: Option<Bytes>,
) -> Vec<v1::ExportedEntry> {
    let (mut request, mut before, mut all) = (entries(page_size), None, Vec::new());
    request.search_id = approved;
    loop {
        let section = client
            .export_entries(request.clone(), before.as_deref())
            .await
            .expect("a section");
        all.extend(section.response.entries);
        request.cursor = Some(section.response.cursor);
        before = Some(section.head);
        if !section.response.more {
            return all;
        }
    }
}

async fn all_lines(client: &Client, page_size: u32, approved: &Bytes) -> Vec<v1::ProcessingLine> {
    let (mut request, mut all) = (processings(page_size), Vec::new());
    request.search_id = Some(approved.clone());
    loop {
        let page = client.export_processings(request.clone()).await.unwrap();
        all.extend(page.lines);
        request.cursor = Some(page.cursor);
        if !page.more {
            return all;
        }
    }
}

fn leaves(entries: &[v1::ExportedEntry]) -> Vec<Leaf> {
    let read = |entry: &v1::ExportedEntry| Leaf::decode(&entry.leaf).unwrap();
    entries.iter().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_gets_every_leaf_with_its_proof_and_no_details() {
    let broker = start().await;
    story(&broker).await;
    let client = broker.client("toetser", None).await;
    let all = all_entries(&client, 7, None).await;
    let indexes: Vec<u64> = all.iter().map(|entry| entry.index).collect();
    let expected: Vec<u64> = (0..indexes.len() as u64).collect();
    assert_eq!(indexes, expected, "none is missing");
    assert!(all.iter().all(|entry| entry.details.is_none()));
    let log = broker.check_log().await;
    assert!(
        log.encoded
            .iter()
            .zip(&all)
            .all(|(leaf, entry)| *leaf == entry.leaf)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_gets_what_concerns_the_own_controller_and_opens_what_it_did() {
    let broker = start().await;
    let scene = story(&broker).await;
    let client = broker.client("fg-gemeente-oost", None).await;
    let approved = broker.approved_export("fg-gemeente-oost", Entries).await;
    let all = all_entries(&client, 3, Some(approved)).await;
    let log = broker.check_log().await;
    let opened: Vec<bool> = all.iter().map(|entry| entry.details.is_some()).collect();
    for (entry, (leaf, opened)) in all.iter().zip(leaves(&all).iter().zip(&opened)) {
        // The marks of other parties' employees stand in the details of what those did, and a code that still works in
        // those of an introduction.
        let own = leaf.party == "gemeente-oost" && leaf.entry_type != EntryType::Introduction;
        assert_eq!(*opened, own, "{leaf:?}");
        if let Some(v1::exported_entry::Details::Opened(opened)) = &entry.details {
            let mark = scene.mark.as_bytes();
            let mut windows = opened.details.windows(mark.len());
            assert!(!windows.any(|window| window == mark), "{leaf:?}");
        }
    }
    let details = log.details(broker.place());
    let reached_others = details.iter().flatten().any(|details| {
        let mut notices = details.event.notices().iter();
        notices.any(|notice| notice.recipient.as_str() == "wonen-zuid")
    });
    assert!(reached_others, "a withdrawal that reached the association");
    assert!(opened.contains(&true) && opened.contains(&false));
    let own = |leaf: &&Leaf| leaf.party == "gemeente-oost";
    let there = log.leaves.iter().filter(own).count();
    assert_eq!(leaves(&all).iter().filter(own).count(), there);
    // Whom the exchange does not concern: the auditor's own look-ups, the registry.
    assert!(all.len() < log.leaves.len());
    assert!(
        leaves(&all)
            .iter()
            .all(|leaf| leaf.entry_type != EntryType::Registry)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_to_the_officer_of_a_party_that_may_not_know_of_detention() {
    let broker = start().await;
    let scene = story(&broker).await;
    let client = broker.client("fg-wonen-zuid", None).await;
    let all = all_entries(&client, 100, None).await;
    assert!(all.len() > 3);
    assert!(all.iter().all(|entry| entry.details.is_none()));
    assert!(leaves(&all).iter().all(|leaf| leaf.party != "pi-noord"));
    let approved = broker.approved_export("fg-wonen-zuid", Processings).await;
    for line in all_lines(&client, 100, &approved).await {
        let shown = format!("{line:?}");
        for word in [
            "pi-noord",
            &scene.bsn,
            &scene.case,
            &scene.mark,
            "medewerker",
        ] {
            assert!(!shown.contains(word), "{word} in {shown}");
        }
        // The number of Test-PI Noord.
        assert_ne!(line.foreign_oin.as_deref(), Some("00000099000000010000"));
    }
}

/// Whoever goes on from a cursor gets what follows, once; the run is one entry however many calls it takes.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_11_a_run_is_recorded_once_and_gives_everything_once() {
    let broker = start().await;
    story(&broker).await;
    let client = broker.client("fg-gemeente-oost", None).await;
    let looked = |log: &schakel_tests::Log| {
        let own = log.leaves.iter().filter(|leaf| {
            leaf.entry_type == EntryType::LookUp && leaf.party == "fg-gemeente-oost"
        });
        own.count()
    };
    let before = looked(&broker.check_log().await);
    let one_by_one = all_entries(&client, 1, None).await;
    let log = broker.check_log().await;
    assert_eq!(looked(&log), before + 1);
    let indexes: BTreeSet<u64> = one_by_one.iter().map(|entry| entry.index).collect();
    assert_eq!(indexes.len(), one_by_one.len(), "nothing comes twice");
    // The run itself concerns the controller, so it is exported too; that makes no run of its own.
    let last = leaves(&one_by_one).pop().unwrap();
    assert_eq!(last.party, "fg-gemeente-oost");
    let at_once = all_entries(&client, 500, None).await;
    assert_eq!(
        at_once.len(),
        one_by_one.len(),
        "the second run comes after its page"
    );
    let (mut one, mut other) = (one_by_one, at_once);
    one.iter_mut()
        .chain(&mut other)
        .for_each(|entry| entry.hashes.clear());
    assert_eq!(one, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_party_or_export_and_a_purpose_that_does_not_fit_are_refused() {
    let broker = start().await;
    story(&broker).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let answer = officer.export().export_entries(entries(2)).await.unwrap();
    let cursor = Some(answer.into_inner().cursor);
    let other = v1::ExportProcessingsRequest {
        cursor: cursor.clone(),
        search_id: Some(
            broker
                .approved_export("fg-gemeente-oost", Processings)
                .await,
        ),
        ..processings(2)
    };
    let refused = officer
        .export()
        .export_processings(other)
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "INVALID_REQUEST");
    let neighbour = broker.party("fg-wonen-zuid").await;
    let other = v1::ExportEntriesRequest {
        cursor,
        ..entries(2)
    };
    let refused = neighbour.export().export_entries(other).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_REQUEST");
    for (purpose, why) in [
        ("P-NOTHING", "PURPOSE_UNKNOWN"),
        ("P-ARRANGE-HOUSING", "INVALID_REQUEST"),
    ] {
        let mut request = entries(2);
        request.purpose = purpose.into();
        let refused = officer.export().export_entries(request).await.unwrap_err();
        assert_eq!(reason(&refused), why, "{refused:?}");
    }
}

/// A line without what tells one moment from another.
fn gist(line: &v1::ProcessingLine) -> v1::ProcessingLine {
    v1::ProcessingLine {
        index: 0,
        trace_id: Default::default(),
        span_id: Default::default(),
        start_at: None,
        end_at: None,
        ..line.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logbook_gets_a_line_for_every_processing_and_none_for_looking_into_the_trail() {
    let broker = start().await;
    story(&broker).await;
    let client = broker.client("fg-gemeente-oost", None).await;
    let approved = broker
        .approved_export("fg-gemeente-oost", Processings)
        .await;
    let lines = all_lines(&client, 2, &approved).await;
    let named: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    for name in [
        "partner introduced",
        "consent recorded",
        "status provided",
        "consent withdrawn",
    ] {
        assert_eq!(
            named.iter().filter(|n| **n == name).count(),
            1,
            "{name}: {named:?}"
        );
    }
    assert!(
        !named.iter().any(|name| name.contains("Export")),
        "{named:?}"
    );
    let provided = lines
        .iter()
        .find(|line| line.name == "status provided")
        .unwrap();
    assert_eq!(provided.activity, "P-ARRANGE-HOUSING");
    assert_eq!(provided.activity_version, Some(1));
    assert_eq!(
        provided.foreign_oin.as_deref(),
        Some("00000099000000050000")
    );
    assert_eq!(provided.conditions, [i32::from(v1::Condition::Housing)]);
    let consent = lines
        .iter()
        .find(|line| line.name == "consent recorded")
        .unwrap();
    assert_eq!(
        provided.data_subject_id, consent.data_subject_id,
        "one person, one pseudonym"
    );
    assert_eq!(provided.data_subject_id.as_ref().unwrap().len(), 32);
    let ids: BTreeSet<_> = lines
        .iter()
        .map(|line| (&line.trace_id, &line.span_id))
        .collect();
    assert_eq!(ids.len(), lines.len());
    // Whoever gets a line twice recognises it.
    let again = all_lines(&client, 500, &approved).await;
    assert_eq!(again, lines);
    // Another controller knows the person by another pseudonym, and its line by another span.
    let neighbour = broker.client("fg-wonen-zuid", None).await;
    let approved = broker.approved_export("fg-wonen-zuid", Processings).await;
    let theirs = all_lines(&neighbour, 500, &approved).await;
    let received = theirs
        .iter()
        .find(|line| line.name == "status received")
        .unwrap();
    assert_eq!(received.index, provided.index);
    assert_ne!(received.span_id, provided.span_id);
    assert_ne!(received.data_subject_id, provided.data_subject_id);
    assert!(received.foreign_oin.is_none());
}

/// Invariant 5 where a logbook is read: a line about somebody who may not be told of is that of a stranger.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_the_line_of_a_denial_is_the_same_whomever_it_was_about() {
    let broker = start().await;
    let scene = story(&broker).await;
    let association = broker.party("wonen-zuid").await;
    association
        .redeem("0000-0000-0000-0000-0000-0000-0000", "nobody-2")
        .await;
    let client = broker.client("fg-wonen-zuid", None).await;
    let approved = broker.approved_export("fg-wonen-zuid", Processings).await;
    let lines = all_lines(&client, 500, &approved).await;
    let denials: Vec<_> = lines
        .iter()
        .filter(|line| line.status() == v1::ProcessingStatus::Unset)
        .map(gist)
        .collect();
    assert_eq!(denials.len(), 2, "a stranger, and {}", scene.mark);
    assert_eq!(denials[0], denials[1]);
    assert!(denials[0].data_subject_id.is_none());
    // A code that worked and one that did not, which were answered the same.
    let redeemed: Vec<_> = lines
        .iter()
        .filter(|line| line.name == "introduction redeemed")
        .map(gist)
        .collect();
    assert_eq!(redeemed.len(), 2);
    assert_eq!(redeemed[0], redeemed[1]);
    // A message that was dropped before it left is not told of.
    assert!(!lines.iter().any(|line| line.name.contains("dropped")));
}
