//! `schakel doctor` finds what is wrong, from either side, and says which command mends it.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command, time::Instant};

use schakel_core::time::Timestamp;
use schakel_pki::{authority::Issued, organisation::Organisations, validity::Validity};
use schakel_tests::{Child, schakel};
use serde_json::Value;

/// What the doctor says of a party with these files: the last check, its verdict, what it says and how to mend it.
fn last(child: &Child, party: &str, more: &[&str]) -> (String, String, String) {
    let certificates = child.place().path("certificates");
    let server = child.address().to_string();
    let mut command = Command::new(schakel());
    command
        .args(["doctor", "--json", "--as", party, "--certificates"])
        .arg(certificates);
    command.args([
        "--server-name",
        "localhost",
        "--verifier-key",
        &child.vkey(),
    ]);
    if !more.contains(&"--server") {
        command.args(["--server", &server]);
    }
    told(command.args(more))
}

/// A party that is let in sees the broker's health and whether the clocks agree.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_sees_health_and_clock() {
    let child = Child::start("").await;
    let mut command = Command::new(schakel());
    let certificates = child.place().path("certificates");
    command
        .args(["doctor", "--json", "--as", "wonen-zuid", "--certificates"])
        .arg(certificates)
        .args(["--server", &child.address().to_string()])
        .args([
            "--server-name",
            "localhost",
            "--verifier-key",
            &child.vkey(),
        ]);
    let output = command.output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (check, told) in [("health", "records and serves"), ("clock", "agree")] {
        let mut findings = said["findings"].as_array().unwrap().iter();
        let found = findings.find(|found| found["check"] == check);
        let found = found.unwrap_or_else(|| panic!("{check} in {said}"));
        assert_eq!(found["verdict"], "passed", "{said}");
        assert!(found["said"].as_str().unwrap().contains(told), "{said}");
    }
}

fn told(command: &mut Command) -> (String, String, String) {
    let output = command.output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let findings = said["findings"].as_array().unwrap();
    let last = findings.last().unwrap();
    let text = |name: &str| last[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        output.status.success(),
        text("verdict") != "failed",
        "{said}"
    );
    assert_eq!(
        text("verdict") == "passed",
        text("mend").is_empty(),
        "{said}"
    );
    (text("check"), text("verdict"), text("said"))
}

fn keep(child: &Child, name: &str, issued: &Issued) {
    child
        .place()
        .write(&format!("certificates/{name}.cert.pem"), &issued.cert_pem);
    child
        .place()
        .write(&format!("certificates/{name}.key.pem"), &issued.key_pem);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_is_wrong() {
    let child = Child::start("").await;
    let place = child.place();
    let now = place.furnished_at();
    let organisations = Organisations::of_development().unwrap();
    let organisation = organisations.find("wonen-zuid").unwrap();
    let expired = Validity::between(now.minus_millis(120_000), now.minus_millis(60_000)).unwrap();
    keep(&child, "ended", &place.issue(organisation, expired));
    // Of ninety days, five are left.
    let ending = Validity::days(90, now.minus_millis(85 * Timestamp::DAY_MS));
    keep(&child, "ending", &place.issue(organisation, ending));
    keep(&child, "foreign", &place.foreign("wonen-zuid"));
    keep(&child, "stranger", &place.unregistered());
    let mixed = Issued {
        key_pem: place.issued("pi-noord").key_pem,
        ..place.issued("wonen-zuid")
    };
    keep(&child, "mixed", &mixed);
    place.write(
        "other.pem",
        schakel_tests::Forge::root("Een ander", now).pem(),
    );
    let other = place.path("other.pem").display().to_string();
    let cases: [(&str, &[&str], &str, &str); 9] = [
        ("wonen-zuid", &[], "registry", "you are party `wonen-zuid`"),
        ("ended", &[], "own certificate", "ended at"),
        ("foreign", &[], "TLS", "does not trust the authority"),
        ("mixed", &[], "TLS", "private key"),
        ("stranger", &[], "registry", "no active party"),
        ("nobody", &[], "files", "is not there"),
        ("wonen-zuid", &["--ca", &other], "TLS", "you do not trust"),
        (
            "wonen-zuid",
            &["--server", "nowhere.invalid:7443"],
            "name",
            "has no address",
        ),
        (
            "wonen-zuid",
            &["--server", "127.0.0.1:1"],
            "network",
            "refused",
        ),
    ];
    for (party, more, check, said) in cases {
        let found = last(&child, party, more);
        assert_eq!(found.0, check, "{party} {more:?}: {found:?}");
        assert!(found.2.contains(said), "{party} {more:?}: {found:?}");
    }
    assert_eq!(
        last(&child, "ending", &[]).1,
        "warned",
        "it ends in five days"
    );
}

/// A revocation and a block are told apart from everything else.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_knows_a_revoked_certificate() {
    let child = Child::start_with_tls("", "reload_every = \"1s\"").await;
    let own = child.place().issued("wonen-zuid");
    child
        .place()
        .revoke(&[&own], 2, child.place().furnished_at());
    let started = Instant::now();
    let found = loop {
        let found = last(&child, "wonen-zuid", &[]);
        // A broker that reads the list just now may tell it over the connection instead.
        if found.0 == "TLS" || started.elapsed().as_secs() > 60 {
            break found;
        }
    };
    assert_eq!(found.0, "TLS");
    assert!(found.2.contains("your certificate is revoked"), "{found:?}");
}

/// The broker's side names the file, what is wrong with it and the command that mends it.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_a_broker() {
    let child = Child::start("").await;
    let config = child.place().path("schakel.toml");
    let doctor = |config: &Path| {
        told(
            Command::new(schakel())
                .args(["doctor", "--json", "--config"])
                .arg(config),
        )
    };
    let found = doctor(&config);
    assert_eq!(
        (found.0.as_str(), found.1.as_str()),
        ("revocation", "passed"),
        "{found:?}"
    );
    let days = 30 * 86_400_000;
    child
        .place()
        .revoke(&[], 2, child.place().furnished_at().minus_millis(days));
    let found = doctor(&config);
    assert_eq!(found.1, "failed");
    assert!(
        found.2.contains("ca.crl.pem") && found.2.contains("older than a list"),
        "{found:?}"
    );
    // Where no newer list was taken yet, it is one that counts no longer.
    fs::remove_file(child.place().path("data/crl/newest")).unwrap();
    let found = doctor(&config);
    assert_eq!(found.1, "failed");
    assert!(
        found.2.contains("ca.crl.pem") && found.2.contains("not now"),
        "{found:?}"
    );
    child
        .place()
        .write("certificates/broker.key.pem", "nothing");
    let found = doctor(&config);
    assert_eq!(
        (found.0.as_str(), found.1.as_str()),
        ("certificates", "failed")
    );
    assert!(found.2.contains("tls.key"), "{found:?}");
}

/// What is found of a part of the broker: its verdict and what is said.
fn found(config: &Path, check: &str) -> (String, String) {
    let output = Command::new(schakel())
        .args(["doctor", "--json", "--config"])
        .arg(config)
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = said["findings"].as_array().unwrap();
    let of_check = findings.iter().filter(|found| found["check"] == check);
    let text = |found: &Value, name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let worst = of_check
        .max_by_key(|found| text(found, "verdict") == "failed")
        .unwrap_or_else(|| panic!("{check} in {said}"));
    let verdict = text(worst, "verdict");
    assert!(verdict != "failed" || !output.status.success(), "{said}");
    (verdict, text(worst, "said"))
}

/// Whatever keeps a broker from starting is found before it is started, by the key of the configuration and by the file; and
/// looking changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_a_start_would_refuse() {
    let child = Child::start("").await;
    let place = child.place();
    let config = place.path("schakel.toml");
    for check in ["bootstrap", "keyring", "checkpoint key", "directory"] {
        let (verdict, said) = found(&config, check);
        assert_eq!(verdict, "passed", "{check}: {said}");
    }
    let refused = |check: &str, parts: &[&str]| {
        let (verdict, said) = found(&config, check);
        assert_eq!(verdict, "failed", "{check}: {said}");
        for part in parts {
            assert!(said.contains(part), "{part} in {said}");
        }
    };
    let text = fs::read_to_string(&config).unwrap();
    let in_use = format!("\"{}\"", child.address());
    fs::write(&config, text.replacen("\"127.0.0.1:0\"", &in_use, 1)).unwrap();
    let (verdict, said) = found(&config, "address");
    assert_eq!(verdict, "warned", "the broker runs: {said}");
    assert!(said.contains("`listen.address`"), "{said}");
    let named = |key: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{key} = ")));
        let value = line.unwrap().split('"').nth(1).unwrap();
        place.path(value)
    };
    let (kek, key) = (named("kek_file"), named("checkpoint_key_file"));
    let whole = fs::read(&kek).unwrap();
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o644)).unwrap();
    refused(
        "keyring",
        &["`broker.kek_file`", "chmod 600", kek.to_str().unwrap()],
    );
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&kek, [7; 32]).unwrap();
    refused("keyring", &["`broker.kek_file`", "does not open"]);
    fs::remove_file(&kek).unwrap();
    refused("keyring", &["`broker.kek_file`", kek.to_str().unwrap()]);
    assert!(!kek.exists(), "looking makes nothing");
    fs::write(&kek, whole).unwrap();
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(found(&config, "keyring").0, "passed");

    fs::write(&key, "nothing").unwrap();
    refused(
        "checkpoint key",
        &["`broker.checkpoint_key_file`", "signing key"],
    );

    let parties = named("parties");
    let new = text.replacen("data_dir = \"data\"", "data_dir = \"new-data\"", 1);
    fs::write(&config, new).unwrap();
    fs::remove_file(&parties).unwrap();
    refused(
        "bootstrap",
        &["`bootstrap.parties`", parties.to_str().unwrap()],
    );
    assert!(!place.path("new-data").exists(), "looking makes nothing");
}
