//! The leaf: any that is in order survives the way through bytes, and nothing else comes out of it.

use ciborium::Value;
use proptest::prelude::*;
use schakel_audit::{
    leaf::{EntryType, Leaf, LeafError, Month, RetentionClass},
    tree::leaf_hash,
};

/// Any leaf that is in order.
pub(super) fn any_leaf() -> impl Strategy<Value = Leaf> {
    let acted = (
        prop::sample::select(EntryType::ALL.to_vec()),
        any::<u64>(),
        "[a-z0-9-]{3,40}",
        prop::option::of("[a-z0-9-]{3,40}"),
        prop::option::of(("[A-Z0-9-]{3,40}", any::<u32>())),
    );
    let bound = (
        any::<[u8; 16]>(),
        any::<[u8; 32]>(),
        any::<Option<[u8; 32]>>(),
        any::<Option<[u8; 16]>>(),
        any::<Option<[u8; 32]>>(),
    );
    let kept = prop::sample::select(RetentionClass::ALL.to_vec());
    let month = (1970u16..=9999, 1u8..=12);
    (acted, bound, kept, month).prop_map(|(acted, bound, class, (year, month))| {
        let (entry_type, at_ms, party, transport, purpose) = acted;
        let (id, commitment, released, subject_tag, rules) = bound;
        Leaf {
            entry_type,
            at_ms,
            transport: transport.filter(|transport| *transport != party),
            party,
            purpose,
            id,
            commitment,
            released,
            subject_tag,
            class,
            destroy: class.has_month().then(|| Month::new(year, month).unwrap()),
            rules,
        }
    })
}

/// A change to bytes in transit.
#[derive(Clone, Debug)]
enum Change {
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        at().prop_map(Change::Remove),
        at().prop_map(Change::Cut),
        (at(), at()).prop_map(|(one, other)| Change::Swap(one, other)),
    ]
}

fn apply(change: &Change, bytes: &mut Vec<u8>) {
    let len = bytes.len();
    match change {
        Change::Insert(at, byte) => bytes.insert(at.index(len + 1), *byte),
        _ if len == 0 => {}
        Change::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
        Change::Remove(at) => {
            bytes.remove(at.index(len));
        }
        Change::Cut(at) => bytes.truncate(at.index(len)),
        Change::Swap(one, other) => bytes.swap(one.index(len), other.index(len)),
    }
}

fn assert_one_encoding(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(leaf) = Leaf::decode(bytes) {
        prop_assert_eq!(leaf.encode(), bytes);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn decoding_undoes_encoding(leaf in any_leaf()) {
        let bytes = leaf.encode();
        prop_assert!(bytes.len() <= Leaf::MAX_LEN);
        prop_assert_eq!(leaf.check(), Ok(()));
        prop_assert_eq!(Leaf::decode(&bytes), Ok(leaf));
    }

    #[test]
    fn what_is_decoded_has_no_other_encoding(
        leaf in any_leaf(),
        changes in prop::collection::vec(any_change(), 1..4),
    ) {
        let mut bytes = leaf.encode();
        for change in &changes {
            apply(change, &mut bytes);
        }
        assert_one_encoding(&bytes)?;
    }

    #[test]
    fn any_bytes_are_decoded_strictly_or_refused(bytes: Vec<u8>) {
        assert_one_encoding(&bytes)?;
    }

    #[test]
    fn a_leaf_cut_anywhere_is_refused(leaf in any_leaf(), at: prop::sample::Index) {
        let bytes = leaf.encode();
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert_eq!(Leaf::decode(cut), Err(LeafError::Truncated { at: cut.len() }));
    }

    #[test]
    fn another_reader_of_cbor_sees_the_same(leaf in any_leaf()) {
        let bytes = leaf.encode();
        let value: Value = ciborium::from_reader(bytes.as_slice()).unwrap();
        prop_assert_eq!(value, as_cbor(&leaf));
    }

    #[test]
    fn leaves_written_one_after_the_other_do_not_touch(one in any_leaf(), other in any_leaf()) {
        let mut bytes = Vec::new();
        one.encode_into(&mut bytes);
        other.encode_into(&mut bytes);
        prop_assert_eq!(bytes, [one.encode(), other.encode()].concat());
    }

    #[test]
    fn a_leaf_out_of_order_is_refused_before_and_after(
        leaf in any_leaf(),
        party in "[a-zA-Z0-9 _-]{0,40}",
    ) {
        let mut bad = leaf;
        bad.party = party;
        let checked = bad.check();
        prop_assert_eq!(Leaf::decode(&bad.encode()).map(|_| ()), checked);
    }
}

fn as_cbor(leaf: &Leaf) -> Value {
    let uint = |number: u64| Value::Integer(number.into());
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let text = |text: &String| Value::Text(text.clone());
    let pairs = [
        Some(uint(1)),
        Some(uint(leaf.entry_type.number().into())),
        Some(uint(leaf.at_ms)),
        Some(text(&leaf.party)),
        leaf.transport.as_ref().map(text),
        leaf.purpose
            .as_ref()
            .map(|(code, version)| Value::Array(vec![text(code), uint((*version).into())])),
        Some(bytes(&leaf.id)),
        Some(bytes(&leaf.commitment)),
        leaf.released.map(|it| bytes(&it)),
        leaf.subject_tag.map(|it| bytes(&it)),
        Some(uint(leaf.class.number().into())),
        leaf.destroy.map(|month| uint(month.number().into())),
        leaf.rules.map(|it| bytes(&it)),
    ];
    let numbered = (0u64..).zip(pairs);
    Value::Map(
        numbered
            .filter_map(|(key, value)| Some((uint(key), value?)))
            .collect(),
    )
}

#[test]
fn the_codes_are_numbered_without_gaps_and_named_once() {
    for (at, entry_type) in (1u64..).zip(EntryType::ALL) {
        assert_eq!(u64::from(entry_type.number()), at);
        assert_eq!(EntryType::from_number(at), Some(entry_type));
    }
    for (at, class) in (1u64..).zip(RetentionClass::ALL) {
        assert_eq!(u64::from(class.number()), at);
        assert_eq!(RetentionClass::from_number(at), Some(class));
    }
    let mut names: Vec<_> = EntryType::ALL.iter().map(|it| it.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), EntryType::ALL.len());
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    let error = Leaf::decode(&[0xa1, 0x00, 0x02]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "leaf version 2 is unknown: this program reads version 1"
    );
    let error = Leaf::decode(&[0xa7, 0x00, 0x18, 0x01]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "byte 2 begins a value that is not in its shortest form of definite length"
    );
    let error = Leaf::decode(&[0xa2, 0x00, 0x01, 0x01, 0x41]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "byte 4 begins bytes where an unsigned number must stand"
    );
}

#[test]
fn equal_leaves_have_equal_hashes_and_others_do_not() {
    let leaf = Leaf::decode(&sample()).unwrap();
    assert_eq!(leaf_hash(&leaf.encode()), leaf_hash(&sample()));
    let later = Leaf {
        at_ms: leaf.at_ms + 1,
        ..leaf
    };
    assert_ne!(leaf_hash(&later.encode()), leaf_hash(&sample()));
}

fn sample() -> Vec<u8> {
    let head = hex::decode("a70001011002000363706930").unwrap();
    [
        &head[..],
        &[0x06, 0x50],
        &[1; 16],
        &[0x07, 0x58, 0x20],
        &[2; 32],
        &[0x0a, 0x01],
    ]
    .concat()
}
