//! What was deleted, and what the person is told.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn question_13_what_should_have_been_deleted_and_was_it() {
    let story = story().await;
    let check = ["retention", "check"];
    let before = story.broker.asks("fg-wonen-zuid", &check).await;
    assert_eq!(before["overdue"], Value::Array(Vec::new()));
    assert_eq!(before["done"], Value::Array(Vec::new()));
    // What comes next: five years and the month that had begun from now.
    assert!(before["next"]["month"].as_u64().unwrap() > 203_000);
    let officer = story.broker.party("fg-wonen-zuid").await;
    let unlawful = v1::ErasureGround::Unlawful;
    let proposed = officer.propose_erasure(by_case(&story.scene.case), unlawful);
    let v1::propose_erasure_response::Outcome::Proposed(proposed) = proposed.await else {
        panic!("what is unlawful waits for no duty");
    };
    let home = story.broker.party("wonen-zuid").await;
    let person = Some(by_case(&story.scene.case));
    let approved = home.approve_erasure(&proposed.proposal_id, person).await;
    let Ok(v1::approve_erasure_response::Outcome::Erased(done)) = approved else {
        panic!("{approved:?}");
    };
    let after = story.broker.asks("fg-wonen-zuid", &check).await;
    let [row] = &after["done"].as_array().unwrap()[..] else {
        panic!("{after}");
    };
    assert_eq!(
        (&row["rule"], &row["erasures"]),
        (&"UNLAWFUL".into(), &1.into())
    );
    assert_eq!(row["entries"].as_u64().unwrap(), done.entries);
    assert!(row["final_at"].is_string() && after["kek_due_since"].is_string());
    // Of another controller's erasures nothing is said.
    let others = story.broker.asks(OFFICER, &check).await;
    assert_eq!(others["done"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_is_told_who_got_what_who_looked_and_how_to_stop() {
    let story = story().await;
    story.asks(&["search", "--bsn", &story.scene.bsn]).await;
    let ask = ["statement", "--bsn", &story.scene.bsn];
    let told = story.asks(&ask).await;
    let lines = told["lines"].as_array().unwrap();
    let of =
        |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["kind"] == kind).collect() };
    let received = of("RECEIVED");
    assert_eq!(received.len(), 2, "{told}");
    assert_eq!(received[0]["party"]["name"], "Testgemeente Oost");
    assert_eq!(received[0]["providers"][0]["name"], "Test-PI Noord");
    assert_eq!(received[1]["party"]["name"], "Testwonen Zuid");
    // When, what for and on which basis.
    for (line, purpose, basis) in [
        (received[0], "P-PLAN", "PBW_18A"),
        (received[1], "P-ARRANGE-HOUSING", "CONSENT_AVG_6_1_A"),
    ] {
        assert!(line["at"].is_string());
        assert_eq!(line["purpose"], purpose);
        assert_eq!(line["bases"][0]["basis"], basis);
        assert_eq!(line["conditions"], serde_json::json!(["HOUSING"]));
    }
    assert_eq!(of("LOOKED").len(), 1);
    let consent = &told["consents"][0];
    assert_eq!(consent["state"], "WITHDRAWN");
    assert!(consent["valid_until"].is_string());
    assert_eq!(consent["collected_by"]["name"], "Testgemeente Oost");
    assert_eq!(told["notices"][0]["recipient"]["party_id"], "wonen-zuid");
    assert!(told["notices"][0].get("acknowledged_at").is_none());
    let text = story
        .broker
        .command(OFFICER, &[&["audit"], &ask[..]].concat())
        .await
        .text;
    assert!(text.starts_with("Overzicht van uw gegevens\n"), "{text}");
    // Whom to ask for a correction, and that a consent may be stopped by telling one of those on it.
    for said in [
        "Vraag het aan Testgemeente Oost:",
        "U mag een toestemming altijd stoppen.",
    ] {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(said), "{said}: {text}");
    }
    for employee in ["medewerker-1", "fg-gemeente-oost-1"] {
        assert!(!text.contains(employee) && !told.to_string().contains(employee));
    }
    let file = story.broker.place().path("statement.html");
    let html = ["--html", file.to_str().unwrap(), "--language", "en"];
    story.asks(&[&ask[..], &html[..]].concat()).await;
    let html = std::fs::read_to_string(file).unwrap();
    assert!(html.contains("<html lang=\"en\">") && html.contains("Testwonen Zuid"));
}
