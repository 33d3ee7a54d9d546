//! Policies: how they are read, what they ask for, and what a checkpoint is worth under them.

use std::fmt::Write as _;

use proptest::prelude::*;
use schakel_audit::{
    checkpoint::Checkpoint,
    cosignature::WitnessSigningKey,
    note::{KeyError, Note, SignatureError, SigningKey},
    policy::{EndorseError, Level, Policy, PolicyError, PolicyFault, Witness},
    proof::{PolicyVerifyError, TlogProof},
    tree::{inclusion_proof, leaf_hash},
};

use super::support::{Levels, numbered};

const ORIGIN: &str = "log.example/audit";
const NOW: u64 = 1_790_000_000;

fn log() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

/// The witness with this number.
fn witness(number: u8) -> WitnessSigningKey {
    WitnessSigningKey::from_seed(&format!("witness{number}"), &[100 + number; 32]).unwrap()
}

/// A policy that knows the log and so many witnesses, `w0` and on, and goes on with these lines.
fn text(witnesses: u8, rest: &str) -> String {
    let mut text = format!("log {} https://log.example/\n", log().verifying_key());
    for number in 0..witnesses {
        writeln!(text, "witness w{number} {}", witness(number).witness_key()).unwrap();
    }
    text + rest
}

fn policy(witnesses: u8, rest: &str) -> Policy {
    text(witnesses, rest).parse().unwrap()
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.parse().unwrap(),
        size,
        root: Levels::new(&numbered(size)).frontier.root(),
    }
}

/// A checkpoint of 9 entries, cosigned by these witnesses at these times.
fn cosigned(by: &[(u8, u64)]) -> String {
    let mut note = Note::parse(&checkpoint(9).sign(&log())).unwrap();
    for (number, at) in by {
        note.add(witness(*number).cosign(&checkpoint(9).text(), *at));
    }
    note.to_string()
}

/// Whether the quorum is met by the witnesses whose bits are set.
fn met(policy: &Policy, signed: u32) -> bool {
    let number = |witness: &Witness| witness.name.trim_start_matches('w').parse::<u32>().unwrap();
    policy.is_met_by(|witness| signed >> number(witness) & 1 == 1)
}

#[test]
fn a_policy_is_read_whole() {
    let text = format!(
        "# who we are\n\n \t log\t{} \nwitness a {} https://a.example/submit\n  quorum a\t\n# end",
        log().verifying_key(),
        witness(0).witness_key(),
    );
    let policy: Policy = text.parse().unwrap();
    assert_eq!(policy.logs().len(), 1);
    assert_eq!(policy.logs()[0].origin.as_str(), ORIGIN);
    assert_eq!(policy.logs()[0].url, None);
    let known = &policy.witnesses()[0];
    assert_eq!(
        (known.name.as_str(), &known.key),
        ("a", &witness(0).witness_key())
    );
    assert_eq!(known.url.as_deref(), Some("https://a.example/submit"));
    assert!(policy.wants_witnesses());
    assert!(!"quorum none".parse::<Policy>().unwrap().wants_witnesses());
}

/// The example of the specification: two of three of one organisation, and one of three of another.
#[test]
fn groups_of_groups_count_as_the_specification_says() {
    let policy = policy(
        6,
        "group x-witnesses 2 w0 w1 w2\ngroup y-witnesses any w3 w4 w5\n\
         group x-and-y all x-witnesses y-witnesses\nquorum x-and-y\n",
    );
    for signed in 0..64u32 {
        let want = (signed & 0b111).count_ones() >= 2 && signed >> 3 != 0;
        assert_eq!(met(&policy, signed), want, "{signed:06b}");
    }
}

#[test]
fn a_quorum_is_a_witness_a_group_or_none() {
    for signed in 0..8u32 {
        assert!(met(&policy(3, "quorum none"), signed));
        assert_eq!(met(&policy(3, "quorum w1"), signed), signed & 2 != 0);
        let all = policy(3, "group g all w0 w1 w2\nquorum g");
        assert_eq!(met(&all, signed), signed == 7);
        let one = policy(3, "group g 1 w2\nquorum g");
        assert_eq!(met(&one, signed), signed & 4 != 0);
    }
}

#[test]
fn witnesses_outside_the_quorum_do_not_count() {
    let policy = policy(3, "group g any w0 w1\ngroup other all w2\nquorum g");
    assert!(!met(&policy, 0b100));
    assert!(met(&policy, 0b001));
}

fn fault(witnesses: u8, rest: &str) -> PolicyFault {
    let PolicyError { line, fault } = text(witnesses, rest).parse::<Policy>().unwrap_err();
    // The fault is in the last of the lines.
    assert_eq!(
        line,
        1 + usize::from(witnesses) + rest.split('\n').count(),
        "{rest}"
    );
    fault
}

#[test]
fn a_fault_is_told_with_its_line() {
    use PolicyFault::*;
    let name = |name: &str| name.to_owned();
    assert_eq!(fault(0, "logs x"), Keyword(name("logs")));
    assert_eq!(fault(0, "Quorum none"), Keyword(name("Quorum")));
    assert_eq!(fault(0, "log"), Form("log <vkey> [<url>]"));
    assert_eq!(fault(0, "log a b c"), Form("log <vkey> [<url>]"));
    assert_eq!(fault(0, "witness a"), Form("witness <name> <vkey> [<url>]"));
    assert_eq!(
        fault(0, "group a any"),
        Form("group <name> all|any|<k> <member>...")
    );
    assert_eq!(fault(0, "quorum a b"), Form("quorum <name>|none"));
    assert_eq!(fault(0, "quorum \u{1}"), Control);
    assert_eq!(fault(0, "quorum none\r"), Control);
    assert_eq!(fault(0, "quorum \u{7f}"), Control);
    assert!(matches!(fault(0, "log nonsense"), Key(KeyError::Form(_))));
    let swapped = format!("log {}", witness(0).witness_key());
    assert_eq!(fault(0, &swapped), Key(KeyError::Algorithm(4)));
    let swapped = format!("witness w {}", log().verifying_key());
    assert_eq!(fault(0, &swapped), Key(KeyError::Algorithm(1)));

    // Names refer backwards, and are given once.
    assert_eq!(fault(1, "quorum w1"), UnknownName(name("w1")));
    assert_eq!(fault(1, "group g any g"), UnknownName(name("g")));
    assert_eq!(fault(1, "group g any w0 later"), UnknownName(name("later")));
    assert_eq!(fault(1, "group g any none"), UnknownName(name("none")));
    assert_eq!(fault(1, "group w0 any w0"), SameName(name("w0")));
    assert_eq!(fault(1, "group none any w0"), SameName(name("none")));
    let w0 = format!("witness w0 {}", witness(9).witness_key());
    assert_eq!(fault(1, &w0), SameName(name("w0")));

    // A witness counts in one way only.
    assert_eq!(fault(1, "group g any w0 w0"), MemberTwice(name("w0")));
    assert_eq!(
        fault(2, "group g any w0\ngroup h any w0 w1"),
        MemberTwice(name("w0"))
    );
    let again = WitnessSigningKey::from_seed("renamed", &[100; 32]).unwrap();
    let again = format!("witness again {}", again.witness_key());
    assert_eq!(fault(1, &again), SameKey);
    let log_again = SigningKey::from_seed("renamed", &[7; 32]).unwrap();
    assert_eq!(
        fault(0, &format!("log {}", log_again.verifying_key())),
        SameKey
    );

    for got in [
        "0",
        "3",
        "02",
        "+1",
        "-1",
        "1.0",
        "ANY",
        "18446744073709551616",
    ] {
        let want = Threshold {
            got: name(got),
            max: 2,
        };
        assert_eq!(fault(2, &format!("group g {got} w0 w1")), want);
    }
    assert_eq!(fault(0, "quorum none\nquorum none"), SecondQuorum);
    assert_eq!(fault(3, "group g any w0"), NoQuorum);
}

#[test]
fn many_logs_witnesses_and_groups_are_read_but_not_endlessly_many() {
    let mut text = String::new();
    for number in 0..200u8 {
        let seed = [number; 32];
        let log = SigningKey::from_seed(&format!("log{number}"), &seed).unwrap();
        let witness = WitnessSigningKey::from_seed(&format!("w{number}"), &seed).unwrap();
        writeln!(text, "log {}", log.verifying_key()).unwrap();
        writeln!(text, "witness w{number} {}", witness.witness_key()).unwrap();
        writeln!(text, "group g{number} any w{number}").unwrap();
    }
    let policy: Policy = format!("{text}quorum g199\n").parse().unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (200, 200));
    assert!(policy.is_met_by(|witness| witness.name == "w199"));
    assert!(!policy.is_met_by(|witness| witness.name != "w199"));

    let key = witness(0).witness_key();
    let mut text = format!("witness w {key}\ngroup g0 any w\n");
    for number in 1..Policy::MAX_LINES {
        writeln!(text, "group g{number} any g{}", number - 1).unwrap();
    }
    let got = text.parse::<Policy>().unwrap_err();
    assert_eq!(got.fault, PolicyFault::TooMany);
}

#[test]
fn the_level_of_a_checkpoint_is_that_of_its_witnesses() {
    let policy = policy(3, "group g 2 w0 w1 w2\nquorum g\n");
    for (by, want) in [
        (vec![], Level::LogSigned),
        (vec![(0, NOW)], Level::LogSigned),
        // Twice the same one is one.
        (vec![(0, NOW), (0, NOW + 1)], Level::LogSigned),
        // The policy does not know this one.
        (vec![(0, NOW), (9, NOW)], Level::LogSigned),
        (vec![(0, NOW), (2, NOW)], Level::Witnessed),
        (vec![(2, NOW), (1, NOW), (0, NOW)], Level::Witnessed),
    ] {
        let note = cosigned(&by);
        let endorsed = policy.open(&note).unwrap();
        assert_eq!(endorsed.level(), want, "{by:?}");
        assert_eq!(endorsed.is_met(), want == Level::Witnessed);
        assert_eq!(endorsed.checkpoint(), &checkpoint(9));
        assert_eq!(&endorsed.log().key, log().verifying_key());
    }
    let unasked = self::policy(1, "quorum none");
    let note = cosigned(&[(0, NOW)]);
    let endorsed = unasked.open(&note).unwrap();
    assert_eq!(
        (endorsed.level(), endorsed.is_met()),
        (Level::LogSigned, true)
    );
    let seen: Vec<_> = endorsed
        .seen()
        .map(|(it, at)| (it.name.as_str(), at))
        .collect();
    assert_eq!(seen, [("w0", NOW)]);
}

/// A quorum is as old as the oldest of the youngest cosignatures that make it.
#[test]
fn a_quorum_is_as_old_as_its_witnesses() {
    let policy = policy(3, "group g 2 w0 w1 w2\nquorum g\n");
    let note = cosigned(&[(0, NOW - 100), (1, NOW - 50), (2, NOW)]);
    let endorsed = policy.open(&note).unwrap();
    assert_eq!(endorsed.as_of(), Some(NOW - 50));
    assert!(endorsed.is_met_since(NOW - 50));
    assert!(!endorsed.is_met_since(NOW - 49));
    let note = cosigned(&[(2, NOW)]);
    assert_eq!(policy.open(&note).unwrap().as_of(), None);
    let note = cosigned(&[]);
    let unasked = self::policy(1, "quorum none");
    assert_eq!(unasked.open(&note).unwrap().as_of(), None);
}

#[test]
fn a_checkpoint_that_no_known_log_signed_is_refused() {
    let policy = policy(1, "quorum none");
    let other = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let signed = checkpoint(9).sign(&other);
    let got = policy.open(&signed);
    assert!(matches!(
        got,
        Err(EndorseError::Signature(SignatureError::Unknown { .. }))
    ));

    let elsewhere = Checkpoint {
        origin: "elsewhere".parse().unwrap(),
        ..checkpoint(9)
    };
    // Even by the known key: a key is that of one log.
    let signed = elsewhere.sign(&log());
    assert!(matches!(
        policy.open(&signed),
        Err(EndorseError::Origin { .. })
    ));

    let grown = cosigned(&[]).replacen("\n9\n", "\n8\n", 1);
    let got = policy.open(&grown);
    assert!(matches!(
        got,
        Err(EndorseError::Signature(SignatureError::Forged { .. }))
    ));

    // A known witness's signature that does not hold is a fault, not an absence.
    let elsewhere = witness(0).cosign("another text\n", NOW);
    let got = cosigned(&[]) + &elsewhere.to_string();
    let got = policy.open(&got);
    assert!(matches!(
        got,
        Err(EndorseError::Signature(SignatureError::Forged { .. }))
    ));

    assert!(matches!(
        policy.open("nonsense"),
        Err(EndorseError::Note(_))
    ));
    let unformed = schakel_audit::note::sign("nonsense\n", &log()).unwrap();
    assert!(matches!(policy.open(&unformed), Err(EndorseError::Form(_))));
}

#[test]
fn a_log_whose_key_changes_is_known_by_either() {
    let new = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let rest = format!("log {}\nquorum none", new.verifying_key());
    let policy = policy(0, &rest);
    for key in [&log(), &new] {
        let signed = checkpoint(9).sign(key);
        let endorsed = policy.open(&signed).unwrap();
        assert_eq!(&endorsed.log().key, key.verifying_key());
    }
    let mut both = Note::parse(&checkpoint(9).sign(&new)).unwrap();
    both.sign(&log());
    assert!(policy.open(&both.to_string()).is_ok());
    // One of the two does not hold: the text was altered after it was signed.
    let other = checkpoint(8).sign(&new);
    let (_, line) = other.split_once("\n\n").unwrap();
    let mixed = checkpoint(9).sign(&log()) + line;
    let got = policy.open(&mixed);
    assert!(matches!(
        got,
        Err(EndorseError::Signature(SignatureError::Forged { .. }))
    ));
}

#[test]
fn a_receipt_holds_under_a_policy_as_far_as_it_was_witnessed() {
    let policy = policy(2, "group g all w0 w1\nquorum g\n");
    let levels = Levels::new(&numbered(9));
    let hashes = inclusion_proof(3, 9, &levels).unwrap();
    let leaf = 3u64.to_be_bytes();
    for (by, want) in [
        (vec![(0, NOW)], Level::LogSigned),
        (vec![(0, NOW), (1, NOW)], Level::Witnessed),
    ] {
        let proof = TlogProof::new(3, hashes.clone(), cosigned(&by));
        assert_eq!(proof.to_string().parse(), Ok(proof.clone()));
        let endorsed = proof.verify_under(&leaf, &policy).unwrap();
        assert_eq!(endorsed.level(), want);
        let got = proof.verify_under(b"another", &policy);
        assert!(matches!(got, Err(PolicyVerifyError::Inclusion(_))));
    }
    let unsigned = TlogProof::new(3, hashes, checkpoint(9).sign(&witness_as_log()));
    let got = unsigned.verify_under(&leaf, &policy);
    assert!(matches!(got, Err(PolicyVerifyError::Checkpoint(_))));
    assert_eq!(numbered(4)[3], leaf_hash(&leaf));
}

/// A witness that signs as a log, by its own key and the log's name.
fn witness_as_log() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[100; 32]).unwrap()
}

/// A word or two of a policy, or something like it.
fn any_line() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "log", "witness", "group", "quorum", "none", "any", "all", "1", "2", "w0", "w1", "g", "#",
        "\t", "",
    ]);
    prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_lines_are_a_policy_or_refused_with_their_line(lines in prop::collection::vec(any_line(), 0..6)) {
        let text = text(2, &lines.join("\n"));
        match text.parse::<Policy>() {
            Ok(policy) => {
                prop_assert_eq!(policy.witnesses().len(), 2);
                // Who signs more never meets less.
                prop_assert!(!met(&policy, 0) || met(&policy, 1));
                prop_assert!(!met(&policy, 1) || met(&policy, 3));
                prop_assert!(met(&policy, 3));
            }
            Err(error) => prop_assert!((3..=text.split('\n').count()).contains(&error.line)),
        }
    }

    #[test]
    fn any_text_is_a_policy_or_refused(text in "(\\PC|\n|\t| ){0,200}") {
        let _ = text.parse::<Policy>();
    }
}
