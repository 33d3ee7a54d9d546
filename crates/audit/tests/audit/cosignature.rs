//! Cosignatures: the worked example's witness, and everything beside what it signed.

use schakel_audit::{
    checkpoint::Checkpoint,
    cosignature::{WitnessKey, WitnessSigningKey, message},
    note::{KeyError, Note, Signature, SignatureError, SigningKey, VerifyingKey},
};

const NAME: &str = "witness.example.net/w1";
const VKEY: &str = "witness.example.net/w1+3988e403+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
const TEXT: &str = "broker.example.org/audit/2026
7
mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=
";
const LINE: &str = "— witness.example.net/w1 OYjkAwAAAABqsTuAayaovoS8YOGS/W2Nmf8moecGSe2nQ+T7GP1qGtDMECXoCoan5sEduRrzswFnhb+Ocf0EcGk0GwlAI4wCrDPfBw==
";
const TIME: u64 = 1_790_000_000;

fn signing() -> WitnessSigningKey {
    WitnessSigningKey::from_seed(NAME, &[1; 32]).unwrap()
}

fn key() -> WitnessKey {
    VKEY.parse().unwrap()
}

fn line() -> Signature {
    Signature::parse(LINE).unwrap()
}

fn note(lines: &str) -> Note {
    Note::parse(&format!("{TEXT}\n{lines}")).unwrap()
}

#[test]
fn the_worked_example_is_cosigned() {
    assert_eq!(key().verify(TEXT, &line()), Some(TIME));
    assert_eq!(key().seen(&note(LINE)), Ok(Some(TIME)));
}

#[test]
fn the_worked_example_is_made_alike() {
    assert_eq!(signing().witness_key(), key());
    assert_eq!(signing().cosign(TEXT, TIME).to_string(), LINE);
    assert_eq!(key().to_string(), VKEY);
    assert_eq!(key().id().to_string(), "3988e403");
}

/// The example of the specification.
#[test]
fn what_is_signed_begins_with_its_purpose_and_time() {
    assert_eq!(
        message(
            1_679_315_147,
            "example.com/behind-the-sofa\n20852163\nCsUY=\n"
        ),
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUY=\n"
    );
}

#[test]
fn a_witness_that_signed_twice_was_last_seen_the_last_time() {
    let (earlier, later) = (signing().cosign(TEXT, 5), signing().cosign(TEXT, TIME + 1));
    let lines = format!("{LINE}{later}{earlier}");
    assert_eq!(key().seen(&note(&lines)), Ok(Some(TIME + 1)));
}

#[test]
fn a_witness_that_did_not_sign_is_not_seen() {
    let other = WitnessSigningKey::from_seed(NAME, &[2; 32]).unwrap();
    assert_eq!(other.witness_key().seen(&note(LINE)), Ok(None));
    let renamed = WitnessSigningKey::from_seed("other", &[1; 32]).unwrap();
    assert_eq!(renamed.witness_key().seen(&note(LINE)), Ok(None));
}

#[test]
fn a_cosignature_holds_for_its_text_and_its_time_alone() {
    let forged = SignatureError::Forged {
        name: NAME.to_owned(),
        id: key().id(),
    };
    let grown = format!("{}\n{LINE}", TEXT.replace("\n7\n", "\n8\n"));
    let grown = Note::parse(&grown).unwrap();
    assert_eq!(key().seen(&grown), Err(forged.clone()));

    // Every bit of the time and of the signature counts.
    let body = line().bytes().to_owned();
    assert_eq!(body.len(), 72);
    for bit in 0..body.len() * 8 {
        let mut bytes = [key().id().as_bytes().as_slice(), &body].concat();
        bytes[4 + bit / 8] ^= 1 << (bit % 8);
        let lines = as_line(&bytes);
        assert_eq!(key().seen(&note(&lines)), Err(forged.clone()), "bit {bit}");
    }
    // And one that holds does not make up for one that does not.
    let mut bytes = [key().id().as_bytes().as_slice(), &body].concat();
    bytes[20] ^= 1;
    let lines = format!("{LINE}{}", as_line(&bytes));
    assert_eq!(key().seen(&note(&lines)), Err(forged));
}

fn as_line(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    format!("— {NAME} {}\n", BASE64_STANDARD.encode(bytes))
}

#[test]
fn a_cosignature_has_one_length_and_a_time_that_can_be() {
    let body = line().bytes().to_owned();
    for len in [1, 8, 64, 71] {
        let bytes = [key().id().as_bytes().as_slice(), &body[..len]].concat();
        assert!(key().seen(&note(&as_line(&bytes))).is_err(), "{len}");
    }
    let last = signing().cosign(TEXT, i64::MAX as u64);
    assert_eq!(key().verify(TEXT, &last), Some(i64::MAX as u64));
    let beyond = signing().cosign(TEXT, i64::MAX as u64 + 1);
    assert_eq!(key().verify(TEXT, &beyond), None);
}

#[test]
fn the_signature_of_a_log_is_no_cosignature_and_the_other_way_round() {
    let log = SigningKey::from_seed(NAME, &[1; 32]).unwrap();
    let signed = Checkpoint::parse(TEXT).unwrap().sign(&log);
    let signed = Note::parse(&signed).unwrap();
    assert_eq!(key().seen(&signed), Ok(None));
    assert!(note(LINE).verify(&[log.verifying_key()]).is_err());

    assert_eq!(VKEY.parse::<VerifyingKey>(), Err(KeyError::Algorithm(4)));
    let vkey = log.verifying_key().to_string();
    assert_eq!(vkey.parse::<WitnessKey>(), Err(KeyError::Algorithm(1)));
}

#[test]
fn every_cut_and_every_mutation_of_a_witness_key_is_refused() {
    for end in 0..VKEY.len() {
        let (before, after) = VKEY.split_at(end);
        assert!(before.parse::<WitnessKey>().is_err());
        assert!(end == 0 || after.parse::<WitnessKey>().is_err());
        let mut bytes = VKEY.as_bytes().to_owned();
        bytes[end] = bytes[end].wrapping_add(1);
        let mutated = String::from_utf8(bytes).unwrap();
        assert!(mutated.parse::<WitnessKey>().is_err(), "{mutated}");
    }
}

#[test]
fn a_seed_is_not_printed() {
    let shown = format!("{:?}", signing());
    assert_eq!(
        shown,
        "WitnessSigningKey(witness.example.net/w1, seed withheld)"
    );
}
