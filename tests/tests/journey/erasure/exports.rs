//! What was erased is told as redacted in every export, and nothing of it comes along.

use std::{collections::BTreeSet, fs};

use schakel_api::v1;
use schakel_audit::export::{Details, Line};
use schakel_core::id::EntryIndex;
use schakel_tests::{Scene, Settings, TestBroker, actor, holds};
use serde_json::Value;

use super::{CONTROLLERS, erase, lived};

const PURPOSE: &str = "P-ACCOUNTABILITY";

/// A broker that goes by the system's clock, as the command does.
async fn start() -> TestBroker {
    TestBroker::start_with(Settings {
        system_clock: true,
        ..Settings::default()
    })
    .await
}

/// An export of entries by the real command, as it stands in its file.
async fn exported(broker: &TestBroker, party: &str, name: &str) -> String {
    let (file, state) = (broker.place().path(name), format!("{name}.state"));
    let state = broker.place().path(&state);
    let (to, state) = (file.display().to_string(), state.display().to_string());
    let mut entries = vec!["export", "entries", "--to", &to, "--state", &state];
    let approved = match party {
        // Nothing is opened to them.
        "toetser" | "fg-wonen-zuid" => None,
        _ => Some(hex::encode(
            broker.approved_export(party, v1::ExportKind::Entries).await,
        )),
    };
    if let Some(approved) = &approved {
        entries.extend(["--approved", approved]);
    }
    let said = broker.command(party, &entries).await;
    assert_eq!(said.code, 0, "{}", said.complaint);
    to
}

/// What `schakel verify export` finds in a file: how many entries went by which rule.
async fn verified(broker: &TestBroker, file: &str) -> (u64, Vec<(String, u64)>) {
    let key = broker.verifier_key().to_string();
    let verify = ["verify", "export", file, "--verifier-key", &key, "--json"];
    let said = broker.command("toetser", &verify).await;
    assert_eq!(said.code, 0, "{} {}", said.text, said.complaint);
    let report: Value = serde_json::from_str(&said.text).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let opened = checks.iter().find(|check| check["code"] == "entries");
    let redacted = checks.iter().filter(|check| check["code"] == "redacted");
    let redacted = redacted.map(|check| {
        let rule = check["rule"].as_str().unwrap().to_owned();
        (rule, check["entries"].as_u64().unwrap())
    });
    (
        opened.unwrap()["opened"].as_u64().unwrap(),
        redacted.collect(),
    )
}

/// Whether a file holds one of these, in what it opens or anywhere else.
fn shows(file: &str, secrets: &[Vec<u8>]) -> bool {
    let text = fs::read_to_string(file).unwrap();
    let found = |bytes: &[u8]| secrets.iter().any(|secret| holds(bytes, secret));
    found(text.as_bytes())
        || text.lines().any(|line| match line.parse().unwrap() {
            Line::Entry(entry) => match entry.details {
                Details::Opened { details, .. } => found(&details),
                Details::Redacted { .. } | Details::Withheld => false,
            },
            Line::Head(_) | Line::End(_) => false,
        })
}

/// The entries that erasures cover, for one controller or, without, for any.
fn covered(broker: &TestBroker, log: &schakel_tests::Log, of: Option<&str>) -> BTreeSet<u64> {
    let details = log.details(broker.place());
    let erased = details.into_iter().flatten().filter_map(|details| {
        let schakel_core::event::Event::Erased(erased) = details.event else {
            return None;
        };
        let own = erased.controller.as_ref().map(ToString::to_string);
        (of.is_none() || own.as_deref() == of).then_some(erased)
    });
    let erased: Vec<_> = erased.collect();
    let all = 0..u64::try_from(log.leaves.len()).unwrap();
    all.filter(|index| {
        let mut covers = erased.iter().map(|erased| &erased.covers);
        covers.any(|covers| covers.holds(EntryIndex(*index), None))
    })
    .collect()
}

fn redacted_in(file: &str) -> BTreeSet<u64> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter_map(|line| match line.parse().unwrap() {
        Line::Entry(entry) => Some(entry),
        Line::Head(_) | Line::End(_) => None,
    });
    let redacted = lines.filter(|entry| matches!(entry.details, Details::Redacted { .. }));
    redacted.map(|entry| entry.index).collect()
}

/// Redacted for the controller that erased the person and for auditors, withheld or opened as before for others;
/// the file verifies and says by which rule how many went.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_says_what_was_redacted_and_by_which_rule() {
    let mut broker = start().await;
    let scene = lived(&broker, 1).await;
    lived(&broker, 2).await;
    let before = exported(&broker, "fg-gemeente-oost", "before").await;
    assert!(shows(&before, &scene.secrets()), "the search finds it");
    let (opened_before, none) = verified(&broker, &before).await;
    assert!(none.is_empty());
    // The association, which is an outsider, and the municipality.
    let outsider = erase(&broker, &scene.case, 0).await;
    let town = erase(&broker, &scene.case, 2).await;
    for restarted in [false, true] {
        if restarted {
            broker.restart().await;
        }
        let log = broker.check_log().await;
        for (party, of) in [
            ("fg-gemeente-oost", Some("gemeente-oost")),
            ("fg-wonen-zuid", Some("wonen-zuid")),
            ("toetser", None),
        ] {
            let file = exported(&broker, party, &format!("{party}-{restarted}")).await;
            let (opened, redacted) = verified(&broker, &file).await;
            let mut covered = covered(&broker, &log, of);
            if of == Some("wonen-zuid") {
                // Whoever recorded it, an outsider is not shown what others recorded about a person.
                covered.retain(|index| log.leaf(*index).party != "gemeente-oost");
            }
            let count = u64::try_from(covered.len()).unwrap();
            assert_eq!(redacted, [("UNLAWFUL".to_owned(), count)], "{party}");
            assert_eq!(redacted_in(&file), covered, "{party} {restarted}");
            assert!(!shows(&file, &scene.secrets()), "{party} {restarted}");
            match of {
                Some("gemeente-oost") => {
                    assert_eq!(count, town);
                    assert!(opened > 0 && opened < opened_before);
                }
                Some(_) => assert_eq!((count, opened), (outsider - 2, 1), "the erasure"),
                None => assert_eq!(opened, 2, "the erasures, which name nobody"),
            }
        }
        // The prison erased nothing: its file redacts nothing.
        let file = exported(&broker, "fg-pi-noord", &format!("pi-{restarted}")).await;
        assert_eq!(redacted_in(&file), BTreeSet::new());
        verified(&broker, &file).await;
    }
}

async fn lines(broker: &TestBroker, officer: &str) -> Vec<v1::ProcessingLine> {
    let approved = broker
        .approved_export(officer, v1::ExportKind::Processings)
        .await;
    let request = v1::ExportProcessingsRequest {
        search_id: Some(approved),
        actor: actor(),
        purpose: PURPOSE.into(),
        page_size: 500,
        ..v1::ExportProcessingsRequest::default()
    };
    let officer = broker.party(officer).await;
    let answer = officer.export().export_processings(request).await.unwrap();
    answer.into_inner().lines
}

async fn transactions(broker: &TestBroker, party: &str) -> Vec<v1::TransactionRecord> {
    let request = v1::ExportTransactionsRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        limit: 1000,
        ..v1::ExportTransactionsRequest::default()
    };
    let party = broker.party(party).await;
    let answer = party.export().export_transactions(request).await.unwrap();
    answer.into_inner().records
}

/// A look that came with a receipt and one that did not, both about the person.
async fn looks(broker: &TestBroker, scene: &Scene) {
    let association = broker.party("wonen-zuid").await;
    for subject in [&scene.mark, "nobody"] {
        let request = v1::ListConsentsRequest {
            actor: actor(),
            subject: Some(schakel_tests::mark(subject)),
        };
        association.consents().list_consents(request).await.unwrap();
    }
}

/// A logbook has a field for the person and for nothing else that could be left out, so it gets no line of what
/// was erased; a transaction says what its leaf says, and a look that can no longer be read is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_logbook_gets_no_line_of_what_was_erased_and_a_transaction_says_what_its_leaf_says() {
    let mut broker = start().await;
    let scene = lived(&broker, 1).await;
    looks(&broker, &scene).await;
    let before = lines(&broker, "fg-wonen-zuid").await;
    assert!(before.iter().any(|line| line.name == "status received"));
    let known = transactions(&broker, "wonen-zuid").await;
    for controller in 0..CONTROLLERS.len() {
        erase(&broker, &scene.case, controller).await;
    }
    let mut told = Vec::new();
    for restarted in [false, true] {
        if restarted {
            broker.restart().await;
        }
        let log = broker.check_log().await;
        let covered = covered(&broker, &log, Some("wonen-zuid"));
        let after = lines(&broker, "fg-wonen-zuid").await;
        assert!(after.iter().all(|line| !covered.contains(&line.index)));
        assert!(before.iter().any(|line| covered.contains(&line.index)));
        // Neither run of the export is in both.
        let after: Vec<_> = transactions(&broker, "wonen-zuid")
            .await
            .into_iter()
            .filter(|record| record.service_name != "ExportService")
            .collect();
        // The last is the approval of the erasure itself.
        let approval = after
            .iter()
            .filter(|one| one.service_name == "RetentionService");
        assert_eq!(approval.count(), 1);
        let of = |records: &[v1::TransactionRecord], service: &str| {
            let of = |record: &&v1::TransactionRecord| record.service_name == service;
            records.iter().filter(of).count()
        };
        assert_eq!(of(&after, "ExchangeService"), of(&known, "ExchangeService"));
        let (looks, left) = (of(&known, "ConsentsService"), of(&after, "ConsentsService"));
        assert_eq!(looks - left, 1, "the look at the person");
        assert!(after.iter().all(|record| !record.service_name.is_empty()));
        told.push(after);
    }
    assert_eq!(told[0], told[1], "a restart changes nothing");
}
