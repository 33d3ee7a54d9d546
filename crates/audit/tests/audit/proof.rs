//! Receipts: the worked example that two other verifiers accept, and everything beside it.

use schakel_audit::{
    checkpoint::{Checkpoint, CheckpointError, OpenError, Origin, OriginError},
    note::{NoteError, SignatureError, SigningKey, VerifyingKey},
    proof::{ProofError, TlogProof, VerifyError},
    tree::{Hash, InclusionError, inclusion_proof, leaf_hash},
};

use super::support::Levels;

const ORIGIN: &str = "broker.example.org/audit/2026";
const VKEY: &str =
    "broker.example.org/audit/2026+b735221b+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
/// Seven leaves, `entry 0` to `entry 6`; the log's seed is 32 zero bytes; a witness has cosigned.
const EXAMPLE: &str = "c2sp.org/tlog-proof@v1
index 5
SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=
vhV4G2KKKEFMHIoRuG24Qi+hBBIV/g18RJbSPNoeQUI=
l5nzB1F+9RfCIF35tndivzR1ayAJn7ffzOdrzr0nOy4=

broker.example.org/audit/2026
7
mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=

— broker.example.org/audit/2026 tzUiG3eiRHaMrpwNWNSJt1UhPyIbXgV4gvh5TPGGFdYu9KpHu/Lr8jG184uYFxH+uV5npnwxJav/Cm6kRnfbTaYKkgc=
— witness.example.net/w1 OYjkAwAAAABqsTuAayaovoS8YOGS/W2Nmf8moecGSe2nQ+T7GP1qGtDMECXoCoan5sEduRrzswFnhb+Ocf0EcGk0GwlAI4wCrDPfBw==
";

/// The first and the last hash of the example.
const HASHES: (&str, &str) = (
    "SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=",
    "l5nzB1F+9RfCIF35tndivzR1ayAJn7ffzOdrzr0nOy4=",
);

fn example() -> TlogProof {
    EXAMPLE.parse().unwrap()
}

fn origin() -> Origin {
    ORIGIN.parse().unwrap()
}

fn vkey() -> VerifyingKey {
    VKEY.parse().unwrap()
}

fn leaves() -> Vec<Hash> {
    (0..7)
        .map(|it| leaf_hash(format!("entry {it}").as_bytes()))
        .collect()
}

#[test]
fn the_worked_example_holds() {
    assert_eq!(EXAMPLE.len(), 504);
    let checkpoint = example().verify(b"entry 5", &origin(), &vkey()).unwrap();
    assert_eq!(checkpoint.size, 7);
    assert_eq!(checkpoint.origin, origin());
    assert_eq!(
        checkpoint.root.to_base64(),
        "mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc="
    );
    assert_eq!(example().to_string(), EXAMPLE);
}

#[test]
fn the_worked_example_is_made_alike() {
    let key = SigningKey::from_seed(ORIGIN, &[0; 32]).unwrap();
    assert_eq!(key.verifying_key(), &vkey());
    let levels = Levels::new(&leaves());
    let root = levels.frontier.root();
    let signed = Checkpoint {
        origin: origin(),
        size: 7,
        root,
    }
    .sign(&key);
    let proof = TlogProof::new(5, inclusion_proof(5, 7, &levels).unwrap(), signed);
    let (without_witness, _) = EXAMPLE.split_once("— witness").unwrap();
    assert_eq!(proof.to_string(), without_witness);
    assert!(proof.verify(b"entry 5", &origin(), &vkey()).is_ok());
}

#[test]
fn every_leaf_has_a_proof_down_to_a_tree_of_one() {
    let key = SigningKey::from_seed(ORIGIN, &[0; 32]).unwrap();
    for size in 1..=7u64 {
        let levels = Levels::new(&leaves()[..usize::try_from(size).unwrap()]);
        let root = levels.frontier.root();
        let signed = Checkpoint {
            origin: origin(),
            size,
            root,
        }
        .sign(&key);
        for index in 0..size {
            let hashes = inclusion_proof(index, size, &levels).unwrap();
            let text = TlogProof::new(index, hashes, signed.clone()).to_string();
            let proof: TlogProof = text.parse().unwrap();
            assert_eq!(proof.to_string(), text);
            for leaf in 0..8 {
                let bytes = format!("entry {leaf}").into_bytes();
                let holds = proof.verify(&bytes, &origin(), &vkey()).is_ok();
                assert_eq!(holds, leaf == index, "leaf {leaf} at {index} of {size}");
            }
        }
    }
}

#[test]
fn a_refused_proof_says_which_check_failed() {
    let verify = |proof: &TlogProof, leaf: &[u8], origin: &str, key: &VerifyingKey| {
        proof
            .verify(leaf, &origin.parse().unwrap(), key)
            .unwrap_err()
    };
    let error = verify(&example(), b"entry 6", ORIGIN, &vkey());
    assert!(matches!(
        error,
        VerifyError::Inclusion(InclusionError::Root { .. })
    ));

    let moved = TlogProof {
        index: 4,
        ..example()
    };
    let error = verify(&moved, b"entry 5", ORIGIN, &vkey());
    assert!(matches!(
        error,
        VerifyError::Inclusion(InclusionError::Root { .. })
    ));

    let outside = TlogProof {
        index: 7,
        ..example()
    };
    let error = verify(&outside, b"entry 5", ORIGIN, &vkey());
    assert_eq!(
        error,
        VerifyError::Inclusion(InclusionError::Index { index: 7, size: 7 })
    );

    let mut cut = example();
    cut.hashes.pop();
    let error = verify(&cut, b"entry 5", ORIGIN, &vkey());
    assert_eq!(
        error,
        VerifyError::Inclusion(InclusionError::Length { want: 3, got: 2 })
    );

    let error = verify(&example(), b"entry 5", "other.example", &vkey());
    assert!(matches!(error, VerifyError::Origin { .. }));

    let stranger = SigningKey::from_seed(ORIGIN, &[9; 32]).unwrap();
    let error = verify(&example(), b"entry 5", ORIGIN, stranger.verifying_key());
    let VerifyError::Checkpoint(OpenError::Signature(error)) = error else {
        panic!("{error}");
    };
    assert!(matches!(error, SignatureError::Unknown { .. }));

    let forged: TlogProof = EXAMPLE.replacen("\n7\n", "\n6\n", 1).parse().unwrap();
    let error = verify(&forged, b"entry 5", ORIGIN, &vkey());
    let VerifyError::Checkpoint(OpenError::Signature(error)) = error else {
        panic!("{error}");
    };
    assert!(matches!(error, SignatureError::Forged { .. }));
}

#[test]
fn every_hash_of_the_proof_counts() {
    for at in 0..3 {
        let mut proof = example();
        proof.hashes[at] = leaf_hash(b"another");
        let got = proof.verify(b"entry 5", &origin(), &vkey());
        assert!(matches!(
            got,
            Err(VerifyError::Inclusion(InclusionError::Root { .. }))
        ));
    }
}

#[test]
fn extra_data_are_kept_and_not_believed() {
    let proof = TlogProof {
        extra: Some(b"anything".to_vec()),
        ..example()
    };
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra YW55dGhpbmc=\nindex 5\n"));
    assert_eq!(text.parse(), Ok(proof.clone()));
    assert!(proof.verify(b"entry 5", &origin(), &vkey()).is_ok());
}

/// The example with one part replaced.
fn swap(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from));
    EXAMPLE.replacen(from, to, 1)
}

fn assert_refused(cases: impl IntoIterator<Item = (String, ProofError)>) {
    for (text, want) in cases {
        assert_eq!(text.parse::<TlogProof>(), Err(want), "{text}");
    }
}

#[test]
fn another_first_line_is_refused() {
    let texts = [
        String::new(),
        format!("\n{EXAMPLE}"),
        swap("@v1", "@v2"),
        swap("@v1\n", "@v1\r\n"),
        swap("@v1\n", "@v1 \n"),
    ];
    assert_refused(texts.map(|text| (text, ProofError::Header)));
}

#[test]
fn an_index_has_one_spelling() {
    let greater = "index 18446744073709551616";
    for line in [
        "index", "index ", "Index 5", "index  5", "index 05", "index +5", greater,
    ] {
        let want = ProofError::Index(line.to_owned());
        assert_refused([(swap("index 5", line), want)]);
    }
    let (first, _) = HASHES;
    assert_refused([(swap("index 5\n", ""), ProofError::Index(first.to_owned()))]);
}

#[test]
fn extra_data_stand_once_and_before_the_index() {
    let (line, hash) = ("extra YQ==", ProofError::Hash("extra YQ==".to_owned()));
    let index = ProofError::Index(line.to_owned());
    assert_refused([
        (swap("index 5", "extra \nindex 5"), ProofError::Extra),
        (swap("index 5", "extra YQ\nindex 5"), ProofError::Extra),
        (swap("index 5", &format!("{line}\n{line}\nindex 5")), index),
        (swap("index 5", &format!("index 5\n{line}")), hash),
    ]);
}

#[test]
fn a_line_that_is_no_hash_is_refused() {
    let (first, last) = HASHES;
    let (before, after) = (format!(" {first}"), format!("{first} "));
    for line in ["SFM123z", "index 5", &before, &after] {
        assert_refused([(swap(first, line), ProofError::Hash(line.to_owned()))]);
    }
    let joined = format!("{last}\n");
    let origin = ProofError::Hash(ORIGIN.to_owned());
    assert_refused([(swap(&format!("{joined}\n"), &joined), origin)]);
}

#[test]
fn a_proof_without_a_signed_checkpoint_is_refused() {
    let (head, _) = EXAMPLE.split_once("\n\n").unwrap();
    let (unsigned, _) = EXAMPLE.split_once("— b").unwrap();
    let size = CheckpointError::Size("07".into());
    assert_refused([
        (head.to_owned(), ProofError::NoCheckpoint),
        (unsigned.to_owned(), NoteError::NoSignatures.into()),
        (format!("{EXAMPLE}\n"), NoteError::NoSignatures.into()),
        (
            EXAMPLE.trim_end().to_owned(),
            NoteError::SignatureLine { line: 2 }.into(),
        ),
        (swap("\n7\n", "\n07\n"), size.into()),
        (
            swap("\n\nb", "\n\n\nb"),
            CheckpointError::from(OriginError).into(),
        ),
    ]);
}

#[test]
fn a_proof_has_no_more_hashes_than_a_tree_has_levels() {
    let (_, checkpoint) = EXAMPLE.split_once("\n\n").unwrap();
    let line = format!("\n{}", leaf_hash(b"").to_base64());
    let with = |count: usize| {
        let lines = line.repeat(count);
        format!("c2sp.org/tlog-proof@v1\nindex 5{lines}\n\n{checkpoint}").parse::<TlogProof>()
    };
    assert!(with(TlogProof::MAX_HASHES).is_ok());
    assert_eq!(
        with(TlogProof::MAX_HASHES + 1),
        Err(ProofError::TooManyHashes)
    );
}

#[test]
fn no_cut_of_the_example_is_a_proof_that_holds() {
    for cut in (0..EXAMPLE.len()).filter_map(|at| EXAMPLE.get(..at)) {
        // The one cut that takes away the witness alone.
        let whole_but_for_witness = cut.ends_with("kgc=\n");
        let holds = cut
            .parse::<TlogProof>()
            .is_ok_and(|proof| proof.verify(b"entry 5", &origin(), &vkey()).is_ok());
        assert_eq!(holds, whole_but_for_witness, "{cut}");
    }
}
