//! That something was exported is told: in the trail, and to whom it was about.

use schakel_core::event::{Event, LookedUp};
use schakel_tests::{Log, Party, second_actor};

use super::{
    approval::{export, from, opened, under},
    *,
};

/// What the entries about exports say.
fn looks(broker: &TestBroker, log: &Log) -> Vec<LookedUp> {
    let details = log.details(broker.place()).into_iter().flatten();
    let looks = details.filter_map(|details| match details.event {
        Event::LookedUp(looked) if looked.method.starts_with("ExportService/") => Some(looked),
        _ => None,
    });
    looks.collect()
}

/// What the statement of somebody says of exports.
pub(super) async fn lines_of_statement(officer: &Party, number: &str) -> Vec<v1::StatementLine> {
    let request = v1::GetStatementRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: Some(bsn(number)),
        period: None,
    };
    let told = officer.audit().get_statement(request).await.unwrap();
    let lines = told.into_inner().lines.into_iter();
    lines
        .filter(|line| line.kind() == v1::StatementKind::Exported)
        .collect()
}

/// Whoever's details an export opened is told by whom, when and what for; whose it did not, is told nothing of it. What
/// stays closed is no look at anybody.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_11_an_export_that_opens_details_is_an_entry_about_each_person_in_them() {
    let broker = TestBroker::start().await;
    let scene = story(&broker).await;
    let other = Scene::set(&broker, 2).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let alone = export(&officer, entries(500)).await.unwrap();
    assert!(alone.entries.len() > 3);
    assert!(lines_of_statement(&officer, &scene.bsn).await.is_empty());
    let approved = broker.approved_export("fg-gemeente-oost", Entries).await;
    let all = export(&officer, under(&approved, 500)).await.unwrap();
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let subject = |index: u64| {
        let at = usize::try_from(index).unwrap();
        details[at].as_ref().and_then(|details| details.subject)
    };
    let opened_of = opened(&all.entries).into_iter();
    let persons: BTreeSet<_> = opened_of.filter_map(subject).collect();
    assert!(!persons.is_empty());
    let told = details.iter().flatten().filter(|details| {
        let event = &details.event;
        matches!(event, Event::LookedUp(looked) if looked.entry.is_some())
    });
    let told: Vec<_> = told.map(|details| details.subject.unwrap()).collect();
    assert_eq!(told.len(), persons.len(), "one entry a person and page");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), persons);
    let shown = lines_of_statement(&officer, &scene.bsn).await;
    assert_eq!(shown.len(), 1);
    let party = shown[0].party.as_ref().unwrap();
    assert_eq!(party.party_id, "fg-gemeente-oost");
    assert_eq!(shown[0].purpose.as_deref(), Some(PURPOSE));
    // All that the municipality did about the other one is an introduction, whose code still works.
    assert!(lines_of_statement(&officer, &other.bsn).await.is_empty());
    // What the export caused is exported next, and that is no look at anybody.
    let next = export(&officer, from(&all.cursor)).await.unwrap();
    assert!(next.entries.len() > 1 && opened(&next.entries).is_empty());
    assert_eq!(lines_of_statement(&officer, &scene.bsn).await.len(), 1);
}

/// Whoever goes on with the run of another employee, or with another certificate, is an entry; whoever goes on with
/// the own one is not.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_11_going_on_with_the_run_of_another_employee_is_an_entry() {
    let broker = TestBroker::start().await;
    story(&broker).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let elsewhere = broker.with_another_certificate("fg-gemeente-oost").await;
    let mut page = export(&officer, entries(1)).await.unwrap();
    let mut expected = 1;
    for (by, who, is_another) in [
        (&officer, actor(), false),
        (&officer, second_actor(), true),
        (&officer, second_actor(), false),
        (&elsewhere, second_actor(), true),
        (&elsewhere, second_actor(), false),
        (&officer, actor(), true),
    ] {
        let request = v1::ExportEntriesRequest {
            actor: who,
            page_size: 1,
            ..from(&page.cursor)
        };
        let next = export(by, request).await.unwrap();
        assert_eq!(next.from, page.end, "nothing is left out or told twice");
        assert_eq!(next.receipt.is_some(), is_another);
        expected += usize::from(is_another);
        let said = looks(&broker, &broker.check_log().await);
        assert_eq!(said.len(), expected);
        if is_another {
            let last = &said.last().unwrap().question;
            assert!(last.contains("by another employee"), "{last}");
        }
        page = next;
    }
    for (purpose, is_another) in [
        ("P-STATISTICS", true),
        ("P-STATISTICS", false),
        (PURPOSE, true),
    ] {
        let request = v1::ExportEntriesRequest {
            purpose: purpose.into(),
            page_size: 1,
            ..from(&page.cursor)
        };
        page = export(&officer, request).await.unwrap();
        assert_eq!(page.receipt.is_some(), is_another, "{purpose}");
        let said = looks(&broker, &broker.check_log().await);
        let last = &said.last().unwrap();
        assert_eq!(last.purpose.as_ref().unwrap().as_str(), purpose);
    }
    // Under another approval a run of its own begins, and the entry names it.
    let approved = broker.approved_export("fg-gemeente-oost", Entries).await;
    let request = v1::ExportEntriesRequest {
        search_id: Some(approved.clone()),
        ..from(&page.cursor)
    };
    let next = export(&officer, request).await.unwrap();
    assert!(next.receipt.is_some());
    let mut said = looks(&broker, &broker.check_log().await).into_iter();
    let id = hex::encode(&approved);
    assert!(said.any(|looked| looked.question.contains(&id)));
    // The officer of another controller has no use for it.
    let stranger = broker.party("fg-pi-noord").await;
    let refused = export(&stranger, from(&next.cursor)).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_REQUEST");
}
