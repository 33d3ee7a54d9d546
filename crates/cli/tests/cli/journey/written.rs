//! What is changed and recorded by hand.

use super::*;

#[test]
fn a_change_of_the_registry_takes_two_administrators() {
    let broker = Broker::start();
    let proposed = broker.json("beheer-een", &["party", "suspend", "wonen-zuid"]);
    let id = proposed["proposal_id"].as_str().unwrap();
    assert!(
        broker
            .says("beheer-twee", &["proposal", "list"])
            .contains("Suspend wonen-zuid.")
    );
    let (code, said) = broker.fails("beheer-een", &["proposal", "approve", id]);
    assert_eq!(code, 1);
    assert!(said.contains("Nobody does this alone"), "{said}");
    broker.says("beheer-twee", &["proposal", "approve", id]);
    let party = broker.says("toetser", &["party", "list"]);
    assert!(
        party.contains("Testwonen Zuid (HOUSING_ASSOCIATION, suspended)"),
        "{party}"
    );
}

#[test]
fn consent_is_recorded_shown_and_withdrawn_by_hand() {
    let broker = Broker::start();
    broker.open_case();
    let sha256 = "ab".repeat(32);
    let record = [
        "consent",
        "record",
        "--bsn",
        BSN,
        "--condition",
        "housing",
        "--purpose",
        "P-ARRANGE-HOUSING",
        "--provider",
        "gemeente-oost",
        "--recipient",
        "wonen-zuid",
        "--method",
        "oral",
        "--collected-at",
        "2026-01-05T10:00:00Z",
        "--valid-until",
        "2027-12-31",
        "--notice-version",
        "1",
        "--notice-sha256",
        &sha256,
        "--own-interest",
        "--help-question",
        "--refusal-without-detriment",
        "--alternative-offered",
    ];
    let recorded = broker.json("gemeente-oost", &record);
    let id = recorded["recorded"]["consent_id"].as_str().unwrap();
    let shown = broker.json("gemeente-oost", &["consent", "show", id, "--bsn", BSN]);
    let consent = &shown["consents"]["consents"][0];
    assert_eq!(consent["state"], "GIVEN");
    assert_eq!(consent["terms"]["notice"]["sha256"], sha256);
    assert_eq!(consent["terms"]["valid_from"], "2026-01-05T10:00:00.000Z");
    let withdrawn = broker.says("zorg-midden", &["consent", "withdraw", "--bsn", BSN]);
    assert!(
        withdrawn.starts_with("The withdrawal of every consent of this person"),
        "{withdrawn}"
    );
    let list = broker.says("gemeente-oost", &["consent", "list", "--bsn", BSN]);
    assert!(list.contains(&format!("Consent {id}: withdrawn")), "{list}");
}

#[test]
fn the_log_is_held_to_a_checkpoint_that_was_kept() {
    let broker = Broker::start();
    let (kept, proof) = (broker.path("kept"), broker.path("proof"));
    fs::write(&kept, broker.says("toetser", &["audit", "checkpoint"])).unwrap();
    broker.open_case();
    let (kept, proof) = (kept.to_str().unwrap(), proof.to_str().unwrap());
    let said = broker.says(
        "toetser",
        &["audit", "consistency", "--from", kept, "--proof", proof],
    );
    assert!(said.contains("none changed"), "{said}");
    let key = broker.path("certificates/log.vkey");
    let new = format!("{proof}.checkpoint");
    let check = [
        "consistency",
        "--old",
        kept,
        "--new",
        &new,
        "--proof",
        proof,
    ];
    let (code, lines) = verify(&check, &key);
    assert_eq!(code, Some(0), "{lines}");
    let (code, lines) = verify(&["consistency", "--old", &new, "--new", kept], &key);
    assert_eq!(code, Some(1));
    assert!(lines.contains("FAIL rollback"), "{lines}");
}
