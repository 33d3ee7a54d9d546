//! What is said to witnesses and by them.

use schakel_audit::{
    checkpoint::CheckpointError,
    note::NoteError,
    tree::{Hash, consistency_proof, leaf_hash},
    witness::{
        AddCheckpoint, RequestError, conflict, monitoring_path, parse_conflict, parse_cosignatures,
    },
};

use super::support::Levels;

const BODY: &str = "old 4
lK+4osoFHAVFjqOdzRmxvWjn4zUp8QtDnSphWlH2NuI=

broker.example.org/audit/2026
7
mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=

— broker.example.org/audit/2026 tzUiG3eiRHaMrpwNWNSJt1UhPyIbXgV4gvh5TPGGFdYu9KpHu/Lr8jG184uYFxH+uV5npnwxJav/Cm6kRnfbTaYKkgc=
";
const COSIGNATURE: &str = "— witness.example.net/w1 OYjkAwAAAABqsTuAayaovoS8YOGS/W2Nmf8moecGSe2nQ+T7GP1qGtDMECXoCoan5sEduRrzswFnhb+Ocf0EcGk0GwlAI4wCrDPfBw==
";

#[test]
fn the_worked_example_is_asked_for_as_others_ask() {
    let leaves: Vec<Hash> = (0..7)
        .map(|it| leaf_hash(format!("entry {it}").as_bytes()))
        .collect();
    let (_, checkpoint) = BODY.split_once("\n\n").unwrap();
    let request = AddCheckpoint {
        old: 4,
        proof: consistency_proof(4, 7, &Levels::new(&leaves)).unwrap(),
        checkpoint: checkpoint.to_owned(),
    };
    assert_eq!(request.to_string(), BODY);
    assert_eq!(BODY.parse(), Ok(request.clone()));

    let first = AddCheckpoint {
        old: 0,
        proof: Vec::new(),
        ..request
    };
    assert_eq!(first.to_string(), format!("old 0\n\n{checkpoint}"));
    assert_eq!(first.to_string().parse(), Ok(first));
}

fn assert_refused(from: &str, to: &str, want: RequestError) {
    assert!(BODY.contains(from));
    let body = BODY.replacen(from, to, 1);
    assert_eq!(body.parse::<AddCheckpoint>(), Err(want), "{body}");
}

#[test]
fn a_request_has_one_spelling() {
    for line in ["", "old", "old ", "old 04", "old +4", "Old 4", "old 4 "] {
        let want = RequestError::Old(line.to_owned());
        assert_refused("old 4", line, want);
    }
    let (hash, bad) = ("lK+4osoFHAVFjqOdzRmxvWjn4zUp8QtDnSphWlH2NuI=", "lK+4");
    assert_refused(hash, bad, RequestError::Hash(bad.to_owned()));
    let origin = "broker.example.org/audit/2026";
    let joined = RequestError::Hash(origin.to_owned());
    assert_refused("\n\nbroker", "\nbroker", joined);
    let size = CheckpointError::Size("07".to_owned());
    assert_refused("\n7\n", "\n07\n", size.into());
    assert_refused(
        "— broker",
        "- broker",
        NoteError::SignatureLine { line: 1 }.into(),
    );
    let none = "old 4\n".parse::<AddCheckpoint>();
    assert_eq!(none, Err(RequestError::NoCheckpoint));
}

#[test]
fn no_more_hashes_are_read_than_may_be_sent() {
    let line = "lK+4osoFHAVFjqOdzRmxvWjn4zUp8QtDnSphWlH2NuI=\n";
    let with = |count: usize| BODY.replacen(line, &line.repeat(count), 1);
    let read = with(63).parse::<AddCheckpoint>().unwrap();
    assert_eq!(read.proof.len(), 63);
    let got = with(64).parse::<AddCheckpoint>();
    assert_eq!(got, Err(RequestError::TooManyHashes));
}

#[test]
fn a_conflict_is_a_size_and_a_newline() {
    assert_eq!(conflict(0), "0\n");
    for size in [0, 7, u64::MAX] {
        assert_eq!(parse_conflict(&conflict(size)), Some(size));
    }
    for body in [
        "",
        "\n",
        "7",
        "07\n",
        "7\n\n",
        " 7\n",
        "-7\n",
        "18446744073709551616\n",
    ] {
        assert_eq!(parse_conflict(body), None, "{body:?}");
    }
}

#[test]
fn an_answer_is_signature_lines_and_nothing_else() {
    let two = format!("{COSIGNATURE}{COSIGNATURE}");
    assert_eq!(parse_cosignatures(&two).unwrap().len(), 2);
    let whole = parse_cosignatures(COSIGNATURE).unwrap();
    assert_eq!(whole[0].to_string(), COSIGNATURE);
    for body in [
        String::new(),
        "\n".to_owned(),
        format!("\n{COSIGNATURE}"),
        format!("{COSIGNATURE}\n"),
        COSIGNATURE.trim_end().to_owned(),
        COSIGNATURE.replace('—', "-"),
        COSIGNATURE.repeat(101),
    ] {
        assert_eq!(parse_cosignatures(&body), None, "{body}");
    }
    assert!(parse_cosignatures(&COSIGNATURE.repeat(100)).is_some());
}

#[test]
fn a_log_is_looked_up_by_the_digest_of_its_origin() {
    let origin = "broker.example.org/audit/2026".parse().unwrap();
    // sha256sum of those bytes.
    assert_eq!(monitoring_path(&origin), DIGEST_PATH);
}

const DIGEST_PATH: &str =
    "cbe2a1b01014343dcc7e719228df7dc48c1b4feeaf07928c34cce7cb30a242bb/checkpoint";
