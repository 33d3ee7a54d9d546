//! Text from anywhere: read strictly or refused, and judged as other implementations judge it.

use proptest::prelude::*;
use schakel_audit::{
    checkpoint::Checkpoint,
    cosignature::{WitnessKey, WitnessSigningKey},
    erasure::Opened,
    note::{Note, Signature, SigningKey, VerifyingKey},
    policy::Policy,
    proof::TlogProof,
    tree::{Hash, leaf_hash},
    witness::{AddCheckpoint, parse_conflict, parse_cosignatures},
};
use signed_note::{StandardVerifier, VerifierList};

const NAME: &str = "log.example";

fn key() -> SigningKey {
    SigningKey::from_seed(NAME, &[7; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    let origin = NAME.parse().unwrap();
    Checkpoint {
        origin,
        size: 12,
        root: leaf_hash(b"root"),
    }
}

fn signed() -> String {
    let mut note = Note::new(&checkpoint().text()).unwrap();
    note.sign(&SigningKey::from_seed("witness", &[8; 32]).unwrap());
    note.sign(&key());
    note.to_string()
}

fn proof() -> String {
    TlogProof::new(5, vec![leaf_hash(b"1"), leaf_hash(b"2")], signed()).to_string()
}

fn witness() -> WitnessSigningKey {
    WitnessSigningKey::from_seed("witness.example", &[8; 32]).unwrap()
}

fn cosigned() -> String {
    let mut note = Note::parse(&signed()).unwrap();
    note.add(witness().cosign(&checkpoint().text(), 1_790_000_000));
    note.to_string()
}

fn request() -> String {
    AddCheckpoint {
        old: 5,
        proof: vec![leaf_hash(b"1"), leaf_hash(b"2")],
        checkpoint: cosigned(),
    }
    .to_string()
}

fn policy() -> String {
    let (log, witness) = (key(), witness().witness_key());
    let log = log.verifying_key();
    format!("log {log}\nwitness w {witness}\ngroup g 1 w\nquorum g\n")
}

/// Replaces some characters by ones that mean something to the formats.
fn bent(text: String) -> impl Strategy<Value = String> {
    let character =
        prop::sample::select("\n\n\n  —+=A0/xé\u{a0}\u{1}1".chars().collect::<Vec<_>>());
    let change = (
        any::<prop::sample::Index>(),
        prop::option::of(character),
        any::<bool>(),
    );
    prop::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, character, insert) in changes {
            let at = at.index(characters.len());
            match character {
                Some(character) if insert => characters.insert(at, character),
                Some(character) => characters[at] = character,
                None => {
                    characters.remove(at);
                }
            }
        }
        characters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_text_is_read_strictly_or_refused(text in "(\\PC|\n|—|\\+| ){0,200}") {
        assert_strict(&text)?;
    }

    #[test]
    fn a_bent_proof_is_read_strictly_or_refused(text in bent(proof())) {
        assert_strict(&text)?;
    }

    #[test]
    fn a_bent_request_to_cosign_is_read_strictly_or_refused(text in bent(request())) {
        assert_strict(&text)?;
    }

    #[test]
    fn a_bent_checkpoint_never_counts_for_more_than_was_signed(text in bent(cosigned())) {
        let policy: Policy = policy().parse().unwrap();
        if let Ok(endorsed) = policy.open(&text) {
            prop_assert_eq!(endorsed.checkpoint(), &checkpoint());
            prop_assert!(endorsed.seen().all(|(_, at)| at == 1_790_000_000));
        }
    }

    #[test]
    fn a_bent_policy_is_read_or_refused(text in bent(policy())) {
        if let Ok(policy) = text.parse::<Policy>() {
            let witness = witness().witness_key();
            prop_assert!(policy.witnesses().iter().all(|it| it.key == witness));
            prop_assert!(policy.logs().iter().all(|it| &it.key == key().verifying_key()));
        }
    }

    #[test]
    fn any_bytes_are_opened_details_or_too_short(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        match Opened::decode(&bytes) {
            Some(opened) => prop_assert_eq!(opened.encode(), bytes),
            None => prop_assert!(bytes.len() < 32),
        }
    }

    #[test]
    fn a_bent_note_is_judged_as_another_implementation_does(text in bent(signed())) {
        assert_strict(&text)?;
        let ours = Note::parse(&text);
        let theirs = signed_note::Note::from_bytes(text.as_bytes());
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}", text);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.text().as_bytes(), theirs.text());
            let verifier = StandardVerifier::new(&key().verifying_key().to_string()).unwrap();
            let known = VerifierList::new(vec![Box::new(verifier)]);
            let signing = key();
            let verdict = ours.verify(&[signing.verifying_key()]).is_ok();
            prop_assert_eq!(verdict, theirs.verify(&known).is_ok(), "{}", text);
        }
    }

    #[test]
    fn a_bent_checkpoint_is_judged_as_another_implementation_does(text in bent(checkpoint().text())) {
        assert_strict(&text)?;
        let ours = Checkpoint::parse(&text);
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes());
        let stricter = text.contains('\u{1}') || text.contains("\n0\n");
        prop_assert!(ours.is_ok() == theirs.is_ok() || stricter, "{text:?} {ours:?}");
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.origin.as_str(), theirs.origin());
            prop_assert_eq!(ours.size, theirs.size());
            prop_assert_eq!(ours.root.as_bytes(), &theirs.hash().0);
        }
    }

    #[test]
    fn a_bent_vkey_is_judged_as_another_implementation_does(
        text in bent(key().verifying_key().to_string()),
    ) {
        let ours = text.parse::<VerifyingKey>();
        let theirs = StandardVerifier::new(&text);
        // The other one also reads ids in capitals, a second spelling of the same key.
        let capitals = text
            .split('+')
            .nth(1)
            .is_some_and(|id| id.contains(|c: char| c.is_ascii_uppercase()));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok() && !capitals, "{}", text);
    }
}

/// Whatever is read is written back as it was.
fn assert_strict(text: &str) -> Result<(), TestCaseError> {
    if let Ok(note) = Note::parse(text) {
        prop_assert_eq!(note.to_string(), text);
    }
    if let Ok(proof) = text.parse::<TlogProof>() {
        prop_assert_eq!(proof.to_string(), text);
    }
    if let Ok(request) = text.parse::<AddCheckpoint>() {
        prop_assert_eq!(request.to_string(), text);
    }
    if let Some(signature) = Signature::parse(text) {
        prop_assert_eq!(signature.to_string(), text);
    }
    if let Some(signatures) = parse_cosignatures(text) {
        let lines: String = signatures.iter().map(ToString::to_string).collect();
        prop_assert_eq!(lines, text);
    }
    if let Some(size) = parse_conflict(text) {
        prop_assert_eq!(format!("{size}\n"), text);
    }
    if let Ok(key) = text.parse::<WitnessKey>() {
        prop_assert_eq!(key.to_string(), text);
    }
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        prop_assert!(text.starts_with(&checkpoint.text()));
    }
    if let Ok(key) = text.parse::<VerifyingKey>() {
        prop_assert_eq!(key.to_string(), text);
    }
    if let Ok(key) = SigningKey::from_skey(text) {
        let skey = key.to_skey();
        prop_assert_eq!(skey.as_str(), text);
    }
    if let Some(hash) = Hash::from_base64(text) {
        prop_assert_eq!(hash.to_base64(), text);
    }
    Ok(())
}
