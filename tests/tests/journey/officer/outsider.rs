//! What the officer of an outsider is told.

use schakel_api::v1;
use schakel_tests::{Scene, TestBroker, actor, at, bsn, bsn_number};

use super::{PURPOSE, statement};

/// The statement of an outsider's controller names no prison, and that of somebody unknown is empty.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_an_outsiders_officer_is_told_nothing_of_detention() {
    use prost::Message as _;
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (town, home, officer) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
        broker.party("fg-wonen-zuid").await,
    );
    town.consent(bsn(&scene.bsn)).await;
    home.ask_housing(&scene.mark).await.expect("a signal");
    let told = statement(&officer, bsn(&scene.bsn)).await;
    let received = |line: &&v1::StatementLine| line.kind() == v1::StatementKind::Received;
    assert_eq!(told.lines.iter().filter(received).count(), 1);
    let as_of = v1::GetAsOfRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: Some(bsn(&scene.bsn)),
        at: at(broker.now()),
    };
    let as_of = officer.audit().get_as_of(as_of).await.unwrap().into_inner();
    assert_eq!(as_of.disclosures.len(), 1);
    let mut shown = vec![
        v1::GetStatementResponse {
            receipt: None,
            ..told
        }
        .encode_to_vec(),
        v1::GetAsOfResponse {
            receipt: None,
            ..as_of
        }
        .encode_to_vec(),
    ];
    for report in [
        v1::Report::Recipients,
        v1::Report::Consents,
        v1::Report::Purposes,
        v1::Report::Denials,
        v1::Report::Withdrawals,
    ] {
        let request = v1::GetReportRequest {
            actor: actor(),
            purpose: PURPOSE.into(),
            report: report.into(),
            ..v1::GetReportRequest::default()
        };
        let made = officer
            .audit()
            .get_report(request)
            .await
            .unwrap()
            .into_inner();
        shown.push(
            v1::GetReportResponse {
                receipt: None,
                ..made
            }
            .encode_to_vec(),
        );
    }
    for bytes in shown {
        for word in [
            "pi-noord", "Test-PI", "PBW", "Pbw", "WJSG", "Wjsg", "etenti",
        ] {
            let found = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!found, "{word}");
        }
    }
    let nobody = statement(&officer, bsn(&bsn_number(99))).await;
    assert!(nobody.lines.is_empty() && nobody.consents.is_empty() && nobody.receipt.is_some());
}
