use std::convert::Infallible;

use prost::bytes::Bytes;
use schakel_audit::{
    checkpoint::Checkpoint,
    commitment::released,
    leaf::RetentionClass,
    note::SigningKey,
    tree::{Nodes, inclusion_proof, node_hash, root},
};

use super::*;

const ORIGIN: &str = "broker.example/log";
const SALT: [u8; 32] = [9; 32];
const SIZE: u64 = 7;
const INDEX: u64 = 5;

/// A log of seven leaves, of which one is looked at.
struct Seven(Vec<u8>);

impl Nodes for Seven {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(match level {
            0 if index == INDEX => leaf_hash(&self.0),
            0 => leaf_hash(&index.to_be_bytes()),
            _ => node_hash(
                &self.node(level - 1, 2 * index)?,
                &self.node(level - 1, 2 * index + 1)?,
            ),
        })
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

/// A disclosure with all that proves it.
fn disclosed() -> v1::Disclosed {
    let disclosure = v1::Disclosure {
        purpose: "P-PLAN".into(),
        purpose_version: 3,
        ..v1::Disclosure::default()
    };
    let content = disclosure.encode_to_vec();
    let leaf = Leaf {
        entry_type: EntryType::Disclosure,
        at_ms: 1_795_442_400_000,
        party: "wonen-zuid".into(),
        transport: None,
        purpose: Some(("P-PLAN".into(), 3)),
        id: [1; 16],
        commitment: [2; 32],
        released: Some(released(&SALT, &content)),
        subject_tag: Some([3; 16]),
        class: RetentionClass::Permanent,
        destroy: None,
        rules: Some([4; 32]),
    };
    let log = Seven(leaf.encode());
    let hashes = inclusion_proof(INDEX, SIZE, &log).unwrap();
    let checkpoint = Checkpoint {
        origin: ORIGIN.parse().unwrap(),
        size: SIZE,
        root: root(SIZE, &log).unwrap(),
    };
    let receipt = v1::Receipt {
        index: INDEX,
        leaf: log.0.into(),
        hashes: hashes
            .iter()
            .map(|hash| Bytes::copy_from_slice(hash.as_bytes()))
            .collect(),
        checkpoint: checkpoint.sign(&key()).into(),
    };
    v1::Disclosed {
        disclosure: content.into(),
        salt: Bytes::from_static(&SALT),
        receipt: Some(receipt),
    }
}

/// Looks at a disclosure as a client that has seen nothing of the log yet.
fn check(disclosed: &v1::Disclosed) -> Result<(), ReceiptError> {
    let trail = Trail::new(ORIGIN.parse().unwrap(), key().verifying_key().clone());
    let expected = Expected {
        trail: &trail,
        party: "wonen-zuid",
        transport: None,
        floor: None,
        fresh: true,
        accepted: None,
    };
    expected.check_disclosed(
        EntryType::Disclosure,
        disclosed.receipt.as_ref().unwrap(),
        disclosed,
    )
}

fn flip(bytes: &mut Bytes, bit: usize) {
    let mut flipped = bytes.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    *bytes = flipped.into();
}

/// Flips every bit of a field in turn and gives what is said of each.
fn flip_all(
    field: impl Fn(&mut v1::Disclosed) -> &mut Bytes,
    judge: impl Fn(&ReceiptError) -> bool,
) {
    let mut sound = disclosed();
    let bits = field(&mut sound).len() * 8;
    assert!(bits > 0);
    for bit in 0..bits {
        let mut altered = sound.clone();
        flip(field(&mut altered), bit);
        let error = check(&altered).expect_err(&format!("bit {bit} makes no difference"));
        assert!(judge(&error), "bit {bit}: {error:?}");
    }
}

fn receipt(disclosed: &mut v1::Disclosed) -> &mut v1::Receipt {
    disclosed.receipt.as_mut().unwrap()
}

#[test]
fn what_holds_is_accepted() {
    assert_eq!(check(&disclosed()), Ok(()));
}

#[test]
fn any_bit_of_the_content_or_the_salt_breaks_the_commitment() {
    let commitment = |error: &ReceiptError| matches!(error, ReceiptError::Commitment { .. });
    flip_all(|told| &mut told.disclosure, commitment);
    flip_all(|told| &mut told.salt, commitment);
}

#[test]
fn any_bit_of_the_leaf_breaks_the_leaf_or_its_place() {
    flip_all(
        |told| &mut receipt(told).leaf,
        |error| matches!(error, ReceiptError::Leaf(_) | ReceiptError::Inclusion(_)),
    );
}

#[test]
fn any_bit_of_a_hash_breaks_the_place() {
    for at in 0..disclosed().receipt.unwrap().hashes.len() {
        flip_all(
            |told| &mut receipt(told).hashes[at],
            |error| matches!(error, ReceiptError::Inclusion(_)),
        );
    }
}

#[test]
fn any_bit_of_the_checkpoint_breaks_its_signature() {
    flip_all(
        |told| &mut receipt(told).checkpoint,
        |error| {
            matches!(
                error,
                ReceiptError::CheckpointText | ReceiptError::Head(HeadError::Signature(_))
            )
        },
    );
}

#[test]
fn any_bit_of_the_index_breaks_the_place() {
    for bit in 0..64 {
        let mut altered = disclosed();
        receipt(&mut altered).index ^= 1 << bit;
        let error = check(&altered).unwrap_err();
        assert!(
            matches!(error, ReceiptError::Inclusion(_)),
            "bit {bit}: {error:?}"
        );
    }
}

#[test]
fn a_disclosure_for_another_purpose_than_the_entry_names_is_refused() {
    let mut other = disclosed();
    let content = v1::Disclosure {
        purpose: "P-PLAN".into(),
        purpose_version: 4,
        ..v1::Disclosure::default()
    };
    other.disclosure = content.encode_to_vec().into();
    let mut leaf = Leaf::decode(&receipt(&mut other).leaf).unwrap();
    leaf.released = Some(released(&SALT, &other.disclosure));
    let log = Seven(leaf.encode());
    let (root, origin) = (root(SIZE, &log).unwrap(), ORIGIN.parse().unwrap());
    let hashes = inclusion_proof(INDEX, SIZE, &log).unwrap();
    *receipt(&mut other) = v1::Receipt {
        index: INDEX,
        leaf: log.0.into(),
        hashes: hashes
            .iter()
            .map(|hash| Bytes::copy_from_slice(hash.as_bytes()))
            .collect(),
        checkpoint: Checkpoint {
            origin,
            size: SIZE,
            root,
        }
        .sign(&key())
        .into(),
    };
    assert_eq!(
        check(&other),
        Err(ReceiptError::OtherPurpose { index: INDEX })
    );
}

#[test]
fn the_text_form_is_the_same_proof() {
    let told = disclosed();
    let receipt = told.receipt.unwrap();
    let text = proof(&receipt).unwrap().to_string();
    let read: TlogProof = text.parse().unwrap();
    let (origin, key) = (ORIGIN.parse().unwrap(), key());
    read.verify(&receipt.leaf, &origin, key.verifying_key())
        .unwrap();
}
