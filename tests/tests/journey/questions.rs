//! The questions of a privacy officer and of the person concerned: each answered by one command.

mod notices;
mod person;

use schakel_api::v1;
use schakel_tests::{Scene, Settings, TestBroker, bsn, by_case, item};
use serde_json::Value;

/// What officers ask as, and the other one.
const OFFICER: &str = "fg-gemeente-oost";

/// A broker at which somebody's trajectory ran: denied, consented, told, withdrawn.
struct Story {
    broker: TestBroker,
    scene: Scene,
    /// The entries of the plan and of the signal to the association.
    plan: u64,
    signal: u64,
}

async fn story() -> Story {
    let broker = TestBroker::start_with(Settings {
        system_clock: true,
        ..Settings::default()
    })
    .await;
    let scene = Scene::set(&broker, 1).await;
    let (town, home, care) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
        broker.party("zorg-midden").await,
    );
    assert!(home.ask_housing(&scene.mark).await.is_none());
    assert!(home.ask_housing("nobody").await.is_none());
    let plan = item(
        by_case(&scene.case),
        "P-PLAN",
        v1::Condition::Housing,
        v1::Granularity::StatusWithDates,
    );
    let (_, plan) = town.try_ask(plan).await.unwrap().expect("the plan");
    town.consent(bsn(&scene.bsn)).await;
    let ask = item(
        schakel_tests::mark(&scene.mark),
        schakel_tests::HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    );
    let (_, signal) = home.try_ask(ask).await.unwrap().expect("a signal");
    care.withdraw(bsn(&scene.bsn)).await;
    assert!(home.ask_housing(&scene.mark).await.is_none());
    Story {
        broker,
        scene,
        plan,
        signal,
    }
}

impl Story {
    /// The rest of a command as the officer of the municipality.
    async fn asks(&self, arguments: &[&str]) -> Value {
        self.broker
            .asks(OFFICER, &[&["audit"], arguments].concat())
            .await
    }

    async fn report(&self, arguments: &[&str]) -> Value {
        self.asks(&[&["report"], arguments].concat()).await
    }
}

fn numbers(values: &Value, field: &str) -> Vec<u64> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value[field].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn question_1_all_disclosures_about_somebody_between_dates() {
    let story = story().await;
    let asked = [
        "search",
        "--bsn",
        &story.scene.bsn,
        "--outcome",
        "disclosed",
    ];
    let all = story
        .asks(&[&asked[..], &["--from", "2020-01-01"]].concat())
        .await;
    // What the association was told counts too: the municipality stood in for who reported it.
    assert_eq!(
        numbers(&all["entries"], "index"),
        [story.signal, story.plan]
    );
    let none = story
        .asks(&[&asked[..], &["--until", "2020-01-01"]].concat())
        .await;
    assert_eq!(none["entries"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn question_2_on_which_basis_and_was_it_valid_then() {
    let story = story().await;
    let replayed = story.asks(&["replay", &story.signal.to_string()]).await;
    let replayed = &replayed["replayed"];
    assert_eq!(replayed["result"], "SAME");
    assert_eq!(replayed["explanation"]["purpose"], "P-ARRANGE-HOUSING");
    assert_eq!(replayed["explanation"]["purpose_version"], 1);
    let reason = &replayed["explanation"]["reasons"][0];
    assert_eq!(reason["code"], "GRANTED");
    assert!(reason["recipient_basis"]["law_ref"].is_string());
    // It was withdrawn since; then it held.
    assert_eq!(replayed["consents"][0]["state"], "GIVEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn question_3_every_permitted_disclosure_without_a_basis_that_held() {
    let story = story().await;
    let check = &story.report(&["check"]).await["check"];
    assert_eq!(
        (&check["permitted"], &check["same"]),
        (&2.into(), &2.into())
    );
    assert_eq!(check["faults"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn question_4_denials_by_reason_and_party() {
    let story = story().await;
    let report = ["audit", "report", "denials"];
    let denials = story.broker.asks("fg-wonen-zuid", &report).await;
    let rows = denials["denials"].as_array().unwrap();
    let mut counted: Vec<_> = rows
        .iter()
        .map(|row| {
            assert_eq!(row["party_id"], "wonen-zuid");
            assert_eq!(row["purpose"], "P-ARRANGE-HOUSING");
            (
                row["reason"].as_str().unwrap(),
                row["count"].as_u64().unwrap(),
            )
        })
        .collect();
    counted.sort_unstable();
    // To an outsider's officer somebody nobody knows is denied for the same reason as all others.
    assert_eq!(counted, [("NO_BASIS", 3)]);
    // Those of another controller are not the officer's.
    let others = story.report(&["denials"]).await;
    assert!(others.get("denials").is_none(), "{others}");
}

#[tokio::test(flavor = "multi_thread")]
async fn question_5_disclosures_after_a_withdrawal_and_its_effect() {
    let story = story().await;
    let report = story.report(&["withdrawals"]).await;
    let [row] = &report["withdrawals"].as_array().unwrap()[..] else {
        panic!("{report}");
    };
    assert_eq!(row["after"], Value::Array(Vec::new()));
    assert!(row["index"].as_u64().unwrap() > story.signal);
    assert!(row["last_before_at"].is_string());
    assert_eq!(
        (&row["notices"], &row["acknowledged"]),
        (&1.into(), &0.into())
    );
    let home = story.broker.party("wonen-zuid").await;
    let pulled = home.pull(None, 10).await.messages;
    home.acknowledge(vec![pulled[0].delivery_id.clone()]).await;
    let report = story.report(&["withdrawals"]).await;
    assert_eq!(report["withdrawals"][0]["acknowledged"], 1);
    assert!(report["withdrawals"][0]["last_acknowledged_at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn question_6_who_got_a_condition_and_what_went_to_a_pi_on_consent() {
    let story = story().await;
    let report = story
        .report(&["recipients", "--condition", "housing"])
        .await;
    let rows = report["recipients"].as_array().unwrap();
    let to = |id: &str| {
        rows.iter()
            .find(|row| row["recipient_party_id"] == id)
            .unwrap()
    };
    assert_eq!(to("wonen-zuid")["on_consent"], true);
    assert_eq!(to("gemeente-oost")["on_consent"], false);
    assert!(rows.iter().all(|row| row["to_pi_on_consent"] == false));
    let care = story.report(&["recipients", "--condition", "care"]).await;
    assert!(care.get("recipients").is_none(), "{care}");
}

#[tokio::test(flavor = "multi_thread")]
async fn question_7_which_purposes_a_party_uses_beside_what_is_registered() {
    let story = story().await;
    let report = story.report(&["purposes", "--party", "wonen-zuid"]).await;
    let [row] = &report["purposes"].as_array().unwrap()[..] else {
        panic!("{report}");
    };
    assert_eq!(row["purpose"], "P-ARRANGE-HOUSING");
    assert_eq!(row["granularity"], "SIGNAL");
    assert_eq!(row["registered_conditions"], serde_json::json!(["HOUSING"]));
    assert_eq!(row["within"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn question_8_consents_that_expire_rest_on_an_old_notice_or_were_refused() {
    let story = story().await;
    let town = story.broker.party("gemeente-oost").await;
    let now = story.broker.now();
    let of = |n, state: v1::ConsentState, notice: &str| {
        let scene = schakel_tests::bsn_number(n);
        let mut request = schakel_tests::consent(bsn(&scene), now);
        request.state = state.into();
        request
            .terms
            .as_mut()
            .unwrap()
            .notice
            .as_mut()
            .unwrap()
            .version = notice.into();
        request
    };
    town.try_consent(of(7, v1::ConsentState::Refused, "1"))
        .await
        .unwrap();
    town.try_consent(of(8, v1::ConsentState::Given, "1"))
        .await
        .unwrap();
    town.try_consent(of(9, v1::ConsentState::Given, "2"))
        .await
        .unwrap();
    let report = story.report(&["consents"]).await;
    let collector = &report["collectors"][0];
    assert_eq!(collector["party_id"], "gemeente-oost");
    assert_eq!(
        (&collector["given"], &collector["refused"]),
        (&3.into(), &1.into())
    );
    let concerns = report["concerns"].as_array().unwrap();
    let seen: Vec<_> = concerns
        .iter()
        .map(|one| {
            (
                one["notice_version"].as_str().unwrap(),
                one["old_notice"] == true,
            )
        })
        .collect();
    // The withdrawn one is nobody's concern any more; all hold thirty days, so all expire soon.
    assert_eq!(seen, [("2", false), ("1", true)]);
    assert!(concerns.iter().all(|one| one["expiring"] == true));
}

#[tokio::test(flavor = "multi_thread")]
async fn question_9_who_read_the_log_about_somebody() {
    let story = story().await;
    story.asks(&["search", "--bsn", &story.scene.bsn]).await;
    story.asks(&["explain", &story.plan.to_string()]).await;
    let readers = story.report(&["readers", "--bsn", &story.scene.bsn]).await;
    let rows = readers["readers"].as_array().unwrap();
    let methods: Vec<_> = rows
        .iter()
        .map(|row| row["method"].as_str().unwrap())
        .collect();
    assert_eq!(
        methods,
        ["AuditService/ExplainEntry", "AuditService/SearchEntries"]
    );
    assert!(rows.iter().all(|row| row["party_id"] == OFFICER));
    assert!(rows.iter().all(|row| row["purpose"] == "P-ACCOUNTABILITY"));
    // This look is an entry too, for the next who asks.
    let readers = story.report(&["readers", "--bsn", &story.scene.bsn]).await;
    assert_eq!(readers["readers"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn question_10_was_the_trail_verified_when_and_by_whom() {
    let story = story().await;
    let checkpoint = story
        .broker
        .command("toetser", &["audit", "checkpoint"])
        .await
        .text;
    let path = story.broker.place().path("kept.checkpoint");
    std::fs::write(&path, checkpoint).unwrap();
    let verified = ["audit", "verified", "--checkpoint", path.to_str().unwrap()];
    let said = story.broker.command("toetser", &verified).await;
    assert!(said.text.contains("has this root at this size"), "{said:?}");
    let integrity = story.asks(&["integrity"]).await;
    let [one] = &integrity["verifications"].as_array().unwrap()[..] else {
        panic!("{integrity}");
    };
    assert_eq!(
        (&one["party_id"], &one["sound"]),
        (&"toetser".into(), &true.into())
    );
    assert_eq!(one["matches"], true);
    assert!(integrity["size"].as_u64() > one["size"].as_u64());
    assert_eq!(integrity["differences"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn question_12_whom_a_stolen_certificate_touched() {
    let story = story().await;
    let certificate = story.broker.certificate("wonen-zuid");
    let breach = [
        "breach",
        "--certificate-sha256",
        &certificate,
        "--from",
        &story.broker.now().minus_millis(3_600_000).to_string(),
        "--to",
        &story.broker.now().plus_millis(3_600_000).to_string(),
        "--discovered",
        &story.broker.now().to_string(),
    ];
    let own = story.asks(&breach).await;
    let [share] = &own["shares"].as_array().unwrap()[..] else {
        panic!("{own}");
    };
    assert_eq!(share["controller_party_id"], "gemeente-oost");
    assert_eq!(
        (&share["persons"], &share["disclosed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        share["recipient_party_ids"],
        serde_json::json!(["wonen-zuid"])
    );
    let person = &own["persons"][0];
    assert_eq!(person["subject"], format!("bsn {}", story.scene.bsn));
    let left = own["seconds_left"].as_i64().unwrap();
    assert!((258_000..=259_200).contains(&left), "{left}");
    // The person is told that somebody looked.
    let readers = story.report(&["readers", "--bsn", &story.scene.bsn]).await;
    assert_eq!(readers["readers"][0]["method"], "AuditService/GetBreach");
    // An auditor sees numbers of every controller, and no person.
    let all = story
        .broker
        .asks("toetser", &[&["audit"], &breach[..]].concat())
        .await;
    assert_eq!(all["persons"], Value::Array(Vec::new()));
    let shares = all["shares"].as_array().unwrap();
    let controllers: Vec<_> = shares
        .iter()
        .map(|one| &one["controller_party_id"])
        .collect();
    assert_eq!(controllers, ["gemeente-oost", "pi-noord", "wonen-zuid"]);
}
