//! Checkpoints: what is one, and what is signed as one.

use schakel_audit::{
    checkpoint::{Checkpoint, CheckpointError, OpenError, Origin, OriginError},
    note::{self, SignatureError, SigningKey},
    tree::{Hash, empty_root, leaf_hash},
};

const ROOT: &str = "mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=";

fn key() -> SigningKey {
    SigningKey::from_seed("log.example", &[7; 32]).unwrap()
}

fn checkpoint(size: u64, root: Hash) -> Checkpoint {
    let origin = "log.example".parse().unwrap();
    Checkpoint { origin, size, root }
}

#[test]
fn a_checkpoint_is_three_lines() {
    let root = Hash::from_base64(ROOT).unwrap();
    let text = format!("log.example\n7\n{ROOT}\n");
    assert_eq!(checkpoint(7, root).text(), text);
    assert_eq!(Checkpoint::parse(&text), Ok(checkpoint(7, root)));
}

#[test]
fn checkpoints_of_any_size_are_read_as_written() {
    for size in [1, 9, 10, 70_000, u64::MAX] {
        let checkpoint = checkpoint(size, leaf_hash(b"x"));
        assert_eq!(Checkpoint::parse(&checkpoint.text()), Ok(checkpoint));
    }
    let empty = checkpoint(0, empty_root());
    assert_eq!(Checkpoint::parse(&empty.text()), Ok(empty));
}

#[test]
fn a_signed_checkpoint_opens_with_its_key_only() {
    let (mine, other) = (
        key(),
        SigningKey::from_seed("log.example", &[8; 32]).unwrap(),
    );
    let checkpoint = checkpoint(7, leaf_hash(b"x"));
    let signed = checkpoint.sign(&mine);
    assert_eq!(signed, note::sign(&checkpoint.text(), &mine).unwrap());
    assert_eq!(
        Checkpoint::open(&signed, mine.verifying_key()),
        Ok(checkpoint)
    );
    let got = Checkpoint::open(&signed, other.verifying_key());
    assert!(matches!(
        got,
        Err(OpenError::Signature(SignatureError::Unknown { .. }))
    ));
    let grown = signed.replacen("\n7\n", "\n8\n", 1);
    let got = Checkpoint::open(&grown, mine.verifying_key());
    assert!(matches!(
        got,
        Err(OpenError::Signature(SignatureError::Forged { .. }))
    ));
    let got = Checkpoint::open("log.example\n", mine.verifying_key());
    assert!(matches!(got, Err(OpenError::Note(_))));
}

#[test]
fn a_signature_does_not_make_a_checkpoint_of_another_text() {
    let signed = note::sign("anything\n", &key()).unwrap();
    let got = Checkpoint::open(&signed, key().verifying_key());
    assert_eq!(got, Err(OpenError::Form(CheckpointError::Lines)));
}

#[test]
fn further_lines_are_passed_over_unless_empty() {
    let text = format!("log.example\n7\n{ROOT}\n");
    let want = Checkpoint::parse(&text);
    assert_eq!(Checkpoint::parse(&format!("{text}more\nand more\n")), want);
    for bad in [
        format!("{text}\n"),
        format!("{text}more\n\n"),
        format!("{text}\nmore\n"),
    ] {
        assert_eq!(
            Checkpoint::parse(&bad),
            Err(CheckpointError::EmptyLine),
            "{bad:?}"
        );
    }
}

#[test]
fn what_is_not_a_checkpoint_is_refused() {
    let cases = [
        (String::new(), CheckpointError::Lines),
        ("Log\n".into(), CheckpointError::Lines),
        ("Log\n123\n".into(), CheckpointError::Lines),
        ("Log\n123\nYmFu".into(), CheckpointError::Lines),
        (format!("Log\n123\n{ROOT}"), CheckpointError::Lines),
        (format!("\n123\n{ROOT}\n"), OriginError.into()),
        (format!("L\u{7}og\n123\n{ROOT}\n"), OriginError.into()),
    ];
    for (text, want) in cases {
        assert_eq!(Checkpoint::parse(&text), Err(want), "{text:?}");
    }
}

#[test]
fn a_size_has_one_spelling() {
    let greater = "18446744073709551616";
    for size in [
        "", "-1", "+5", "007", "00", " 7", "7 ", "7.0", "bananas", greater,
    ] {
        let got = Checkpoint::parse(&format!("Log\n{size}\n{ROOT}\n"));
        assert_eq!(got, Err(CheckpointError::Size(size.to_owned())));
    }
}

#[test]
fn a_root_is_32_bytes_in_one_spelling() {
    let padless = ROOT.trim_end_matches('=');
    // The same 32 bytes, with bits set that decoding would drop.
    let loose = ROOT.replace("tYc=", "tYd=");
    let (spaced, longer) = (format!("{ROOT} "), format!("AA{ROOT}"));
    for root in [
        "",
        "YmFuYW5hcw==",
        "not base64",
        padless,
        &loose,
        &spaced,
        &longer,
    ] {
        let got = Checkpoint::parse(&format!("Log\n123\n{root}\n"));
        assert_eq!(got, Err(CheckpointError::Root(root.to_owned())));
    }
}

#[test]
fn an_empty_tree_has_one_root() {
    let got = Hash::from_base64(ROOT).unwrap();
    let text = format!("Log\n0\n{ROOT}\n");
    assert_eq!(
        Checkpoint::parse(&text),
        Err(CheckpointError::EmptyRoot { got })
    );
}

#[test]
fn an_origin_stands_on_one_line() {
    for text in ["", "a\nb", "a\u{0}", "\u{1b}[2J"] {
        assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text:?}");
    }
    for text in ["log.example/2026", "go.sum database tree", "één+twee"] {
        assert_eq!(text.parse::<Origin>().unwrap().as_str(), text);
    }
}
