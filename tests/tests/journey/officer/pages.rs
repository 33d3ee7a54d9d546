//! What does not fit one page goes on from a token, which is its holder's alone; and a run of exports lasts a day.

use std::{collections::BTreeSet, time::Duration};

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_tests::{Scene, TestBroker, actor, at, bsn, reason};

use super::{PURPOSE, search};

/// Page by page every entry comes once, newest first; by another question, party or kind of page a token is none.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_search_put_together_are_the_whole() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let town = broker.party("gemeente-oost").await;
    for _ in 0..5 {
        town.consent(bsn(&scene.bsn)).await;
    }
    let officer = broker.party("fg-gemeente-oost").await;
    let until = broker.now().plus_millis(1);
    broker.clock().advance(Duration::from_secs(1));
    let asked = |page_size, page_token| v1::SearchEntriesRequest {
        subject: Some(bsn(&scene.bsn)),
        period: Some(v1::Period {
            from: at(broker.place().furnished_at()),
            until: at(until),
        }),
        page_size,
        page_token,
        ..search()
    };
    let ask = async |size, token| {
        let answer = officer.audit().search_entries(asked(size, token)).await;
        answer.unwrap().into_inner()
    };
    let whole = ask(100, None).await;
    assert!(whole.next_page_token.is_none());
    let whole: Vec<u64> = whole.entries.iter().map(|entry| entry.index).collect();
    assert!(whole.len() > 5 && whole.is_sorted_by(|one, next| one > next));
    for size in [1, 2, 3] {
        let (mut token, mut put_together) = (None, Vec::new());
        let mut pages = 0;
        loop {
            let page = ask(size, token).await;
            assert!(page.entries.len() <= usize::try_from(size).unwrap());
            put_together.extend(page.entries.iter().map(|entry| entry.index));
            pages += 1;
            token = page.next_page_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(put_together, whole, "pages of {size}");
        assert_eq!(pages, whole.len().div_ceil(usize::try_from(size).unwrap()));
    }
    let token = ask(1, None).await.next_page_token;
    let other = broker.party("fg-wonen-zuid").await;
    let refused = other.audit().search_entries(asked(1, token.clone())).await;
    assert_eq!(reason(&refused.unwrap_err()), "INVALID_REQUEST");
    let report = v1::GetReportRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        report: v1::Report::Denials.into(),
        page_token: token,
        ..v1::GetReportRequest::default()
    };
    let refused = officer.audit().get_report(report).await;
    assert_eq!(reason(&refused.unwrap_err()), "INVALID_REQUEST");
}

/// The persons of a breach come a hundred a page, in one order, each once.
#[tokio::test(flavor = "multi_thread")]
async fn persons_of_a_breach_beyond_one_page_come_once() {
    let broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    for n in 0..103 {
        pi.open_case(&schakel_tests::bsn_number(n), None).await;
    }
    let officer = broker.party("fg-pi-noord").await;
    let ask = async |page_token| {
        let request = v1::GetBreachRequest {
            actor: actor(),
            purpose: PURPOSE.into(),
            by: Some(v1::get_breach_request::By::PartyId("pi-noord".into())),
            period: Some(v1::Period {
                from: at(broker.place().furnished_at()),
                until: at(broker.now().plus_days(1)),
            }),
            discovered_at: at(broker.now()),
            page_token,
            ..v1::GetBreachRequest::default()
        };
        officer
            .audit()
            .get_breach(request)
            .await
            .unwrap()
            .into_inner()
    };
    let first = ask(None).await;
    assert_eq!((first.persons.len(), first.shares[0].persons), (100, 103));
    let second = ask(first.next_page_token).await;
    assert_eq!(second.persons.len(), 3);
    assert!(second.next_page_token.is_none());
    let persons = first.persons.iter().chain(&second.persons);
    let entries: BTreeSet<u64> = persons.map(|person| person.entry_indexes[0]).collect();
    assert_eq!(entries.len(), 103);
}

/// For a day a run is one entry. A cursor that is older still says where to go on, and begins a run of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_exports_ends_after_a_day_and_goes_on_as_another() {
    let broker = TestBroker::start().await;
    Scene::set(&broker, 1).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let export = async |cursor| {
        let request = v1::ExportEntriesRequest {
            actor: actor(),
            purpose: PURPOSE.into(),
            page_size: 2,
            cursor,
            ..v1::ExportEntriesRequest::default()
        };
        officer
            .export()
            .export_entries(request)
            .await
            .unwrap()
            .into_inner()
    };
    let looks = async || {
        let log = broker.check_log().await;
        let of = log.leaves.iter().filter(|leaf| {
            leaf.entry_type == EntryType::LookUp && leaf.party == "fg-gemeente-oost"
        });
        of.count()
    };
    let first = export(None).await;
    assert!(first.receipt.is_some() && looks().await == 1);
    let almost = Duration::from_secs(24 * 60 * 60 - 1);
    broker.clock().advance(almost);
    let second = export(Some(first.cursor.clone())).await;
    assert!(
        second.receipt.is_none() && looks().await == 1,
        "the same run"
    );
    assert_eq!(second.from, first.end);
    broker.clock().advance(Duration::from_secs(1));
    let third = export(Some(second.cursor)).await;
    assert!(third.receipt.is_some() && looks().await == 2, "another run");
    assert_eq!(third.from, second.end, "nothing is told twice or left out");
    // What the new run gives goes on for a day of its own.
    broker.clock().advance(almost);
    assert!(export(Some(third.cursor)).await.receipt.is_none());
    assert_eq!(looks().await, 2);
}
