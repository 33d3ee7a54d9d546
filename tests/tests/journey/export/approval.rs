//! What opens details, or gives lines, is let by two, for a term.

use std::time::Duration;

use schakel_pki::identity::sha256;
use schakel_tests::{Party, at, second_actor};

use super::{told::lines_of_statement, *};
use crate::journey::certificates;

/// What an officer gets.
pub(super) async fn export(
    officer: &Party,
    request: v1::ExportEntriesRequest,
) -> Result<v1::ExportEntriesResponse, tonic::Status> {
    let answer = officer.export().export_entries(request).await?;
    Ok(answer.into_inner())
}

/// A request under an approval.
pub(super) fn under(approved: &Bytes, page_size: u32) -> v1::ExportEntriesRequest {
    v1::ExportEntriesRequest {
        search_id: Some(approved.clone()),
        ..entries(page_size)
    }
}

/// A request that goes on.
pub(super) fn from(cursor: &Bytes) -> v1::ExportEntriesRequest {
    v1::ExportEntriesRequest {
        cursor: Some(cursor.clone()),
        ..entries(500)
    }
}

/// The entries that were opened.
pub(super) fn opened(entries: &[v1::ExportedEntry]) -> Vec<u64> {
    let opened = entries.iter().filter(|entry| {
        let details = &entry.details;
        matches!(details, Some(v1::exported_entry::Details::Opened(_)))
    });
    opened.map(|entry| entry.index).collect()
}

fn decision(who: Option<v1::Actor>, search: &Bytes) -> v1::DecideSearchRequest {
    v1::DecideSearchRequest {
        actor: who,
        search_id: search.clone(),
        approve: true,
    }
}

/// One officer alone gets leaves and proofs. To open details takes two: for what was proposed, for the controller and
/// the purpose, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_opens_details_needs_a_second_officer() {
    let broker = TestBroker::start().await;
    story(&broker).await;
    let first = broker.party("fg-gemeente-oost").await;
    let other = broker.party("fg-oost-twee").await;
    let alone = export(&first, entries(500)).await.unwrap();
    assert!(alone.entries.len() > 3 && opened(&alone.entries).is_empty());
    let search = first.propose_export(Entries, None, 31).await;
    // Neither the same employee elsewhere nor another one with the same certificate is a second one.
    for (by, who) in [(&other, actor()), (&first, second_actor())] {
        let refused = by.audit().decide_search(decision(who, &search)).await;
        assert_eq!(reason(&refused.unwrap_err()), "SECOND_ACTOR_REQUIRED");
    }
    let nobodys = Bytes::from_static(&[7; 16]);
    for only_waits in [&search, &nobodys] {
        let refused = export(&first, under(only_waits, 500)).await.unwrap_err();
        assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    }
    other.decide_export(&search, true).await;
    let approved = export(&first, under(&search, 500)).await.unwrap();
    assert!(!opened(&approved.entries).is_empty());
    let stranger = broker.party("fg-pi-noord").await;
    let refused = export(&stranger, under(&search, 500)).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    let auditor = broker.party("toetser").await;
    let refused = export(&auditor, under(&search, 500)).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_REQUEST");
    // Whose entries are never opened has nothing to be approved.
    let outsider = broker.party("fg-wonen-zuid").await;
    let question = v1::propose_search_request::Question::Export(v1::StandingExport {
        actor: actor(),
        purpose: PURPOSE.into(),
        kind: Entries.into(),
        period: None,
        days: 1,
    });
    let request = v1::ProposeSearchRequest {
        question: Some(question),
    };
    let refused = outsider.audit().propose_search(request).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_REQUEST");
    broker.check_log().await;
}

/// One employee alone can write another mark, and gets a renewal of the own certificate: that is no second officer.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_11_a_renewal_of_the_own_certificate_makes_no_second_officer() {
    const OFFICER: &str = "fg-pi-noord";
    let broker = TestBroker::start().await;
    let first = broker.party(OFFICER).await;
    let search = first.propose_export(Entries, None, 31).await;
    let (new, request) = certificates::request("00000099000000180000", "Testfunctionaris Noord");
    let renewal = v1::RenewCertificateRequest {
        idempotency_key: schakel_tests::key(),
        request: request.into(),
    };
    let asked = first.certificates().renew_certificate(renewal).await;
    let asked = asked.unwrap().into_inner();
    let issued = broker.place().certify(OFFICER, &new.key_pem());
    let der = certificates::der_of(&issued.cert_pem);
    certificates::answer(&broker, &asked.enrolment_id, der.clone())
        .await
        .unwrap();
    let renewed = broker.with_certificate(OFFICER, &issued).await;
    let other = broker.with_another_certificate(OFFICER).await;
    let decided = async |by: &Party, search: &Bytes| {
        let decided = decision(second_actor(), search);
        by.audit().decide_search(decided).await.map(|_| ())
    };
    let refused = decided(&renewed, &search).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    // Nor the other way round.
    let turned = renewed.propose_export(Entries, None, 31).await;
    let refused = decided(&first, &turned).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    for search in [&search, &turned] {
        decided(&other, search).await.unwrap();
        export(&first, under(search, 1)).await.unwrap();
    }
    // What was proposed with a key that others may have is approved no more.
    let revoke = v1::RevokeCertificateRequest {
        idempotency_key: schakel_tests::key(),
        sha256: sha256(&der).to_vec().into(),
        reason: v1::StopReason::KeyCompromise.into(),
    };
    let administrator = broker.party("beheer-een").await;
    let mut certificates = administrator.certificates();
    certificates.revoke_certificate(revoke).await.unwrap();
    export(&first, under(&search, 1)).await.unwrap();
    let refused = export(&first, under(&turned, 1)).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    broker.check_log().await;
}

/// Nor does a certificate that the officer said it is going to use next, or its own mark in capitals.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_11_an_announced_certificate_makes_no_second_officer() {
    const OFFICER: &str = "fg-pi-noord";
    let broker = TestBroker::start().await;
    let first = broker.party(OFFICER).await;
    let next = broker.place().another(OFFICER);
    let announced = v1::AnnounceCertificateRequest {
        idempotency_key: schakel_tests::key(),
        certificate: certificates::der_of(&next.cert_pem).into(),
    };
    let mut of_first = first.certificates();
    of_first.announce_certificate(announced).await.unwrap();
    let next = broker.with_certificate(OFFICER, &next).await;
    let other = broker.with_another_certificate(OFFICER).await;
    let mut capitals = actor().unwrap();
    capitals.actor_ref = capitals.actor_ref.to_uppercase();
    let search = first.propose_export(Entries, None, 31).await;
    for (by, who) in [(&next, second_actor()), (&other, Some(capitals))] {
        let refused = by.audit().decide_search(decision(who, &search)).await;
        assert_eq!(reason(&refused.unwrap_err()), "SECOND_ACTOR_REQUIRED");
    }
    let turned = next.propose_export(Entries, None, 31).await;
    let turned = decision(second_actor(), &turned);
    let refused = first.audit().decide_search(turned).await;
    assert_eq!(reason(&refused.unwrap_err()), "SECOND_ACTOR_REQUIRED");
    other.decide_export(&search, true).await;
    broker.check_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_processing_lines_needs_a_second_officer() {
    let broker = TestBroker::start().await;
    story(&broker).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let lines = async |approved: Option<&Bytes>| {
        let request = v1::ExportProcessingsRequest {
            search_id: approved.cloned(),
            ..processings(500)
        };
        let answer = officer.export().export_processings(request).await;
        answer.map(|answer| answer.into_inner().lines.len())
    };
    let entries_approved = broker.approved_export("fg-gemeente-oost", Entries).await;
    for approved in [None, Some(&entries_approved)] {
        let refused = lines(approved).await.unwrap_err();
        assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    }
    let approved = broker
        .approved_export("fg-gemeente-oost", Processings)
        .await;
    assert!(lines(Some(&approved)).await.unwrap() > 3);
    let refused = export(&officer, under(&approved, 500)).await.unwrap_err();
    assert_eq!(
        reason(&refused),
        "SECOND_ACTOR_REQUIRED",
        "for nothing else"
    );
}

/// A run goes on by its cursor under the approval it began with, day after day, until the term ends or an officer
/// takes it back, and never after that.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_of_exports_stands_for_its_term_and_until_it_is_taken_back() {
    let broker = TestBroker::start().await;
    story(&broker).await;
    let first = broker.party("fg-gemeente-oost").await;
    let other = broker.party("fg-oost-twee").await;
    let standing = async || {
        let request = v1::ListSearchesRequest { actor: actor() };
        let listed = first.audit().list_searches(request).await.unwrap();
        let searches = listed.into_inner().searches.into_iter();
        let standing = searches.filter(|search| search.approved_until.is_some());
        standing.count()
    };
    let day = Duration::from_hours(24);
    for (days, taken_back) in [(10, false), (20, true)] {
        let search = first.propose_export(Entries, None, days).await;
        assert_eq!(standing().await, 0);
        other.decide_export(&search, true).await;
        assert_eq!(standing().await, 1);
        let mut page = export(&first, under(&search, 4)).await.unwrap();
        for _ in 0..9 {
            assert!(page.receipt.is_some(), "a run of its own each day");
            broker.clock().advance(day);
            assert_eq!(standing().await, 1);
            page = export(&first, from(&page.cursor)).await.unwrap();
        }
        let everything = export(&first, under(&search, 500)).await.unwrap();
        assert!(!opened(&everything.entries).is_empty());
        if taken_back {
            first.decide_export(&search, false).await;
        } else {
            broker.clock().advance(day);
        }
        assert_eq!(standing().await, 0);
        for request in [
            from(&page.cursor),
            from(&everything.cursor),
            under(&search, 4),
        ] {
            let refused = export(&first, request).await.unwrap_err();
            assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
        }
        let again = decision(second_actor(), &search);
        let refused = other.audit().decide_search(again).await.unwrap_err();
        assert_eq!(reason(&refused), "NOT_FOUND", "it was decided");
    }
    broker.check_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_opens_what_was_recorded_in_its_period_and_no_more() {
    let broker = TestBroker::start().await;
    let minute = Duration::from_mins(1);
    let before = story(&broker).await;
    broker.clock().advance(minute);
    let period = v1::Period {
        from: at(broker.now()),
        until: at(broker.now().plus_millis(60_000)),
    };
    let covered = broker.now().as_millis()..broker.now().as_millis() + 60_000;
    let within = Scene::set(&broker, 2).await;
    broker.clock().advance(minute);
    let after = Scene::set(&broker, 3).await;
    let officer = broker.party("fg-pi-noord").await;
    let second = broker.with_another_certificate("fg-pi-noord").await;
    let approved = async |kind| {
        let search = officer.propose_export(kind, Some(period), 31).await;
        second.decide_export(&search, true).await;
        search
    };
    let all = export(&officer, under(&approved(Entries).await, 500)).await;
    let all = all.unwrap().entries;
    let opened = opened(&all);
    assert!(!opened.is_empty() && all.len() > opened.len());
    let request = v1::ExportProcessingsRequest {
        search_id: Some(approved(Processings).await),
        ..processings(500)
    };
    let lines = officer.export().export_processings(request).await.unwrap();
    let lines = lines.into_inner().lines;
    assert!(!lines.is_empty());
    let log = broker.check_log().await;
    let shown = opened
        .into_iter()
        .chain(lines.iter().map(|line| line.index));
    for index in shown {
        assert!(covered.contains(&log.leaf(index).at_ms), "{index}");
    }
    // So it is an entry about one of them, and not about the others.
    assert_eq!(lines_of_statement(&officer, &within.bsn).await.len(), 1);
    for scene in [before, after] {
        assert!(lines_of_statement(&officer, &scene.bsn).await.is_empty());
    }
}

/// By hand: what to run next is printed, the state holds the approval, and the file verifies.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_proposed_approved_and_gone_on_with_by_hand() {
    let broker = start().await;
    let scene = story(&broker).await;
    let town = broker.party("gemeente-oost").await;
    let officer = "fg-gemeente-oost";
    let path = |name| broker.place().path(name).display().to_string();
    let (file, state) = (path("file"), path("state"));
    let run = async |more: &[&str]| {
        let entries = ["export", "entries", "--to", &file, "--state", &state];
        broker.command(officer, &[&entries, more].concat()).await
    };
    let proposed = run(&["--propose", "--days", "7", "--json"]).await;
    let id: serde_json::Value = serde_json::from_str(&proposed.text).unwrap();
    let id = id["search_id"].as_str().unwrap().to_owned();
    let refused = run(&["--approved", &id]).await;
    assert_eq!(refused.code, 1);
    assert!(
        refused.complaint.contains("--propose"),
        "{}",
        refused.complaint
    );
    // Leaves and proofs can be had meanwhile.
    let closed = run(&[]).await;
    assert!(
        closed.text.contains("--propose"),
        "{} {}",
        closed.text,
        closed.complaint
    );
    let approve = ["audit", "approve", &id];
    let own = broker.command(officer, &approve).await;
    assert_eq!(own.code, 1, "{}", own.text);
    let approved = broker.command("fg-oost-twee", &approve).await;
    assert!(
        approved.text.contains("audit reject"),
        "{} {}",
        approved.text,
        approved.complaint
    );
    // What the first runs caused is written now, so that nothing is left when the approval comes.
    for _ in 0..3 {
        assert_eq!(run(&[]).await.code, 0);
    }
    let length = || std::fs::metadata(&file).unwrap().len();
    let quiet = length();
    let done = run(&["--approved", &id]).await;
    assert_eq!(done.code, 0, "{}", done.complaint);
    assert_eq!(length(), quiet, "nothing was left");
    town.consent(bsn(&scene.bsn)).await;
    let done = run(&[]).await;
    assert_eq!(done.code, 0, "{}", done.complaint);
    assert!(!done.text.contains("--propose"), "{}", done.text);
    let key = broker.verifier_key().to_string();
    let verify = ["verify", "export", &file, "--verifier-key", &key];
    let verified = broker.command("toetser", &verify).await;
    assert_eq!(verified.code, 0, "{} {}", verified.text, verified.complaint);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"opened\""));
    let rejected = broker.command(officer, &["audit", "reject", &id]).await;
    assert_eq!(rejected.code, 0, "{}", rejected.complaint);
    town.withdraw(bsn(&scene.bsn)).await;
    let refused = run(&[]).await;
    assert_eq!(refused.code, 1, "{}", refused.text);
}
