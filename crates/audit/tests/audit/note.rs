//! Signed notes and their keys: the published examples, and all that must be refused.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use schakel_audit::note::{
    self, KeyError, Note, NoteError, OpenError, SignatureError, SigningKey, VerifyingKey,
};
use sha2::{Digest, Sha256};
use signed_note::{Signer as _, Verifier as _};

const FOO_VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const FOO_NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const PETER_SKEY: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn vkey(text: &str) -> VerifyingKey {
    text.parse().unwrap()
}

fn peter() -> SigningKey {
    SigningKey::from_skey(PETER_SKEY).unwrap()
}

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(name, &[seed; 32]).unwrap()
}

/// A vkey with whatever stands after the name, and an id that fits it.
fn typed_vkey(name: &str, typed: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n")
        .chain_update(typed)
        .finalize();
    let base64 = BASE64_STANDARD.encode(typed);
    format!("{name}+{}+{base64}", hex::encode(&digest[..4]))
}

#[test]
fn the_example_of_the_format_opens() {
    let note = note::open(FOO_NOTE, &[&vkey(FOO_VKEY)]).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.signatures().len(), 1);
    assert_eq!(note.signatures()[0].name(), "example.com/foo");
    assert_eq!(note.signatures()[0].id().to_string(), "530d903a");
    assert_eq!(note.signatures()[0].bytes().len(), 64);
    assert_eq!(note.to_string(), FOO_NOTE);
}

#[test]
fn the_go_example_is_signed_alike() {
    let want = format!("{PETER_TEXT}\n{PETER_LINE}");
    assert_eq!(note::sign(PETER_TEXT, &peter()).unwrap(), want);
    assert!(note::open(&want, &[&vkey(PETER_VKEY)]).is_ok());
}

#[test]
fn keys_are_written_as_they_were_read() {
    assert_eq!(vkey(FOO_VKEY).to_string(), FOO_VKEY);
    assert_eq!(peter().verifying_key().to_string(), PETER_VKEY);
    assert_eq!(*peter().to_skey(), PETER_SKEY);
}

/// What Go's `TestNewVerifier` and `TestNewSigner` refuse: each part of the key's text, and the text
/// with any one byte raised by one.
fn mutations(text: &str) -> Vec<String> {
    let parts = (0..=text.len()).flat_map(|start| {
        (start..=text.len())
            .filter(move |end| (start, *end) != (0, text.len()))
            .map(move |end| text.get(start..end).unwrap().to_owned())
    });
    let raised = (0..text.len()).filter_map(|at| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] += 1;
        String::from_utf8(bytes).ok()
    });
    parts.chain(raised).collect()
}

#[test]
fn every_part_and_every_miscopy_of_a_vkey_is_refused() {
    for text in [PETER_VKEY, FOO_VKEY] {
        for bad in mutations(text) {
            assert!(bad.parse::<VerifyingKey>().is_err(), "`{bad}`");
        }
    }
}

#[test]
fn every_part_and_every_miscopy_of_an_skey_is_refused() {
    for bad in mutations(PETER_SKEY) {
        assert!(SigningKey::from_skey(&bad).is_err(), "`{bad}`");
    }
}

#[test]
fn vkeys_with_a_fitting_id_but_no_sound_key_are_refused() {
    let public = *vkey(PETER_VKEY).as_bytes();
    let typed = |kind: u8, key: &[u8]| typed_vkey("x", &[&[kind], key].concat());
    let parse = |text: &str| text.parse::<VerifyingKey>().map(|_| ());
    assert_eq!(parse(&typed(1, &public)), Ok(()));
    assert_eq!(parse(&typed(1, &public[1..])), Err(KeyError::Length(31)));
    assert_eq!(
        parse(&typed(1, &[&public[..], &[0]].concat())),
        Err(KeyError::Length(33))
    );
    assert_eq!(parse(&typed(1, &[])), Err(KeyError::Length(0)));
    assert_eq!(parse(&typed_vkey("x", &[])), Err(KeyError::Length(0)));
    assert_eq!(parse(&typed(2, &public)), Err(KeyError::Algorithm(2)));
    assert_eq!(parse(&typed(4, &public)), Err(KeyError::Algorithm(4)));
    // No point of the curve, and the neutral point, under which anything verifies.
    let off_curve = [&[2][..], &[0; 31]].concat();
    assert_eq!(parse(&typed(1, &off_curve)), Err(KeyError::Point));
    let neutral = [&[1][..], &[0; 31]].concat();
    assert_eq!(parse(&typed(1, &neutral)), Err(KeyError::Point));
}

#[test]
fn a_vkey_has_one_spelling() {
    let [name, id, base64] = [
        "PeterNeumann",
        "c74f20a3",
        "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ];
    let parse = |text: String| text.parse::<VerifyingKey>().map(|_| ());
    assert_eq!(parse(format!("{name}+{id}+{base64}")), Ok(()));
    for bad in [
        format!("{name}+{}+{base64}", id.to_uppercase()),
        format!("{name}++74f20a3+{base64}"),
        format!("{name}+0{id}+{base64}"),
        format!("{name}+{id}+{base64}="),
        format!("{name}+{id}+{base64}\n"),
        format!("{name}+{id}+ {base64}"),
        format!("{name}+{id}"),
        String::new(),
    ] {
        assert!(matches!(parse(bad), Err(KeyError::Form(_))));
    }
    let other = format!("{name}+c74f20a4+{base64}");
    assert!(matches!(parse(other), Err(KeyError::Id { .. })));
}

#[test]
fn names_that_cannot_stand_in_a_note_are_refused() {
    for name in [
        "",
        "a b",
        "a+b",
        "a\nb",
        "a\u{a0}b",
        "a\u{2003}b",
        "a\u{0}b",
        "a\tb",
        "\u{3000}",
    ] {
        let signing = SigningKey::from_seed(name, &[1; 32]).map(|_| ());
        assert_eq!(signing, Err(KeyError::Name), "`{name}`");
        let verifying = VerifyingKey::new(name, vkey(FOO_VKEY).as_bytes());
        assert_eq!(verifying, Err(KeyError::Name), "`{name}`");
    }
    assert!(SigningKey::from_seed("schakel.example/één-spoor", &[1; 32]).is_ok());
}

#[test]
fn the_seed_is_not_shown() {
    let key = key("log", 0xab);
    let shown = format!("{key:?}");
    assert!(shown.contains("log+"));
    assert!(!shown.to_lowercase().contains("abab") && !shown.contains("171"));
    let error = SigningKey::from_skey(&PETER_SKEY.replace('E', "F")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("FKFALV"));
}

#[test]
fn a_changed_text_or_signature_is_forged() {
    let note = note::sign(PETER_TEXT, &peter()).unwrap();
    let key = vkey(PETER_VKEY);
    for at in 0..PETER_TEXT.len() - 1 {
        let mut bytes = note.clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        let got = note::open(&String::from_utf8(bytes).unwrap(), &[&key]);
        assert!(
            matches!(
                got,
                Err(OpenError::Signature(SignatureError::Forged { .. }))
            ),
            "{at}"
        );
    }
    let mut line = PETER_LINE.to_owned();
    line.replace_range(PETER_LINE.len() - 10..PETER_LINE.len() - 9, "A");
    let got = note::open(&format!("{PETER_TEXT}\n{line}"), &[&key]);
    assert!(matches!(
        got,
        Err(OpenError::Signature(SignatureError::Forged { .. }))
    ));
}

#[test]
fn unknown_signatures_are_passed_over_but_one_must_be_known() {
    let (known, other) = (key("log", 1), key("witness", 2));
    let mut note = Note::new("text\n").unwrap();
    note.sign(&other);
    let keys = [known.verifying_key()];
    let error = note.verify(&keys).unwrap_err();
    let (want, got) = (
        format!("log+{}", known.id()),
        format!("witness+{}", other.id()),
    );
    assert_eq!(error, SignatureError::Unknown { want, got });
    note.sign(&known);
    assert_eq!(note.verify(&keys), Ok(()));
    assert_eq!(
        note.verify(&[other.verifying_key(), known.verifying_key()]),
        Ok(())
    );
    assert!(note.verify(&[]).is_err());
    assert_eq!(Note::parse(&note.to_string()).unwrap(), note);
}

#[test]
fn one_forged_signature_by_a_known_key_spoils_the_note() {
    let (one, other) = (key("log", 1), key("witness", 2));
    let mut note = Note::new("text\n").unwrap();
    note.sign(&one);
    let forged = note::sign("another text\n", &other).unwrap();
    let (_, line) = forged.split_once("\n\n").unwrap();
    let note = Note::parse(&format!("{note}{line}")).unwrap();
    assert_eq!(note.verify(&[one.verifying_key()]), Ok(()));
    let both = note.verify(&[one.verifying_key(), other.verifying_key()]);
    assert_eq!(
        both,
        Err(SignatureError::Forged {
            name: "witness".into(),
            id: other.id()
        })
    );
}

#[test]
fn a_signature_has_one_form() {
    let key = key("log", 0);
    let verifying = key.verifying_key();
    let good = key.sign(b"text\n");
    assert!(verifying.verify(b"text\n", &good));
    assert!(!verifying.verify(b"text\n", &good[..63]));
    assert!(!verifying.verify(b"text\n", &[&good[..], &[0]].concat()));

    // The same scalar plus the order of the group: the equation holds, the form is another.
    let order: [u8; 32] =
        hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
            .unwrap()
            .try_into()
            .unwrap();
    let mut malleated = good;
    let mut carry = 0;
    for (byte, add) in malleated[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    assert!(!verifying.verify(b"text\n", &malleated));

    // Made with the seed, but from the neutral point in place of a random one.
    let weak = hex::decode(
        "0100000000000000000000000000000000000000000000000000000000000000\
         fcfddd9c6fe2d54bb44e0f3d83cf2f615d52942f0eead94ed2e7250ec3da4707",
    )
    .unwrap();
    assert!(!verifying.verify(b"text\n", &weak));
}

#[test]
fn a_key_of_the_same_name_is_another_key() {
    let (old, new) = (key("log", 1), key("log", 2));
    let note = note::sign("text\n", &old).unwrap();
    assert!(note::open(&note, &[old.verifying_key()]).is_ok());
    let got = note::open(&note, &[new.verifying_key()]);
    assert!(matches!(
        got,
        Err(OpenError::Signature(SignatureError::Unknown { .. }))
    ));
}

#[test]
fn the_last_empty_line_parts_the_text_from_the_signatures() {
    for text in ["\n", "\n\n", "a\n\nb\n", "a\n\n\n", "— name AAAAAAA=\n\n\n"] {
        let note = note::sign(text, &peter()).unwrap();
        let opened = note::open(&note, &[peter().verifying_key()]).unwrap();
        assert_eq!(opened.text(), text);
    }
}

#[test]
fn what_is_not_a_note_is_refused() {
    let line = PETER_LINE;
    let cases = [
        (String::new(), NoteError::NoSignatures),
        ("text\n".into(), NoteError::NoSignatures),
        ("text\n\n".into(), NoteError::NoSignatures),
        (format!("text\n{line}"), NoteError::NoSignatures),
        (format!("te\u{1}xt\n\n{line}"), NoteError::Control { at: 2 }),
        (format!("text\r\n\r\n{line}"), NoteError::Control { at: 4 }),
        (
            format!("text\u{1f}\n\n{line}"),
            NoteError::Control { at: 4 },
        ),
    ];
    for (text, want) in cases {
        assert_eq!(Note::parse(&text), Err(want), "{text:?}");
    }
    for text in ["no newline", ""] {
        assert_eq!(Note::new(text), Err(NoteError::Unfinished));
    }
    let signed = note::sign("a\tb\n", &peter());
    assert_eq!(signed, Err(NoteError::Control { at: 1 }));
}

#[test]
fn a_line_that_is_no_signature_is_refused() {
    let base64 = PETER_LINE.split(' ').nth(2).unwrap();
    let lines = [
        PETER_LINE.trim_end(),
        &PETER_LINE.replace('—', "-"),
        &PETER_LINE.replace('—', "——"),
        &PETER_LINE.replace('\n', " \n"),
        &format!("—{base64}"),
        &format!("— {base64}"),
        &format!("—  {base64}"),
        &format!("— a  {base64}"),
        &format!("— a+b {base64}"),
        &format!("— a\u{a0}b {base64}"),
        &format!("— a !{base64}"),
        "— a AAAAAA==\n",
        "— a AAAA\n",
        "— a AAAAAAA\n",
        "— a AAAAAAB=\n",
        "— a \n",
    ];
    for bad in lines {
        let first = Note::parse(&format!("text\n\n{bad}"));
        assert_eq!(first, Err(NoteError::SignatureLine { line: 1 }), "{bad:?}");
        let second = Note::parse(&format!("text\n\n{PETER_LINE}{bad}"));
        assert_eq!(second, Err(NoteError::SignatureLine { line: 2 }), "{bad:?}");
    }
    assert!(Note::parse("text\n\n— a AAAAAAA=\n").is_ok());
}

#[test]
fn notes_are_bounded() {
    let lines = |count| format!("text\n\n{}", PETER_LINE.repeat(count));
    assert!(Note::parse(&lines(Note::MAX_SIGNATURES)).is_ok());
    let more = Note::parse(&lines(Note::MAX_SIGNATURES + 1));
    assert_eq!(more, Err(NoteError::TooManySignatures));

    let filled = |len| "a".repeat(len - 1) + "\n";
    assert!(Note::new(&filled(Note::MAX_LEN)).is_ok());
    let len = Note::MAX_LEN + 1;
    assert_eq!(Note::new(&filled(len)), Err(NoteError::TooLong { len }));
    assert_eq!(Note::parse(&filled(len)), Err(NoteError::TooLong { len }));
}

proptest! {
    #[test]
    fn what_is_signed_opens(text in "([^\\p{Cc}]|\n){0,80}\n", seed: [u8; 32], name in "[a-z./]{1,20}") {
        let key = SigningKey::from_seed(&name, &seed).unwrap();
        let signed = note::sign(&text, &key).unwrap();
        let opened = note::open(&signed, &[key.verifying_key()]).unwrap();
        prop_assert_eq!(opened.text(), text);
        prop_assert_eq!(opened.to_string(), signed);
    }

    #[test]
    fn keys_and_signatures_are_those_of_another_implementation(
        seed: [u8; 32],
        name in "[a-z./é]{1,20}",
        text: Vec<u8>,
    ) {
        let key = SigningKey::from_seed(&name, &seed).unwrap();
        let signer = signed_note::StandardSigner::new(&key.to_skey()).unwrap();
        let verifier = signed_note::StandardVerifier::new(&key.verifying_key().to_string()).unwrap();
        prop_assert_eq!(signer.key_id().to_be_bytes(), *key.id().as_bytes());
        prop_assert_eq!(verifier.key_id(), signer.key_id());
        let signature = key.sign(&text);
        prop_assert_eq!(signer.sign(&text).unwrap(), signature);
        prop_assert!(verifier.verify(&text, &signature));
        prop_assert!(key.verifying_key().verify(&text, &signature));
    }
}
