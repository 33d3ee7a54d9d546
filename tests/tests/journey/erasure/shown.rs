//! Whatever an officer asks once the controller has erased a person, in whatever way: nothing of the person comes
//! back, and what the controller still knows is told as before.

use prost::Message;
use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_tests::{Party, Scene, TestBroker, actor, at, bsn, by_case, holds};

use super::{erase, lived, start};

const PURPOSE: &str = "P-ACCOUNTABILITY";
/// The officer of the association, and that of the prison.
const OFFICERS: [&str; 2] = ["fg-wonen-zuid", "fg-pi-noord"];

/// Everything that an answer says, without its receipt: the entry of the look is about whom the officer named.
struct Told {
    what: String,
    bytes: Vec<u8>,
}

/// Everything that an officer can ask about a person.
async fn everything(broker: &TestBroker, officer: &Party, person: &v1::SubjectRef) -> Vec<Told> {
    let mut told = Vec::new();
    let mut keep = |what: &str, bytes: Vec<u8>| {
        told.push(Told {
            what: what.to_owned(),
            bytes,
        });
    };
    let found = officer.search(person.clone()).await;
    let found = found.iter().flat_map(Message::encode_to_vec);
    keep("search", found.collect());
    let (as_of, statement) = of_person(broker, officer, person).await;
    keep("as of", as_of.encode_to_vec());
    keep("statement", statement.encode_to_vec());
    for report in REPORTS {
        for subject in [Some(person.clone()), None] {
            let by_person = subject.is_some();
            if let Some(made) = reported(officer, report, subject).await {
                keep(&format!("{report:?} {by_person}"), made.encode_to_vec());
            }
        }
    }
    keep("breach", breach(broker, officer).await.encode_to_vec());
    told
}

const REPORTS: [v1::Report; 8] = [
    v1::Report::Check,
    v1::Report::Denials,
    v1::Report::Withdrawals,
    v1::Report::Recipients,
    v1::Report::Purposes,
    v1::Report::Consents,
    v1::Report::Readers,
    v1::Report::Notices,
];

async fn of_person(
    broker: &TestBroker,
    officer: &Party,
    person: &v1::SubjectRef,
) -> (v1::GetAsOfResponse, v1::GetStatementResponse) {
    let request = v1::GetAsOfRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: Some(person.clone()),
        at: at(broker.now()),
    };
    let as_of = officer.audit().get_as_of(request).await.unwrap();
    let request = v1::GetStatementRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: Some(person.clone()),
        period: None,
    };
    let statement = officer.audit().get_statement(request).await.unwrap();
    let (mut as_of, mut statement) = (as_of.into_inner(), statement.into_inner());
    (as_of.receipt, statement.receipt) = (None, None);
    (as_of, statement)
}

/// A report, where the officer may ask for it so.
async fn reported(
    officer: &Party,
    report: v1::Report,
    subject: Option<v1::SubjectRef>,
) -> Option<v1::GetReportResponse> {
    let request = v1::GetReportRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        report: report.into(),
        subject,
        ..v1::GetReportRequest::default()
    };
    let answer = officer.audit().get_report(request).await.ok()?;
    let mut made = answer.into_inner();
    made.receipt = None;
    Some(made)
}

async fn breach(broker: &TestBroker, asker: &Party) -> v1::GetBreachResponse {
    let request = v1::GetBreachRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        by: Some(v1::get_breach_request::By::PartyId("wonen-zuid".into())),
        period: Some(v1::Period {
            from: at(broker.place().furnished_at()),
            until: at(broker.now().plus_days(1)),
        }),
        discovered_at: at(broker.now()),
        ..v1::GetBreachRequest::default()
    };
    let answer = asker.audit().get_breach(request).await.unwrap();
    let mut told = answer.into_inner();
    told.receipt = None;
    told
}

/// Each of the first entries shown, explained and replayed.
async fn one_by_one(officer: &Party, size: u64) -> Vec<Told> {
    let mut told = Vec::new();
    for index in 0..size {
        let request = v1::GetEntryRequest {
            actor: actor(),
            index,
            purpose: Some(PURPOSE.into()),
        };
        let shown = officer.audit().get_entry(request).await.unwrap();
        let request = v1::ExplainEntryRequest {
            actor: actor(),
            index,
            purpose: PURPOSE.into(),
            ..v1::ExplainEntryRequest::default()
        };
        let explained = officer.audit().explain_entry(request).await.unwrap();
        let request = v1::ReplayEntryRequest {
            actor: actor(),
            index,
            purpose: PURPOSE.into(),
            ..v1::ReplayEntryRequest::default()
        };
        let replayed = officer.audit().replay_entry(request).await.unwrap();
        let bytes = [
            shown.into_inner().entry.unwrap_or_default().encode_to_vec(),
            explained.into_inner().encode_to_vec(),
            replayed.into_inner().encode_to_vec(),
        ];
        told.push(Told {
            what: format!("entry {index}"),
            bytes: bytes.concat(),
        });
    }
    told
}

/// The answers that hold one of these.
fn showing(told: &[Told], secrets: &[Vec<u8>]) -> Vec<String> {
    let holding = told.iter().filter(|told| {
        let mut secrets = secrets.iter();
        secrets.any(|secret| holds(&told.bytes, secret))
    });
    holding.map(|told| told.what.clone()).collect()
}

/// A person of whom everything is recorded, and the consent.
async fn consented(broker: &TestBroker) -> (Scene, String) {
    let scene = lived(broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let consent = municipality.consent(bsn(&scene.bsn)).await;
    (scene, consent)
}

/// Neither by the case nor by the number, which others still know, nor entry by entry.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_comes_back_to_the_controller_that_erased_them() {
    let mut broker = start().await;
    let (scene, consent) = consented(&broker).await;
    let person = by_case(&scene.case);
    let mut secret = scene.secrets();
    secret.push(consent.into_bytes());
    for (controller, officer) in [(0, OFFICERS[0]), (1, OFFICERS[1])] {
        let party = broker.party(officer).await;
        let before = everything(&broker, &party, &person).await;
        let before = showing(&before, &secret);
        assert!(
            before.contains(&"statement".to_owned()) && before.contains(&"as of".to_owned()),
            "{before:?}"
        );
        erase(&broker, &scene.case, controller).await;
    }
    let size = broker.check_log().await.leaves.len();
    for restarted in [false, true] {
        if restarted {
            broker.restart().await;
        }
        for officer in OFFICERS {
            let party = broker.party(officer).await;
            for person in [by_case(&scene.case), bsn(&scene.bsn)] {
                let told = everything(&broker, &party, &person).await;
                assert_eq!(showing(&told, &secret), [""; 0], "{officer} {restarted}");
                let (as_of, statement) = of_person(&broker, &party, &person).await;
                assert!(as_of.disclosures.is_empty() && as_of.consents.is_empty());
                let looked = |line: &v1::StatementLine| line.kind() == v1::StatementKind::Looked;
                assert!(statement.lines.iter().all(looked), "{officer} {restarted}");
                assert!(statement.consents.is_empty() && statement.notices.is_empty());
                assert_eq!((statement.erased, statement.left_out), (0, 0));
            }
            let told = one_by_one(&party, u64::try_from(size).unwrap()).await;
            assert_eq!(showing(&told, &secret), [""; 0], "{officer} {restarted}");
        }
        // Who erased nothing is told what it was.
        let party = broker.party("fg-gemeente-oost").await;
        let (as_of, statement) = of_person(&broker, &party, &person).await;
        assert!(!as_of.disclosures.is_empty() && !statement.consents.is_empty());
    }
    broker.check_log().await;
}

/// A breach is counted, for the officer and for the administrator, without a person whom the controller erased,
/// and the same after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_breach_counts_what_was_erased_as_unreadable_and_names_nobody() {
    let mut broker = start().await;
    let (scene, _) = consented(&broker).await;
    let officer = broker.party(OFFICERS[0]).await;
    let before = breach(&broker, &officer).await;
    assert_eq!((before.persons.len(), before.shares[0].unreadable), (1, 0));
    erase(&broker, &scene.case, 0).await;
    let mut shares = Vec::new();
    for restarted in [false, true] {
        if restarted {
            broker.restart().await;
        }
        let officer = broker.party(OFFICERS[0]).await;
        let administrator = broker.party("beheer-een").await;
        let told = breach(&broker, &officer).await;
        assert!(told.persons.is_empty());
        let whole = breach(&broker, &administrator).await;
        let own = |share: &&v1::BreachShare| share.controller_party_id == "wonen-zuid";
        let share = whole.shares.iter().find(own).unwrap();
        assert_eq!(&told.shares[..], std::slice::from_ref(share));
        assert_eq!((share.persons, share.disclosed), (0, 0));
        assert!(share.conditions.is_empty() && share.recipient_party_ids.is_empty());
        assert!(share.unreadable > 0);
        shares.push(share.clone());
    }
    // The approval of the erasure is the last that the association did.
    assert_eq!(shares[0], shares[1]);
}

/// A receipt that was given is still proved, and both sides still hold the same: what is compared are leaves.
#[tokio::test(flavor = "multi_thread")]
async fn receipts_and_reconciliation_go_on_after_an_erasure() {
    let mut broker = start().await;
    let (scene, _) = consented(&broker).await;
    let listed = async |broker: &TestBroker| {
        let hour = 3_600_000;
        let from = broker.now().as_millis() / hour * hour;
        let at = |ms| at(schakel_core::time::Timestamp::from_millis(ms).unwrap());
        let request = v1::ListHandedOverRequest {
            actor: actor(),
            periods: vec![v1::Period {
                from: at(from),
                until: at(from + hour),
            }],
            page_size: 100,
            cursor: None,
        };
        let association = broker.party("wonen-zuid").await;
        let answer = association.reconciliation().list_handed_over(request).await;
        let handed = answer.unwrap().into_inner().handed_over.into_iter();
        handed.map(|receipt| receipt.leaf).collect::<Vec<_>>()
    };
    let before = listed(&broker).await;
    assert!(!before.is_empty());
    for controller in 0..3 {
        erase(&broker, &scene.case, controller).await;
    }
    for restarted in [false, true] {
        if restarted {
            broker.restart().await;
        }
        assert_eq!(listed(&broker).await, before, "{restarted}");
    }
    // Everything that was received is held against the log.
    let log = broker.check_log().await;
    assert_eq!(log.count(EntryType::Erasure), 3);
}
