//! What parties may receive beside what they received.

use schakel_api::v1::{self, change::Change};
use schakel_core::event::Event;
use schakel_tests::{Scene, Settings, TestBroker, bsn};
use serde_json::Value;

/// A broker at which an association was told of housing twice, and the municipality of what was delivered.
async fn used() -> (TestBroker, Scene) {
    let broker = TestBroker::start_with(Settings {
        system_clock: true,
        ..Settings::default()
    })
    .await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let association = broker.party("wonen-zuid").await;
    municipality.consent(bsn(&scene.bsn)).await;
    for _ in 0..2 {
        association
            .ask_housing(&scene.mark)
            .await
            .expect("a signal");
    }
    municipality.pull(None, 10).await;
    (broker, scene)
}

const SINCE: [&str; 4] = ["audit", "usage", "--from", "2020-01-01"];

fn of<'a>(usage: &'a Value, party: &str) -> &'a Value {
    let mut parties = usage["parties"].as_array().unwrap().iter();
    let found = parties.find(|row| row["party_id"] == party);
    found.unwrap_or_else(|| panic!("{party} in {usage}"))
}

/// The rights of a party with how often each was used.
fn rights(party: &Value) -> Vec<(&str, &str, u64, bool)> {
    let rows = party["rights"].as_array().unwrap().iter();
    rows.map(|row| {
        (
            row["purpose"].as_str().unwrap(),
            row["condition"].as_str().unwrap(),
            row["count"].as_u64().unwrap(),
            row["granted"].as_bool().unwrap(),
        )
    })
    .collect()
}

/// An administrator sees every party: what it used, and by name what it never did. The look is an entry about
/// nobody, and no person appears.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_which_rights_are_never_used() {
    let (broker, scene) = used().await;
    let usage = broker
        .asks("beheer-een", &[&SINCE[..], &["--all"]].concat())
        .await;
    let association = of(&usage, "wonen-zuid");
    let used = rights(association);
    assert!(
        used.contains(&("P-ARRANGE-HOUSING", "HOUSING", 2, true)),
        "{used:?}"
    );
    let never = used.iter().filter(|row| row.2 == 0).count();
    assert_eq!(never, used.len() - 1, "{used:?}");
    assert_eq!(association["roles"][0]["role"], "HOUSING_ASSOCIATION");
    assert_eq!(association["roles"][0]["count"], 2);
    let municipality = rights(of(&usage, "gemeente-oost"));
    let delivered = municipality.iter().find(|row| row.2 > 0);
    assert_eq!(delivered, Some(&("P-PLAN", "HOUSING", 1, true)));
    let uwv = of(&usage, "uwv-test");
    assert_eq!(uwv["roles"][0]["count"], 0);
    assert!(rights(uwv).iter().all(|row| row.2 == 0));
    let parties = usage["parties"].as_array().unwrap();
    assert!(parties.iter().all(|row| row["party_id"] != "toetser"));
    let text = usage.to_string();
    for secret in [&scene.bsn, &scene.case, &scene.mark] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // An earlier period holds none of it; a later one grants the same.
    let before = ["--until", "2020-02-01", "--party", "wonen-zuid"];
    let before = broker
        .asks("beheer-een", &[&SINCE[..], &before].concat())
        .await;
    assert!(
        rights(of(&before, "wonen-zuid"))
            .iter()
            .all(|row| row.2 == 0)
    );

    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let looks = details.iter().flatten().filter_map(|details| {
        assert!(details.call.is_some() || details.subject.is_none());
        match &details.event {
            Event::LookedUp(looked) => Some((looked, details.subject)),
            _ => None,
        }
    });
    let looks: Vec<_> = looks.collect();
    assert_eq!(looks.len(), parties.len() + 1, "one a party");
    for (looked, subject) in looks {
        assert_eq!(
            (looked.method.as_str(), subject),
            ("AuditService/GetUsage", None)
        );
        assert!(looked.question.starts_with("usage, party "), "{looked:?}");
    }
}

/// What was used and is granted no more stands there as that.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_was_used_and_taken_back_is_told_as_such() {
    let (broker, _) = used().await;
    let administrator = broker.party("beheer-een").await;
    let request = v1::ListPartiesRequest::default();
    let listed = administrator
        .registry()
        .list_parties(request)
        .await
        .unwrap();
    let parties = listed.into_inner().parties.into_iter();
    let mut party = { parties }
        .find(|party| party.party_id == "wonen-zuid")
        .unwrap();
    party.roles = vec![v1::Role::DebtCounsellor.into()];
    let proposal = administrator.propose(Change::PutParty(party)).await;
    let second = broker.party("beheer-twee").await;
    second.approve(&proposal).await.unwrap();
    let usage = broker
        .asks(
            "beheer-een",
            &[&SINCE[..], &["--party", "wonen-zuid"]].concat(),
        )
        .await;
    let association = of(&usage, "wonen-zuid");
    let used = rights(association);
    assert!(
        used.contains(&("P-ARRANGE-HOUSING", "HOUSING", 2, false)),
        "{used:?}"
    );
    assert!(
        used.contains(&("P-ARRANGE-DEBT", "DEBT", 0, true)),
        "{used:?}"
    );
    let roles = association["roles"].as_array().unwrap();
    assert_eq!(roles.len(), 1);
    assert_eq!(
        (&roles[0]["role"], &roles[0]["count"]),
        (&"DEBT_COUNSELLOR".into(), &0.into())
    );
}

/// An officer sees the own controller, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sees_the_usage_of_the_own_controller_alone() {
    let (broker, _) = used().await;
    let usage = broker.asks("fg-wonen-zuid", &SINCE).await;
    assert_eq!(usage["parties"].as_array().unwrap().len(), 1);
    assert!(
        rights(of(&usage, "wonen-zuid"))
            .iter()
            .any(|row| row.2 == 2)
    );
    let other = [&SINCE[..], &["--party", "gemeente-oost"]].concat();
    let refused = broker.command("fg-wonen-zuid", &other).await;
    assert_ne!(refused.code, 0);
    assert!(
        refused.complaint.contains("must be your own controller"),
        "{refused:?}"
    );
    let refused = broker.command("beheer-een", &SINCE).await;
    assert!(
        refused.complaint.contains("has no controller of its own"),
        "{refused:?}"
    );
    let all = [&SINCE[..], &["--all"]].concat();
    let said = broker.command("beheer-een", &all).await;
    assert!(said.text.contains("never used"), "{}", said.text);
    assert!(
        said.text.lines().all(|line| line.chars().count() <= 80),
        "{}",
        said.text
    );
}
