//! `schakel reconcile` and `schakel export fsc` as commands: what they print, to the letter but for what differs
//! from run to run, and what they do when one side lacks entries.

use schakel_tests::{HOUSING, Said, Scene, Settings, TestBroker, bsn};
use serde_json::Value;

async fn start() -> TestBroker {
    TestBroker::start_with(Settings {
        system_clock: true,
        ..Settings::default()
    })
    .await
}

/// A command of the association that keeps its receipts in a register.
async fn said(broker: &TestBroker, register: &str, arguments: &[&str]) -> Said {
    let register = broker.place().path(register).display().to_string();
    let kept = ["--receipts", &register];
    broker
        .command("wonen-zuid", &[arguments, &kept].concat())
        .await
}

/// Asks by the command, which keeps the receipt; its entry.
async fn ask(broker: &TestBroker, register: &str, scene: &Scene) -> u64 {
    let asked = [
        "status",
        "ask",
        "--client-ref",
        &scene.mark,
        "--purpose",
        HOUSING,
        "--condition",
        "housing",
        "--granularity",
        "signal",
        "--json",
    ];
    let said = said(broker, register, &asked).await;
    assert_eq!(said.code, 0, "{}", said.complaint);
    let told: Value = serde_json::from_str(&said.text).unwrap();
    told["disclosed"]["receipt"]["index"].as_u64().unwrap()
}

/// What the broker holds and a register lacks is named and can be had again; a second look finds nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn reconcile_names_what_one_side_lacks_and_completes_the_register() {
    let broker = start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let kept = ask(&broker, "held", &scene).await;
    let lost = ask(&broker, "elsewhere", &scene).await;
    let (from, to) = days(&broker);
    let reconcile = ["reconcile", "--from", &from, "--to", &to];
    let first = said(&broker, "held", &reconcile).await;
    let golden = format!(
        "held by both    1\nlacking here    1: entry {lost}\nlacking there   0\ndiffering       0\n"
    );
    assert_eq!((first.code, first.text), (1, golden));
    let complete = [&reconcile[..], &["--complete"]].concat();
    assert_eq!(said(&broker, "held", &complete).await.code, 0);
    let again = said(&broker, "held", &reconcile).await;
    let golden = "held by both    2\nlacking here    0\nlacking there   0\ndiffering       0\n";
    assert_eq!((again.code, again.text.as_str()), (0, golden));
    assert!(kept < lost);
    // Without a register there is nothing to compare, and a period that ends before it begins is none.
    let none = broker.command("wonen-zuid", &reconcile).await;
    assert!(
        none.code == 2 && none.complaint.contains("--receipts"),
        "{none:?}"
    );
    let backwards = ["reconcile", "--from", &to, "--to", &from];
    let none = said(&broker, "held", &backwards).await;
    assert!(
        none.code == 2 && none.complaint.contains("`--to` must be after"),
        "{none:?}"
    );
}

/// Yesterday, and the day after tomorrow.
fn days(broker: &TestBroker) -> (String, String) {
    let day = |at: schakel_core::time::Timestamp| at.to_string()[..10].to_owned();
    let now = broker.now();
    (day(now.minus_millis(86_400_000)), day(now.plus_days(2)))
}

/// One JSON object a line with the fields of the standard, newest first; `--max` and `--until` go on from where
/// an earlier run ended, and nothing is told twice.
#[tokio::test(flavor = "multi_thread")]
async fn export_fsc_prints_the_records_of_the_standard() {
    let broker = start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    for _ in 0..3 {
        association
            .ask_housing(&scene.mark)
            .await
            .expect("a signal");
    }
    assert!(association.ask_housing("nobody").await.is_none());
    let fsc = ["export", "fsc", "--service", "ExchangeService"];
    let all = broker.command("wonen-zuid", &fsc).await;
    assert_eq!(all.code, 0, "{}", all.complaint);
    let lines: Vec<&str> = all.text.lines().collect();
    // The redemption and three disclosures; the denial is none.
    assert_eq!(lines.len(), 4, "{}", all.text);
    let record: Value = serde_json::from_str(lines[0]).unwrap();
    let (id, hash) = (&record["transaction_id"], &record["grant_hash"]);
    let golden = format!(
        "{{\"transaction_id\":{id},\"direction\":\"DIRECTION_INCOMING\",\"grant_hash\":{hash},\"source\":{{\"type\":\
         \"SOURCE_TYPE_SOURCE\",\"outway_peer_id\":\"00000099000000050000\"}},\"destination\":{{\"type\":\
         \"DESTINATION_TYPE_DESTINATION\",\"service_peer_id\":\"00000099000000100000\"}},\"service_name\":\
         \"ExchangeService\",\"created_at\":{}}}",
        record["created_at"]
    );
    assert_eq!(lines[0], golden);
    let newest = [&fsc[..], &["--max", "2"]].concat();
    let newest = broker.command("wonen-zuid", &newest).await;
    assert_eq!(newest.text.lines().collect::<Vec<_>>(), lines[..2]);
    // What came since, and nothing else.
    let since = broker.now();
    association
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    let since = since.to_string();
    let since = [&fsc[..], &["--from", &since]].concat();
    let since = broker.command("wonen-zuid", &since).await;
    assert_eq!(since.text.lines().count(), 1, "{}", since.text);
    assert!(lines.iter().all(|line| !since.text.contains(line)));
    let other = broker.command("wonen-noord", &fsc).await;
    assert_eq!((other.code, other.text.as_str()), (0, ""));
}
