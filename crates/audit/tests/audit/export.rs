//! Export lines: the published example, every way to spell one wrongly, and lines of anybody's making.

use proptest::prelude::*;
use schakel_audit::{
    checkpoint::{Checkpoint, Origin},
    commitment::{commit, verify_commit},
    export::{Details, End, Entry, Head, Line, LineError, MAX_LINE},
    leaf::{EntryType, Leaf, RetentionClass},
    note::SigningKey,
    tree::{
        Hash, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
    },
};

use super::support::Levels;

const EXAMPLE: &str = include_str!("../vectors/export.jsonl");
const ORIGIN: &str = "log.example";

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[9; 32]).unwrap()
}

fn blind(index: u8) -> [u8; 32] {
    [index; 32]
}

fn details(index: u8) -> Vec<u8> {
    format!("the details of entry {index}").into_bytes()
}

fn leaf(index: u8) -> Leaf {
    Leaf {
        entry_type: EntryType::System,
        at_ms: 1_795_442_400_000 + u64::from(index),
        party: "schakel".to_owned(),
        transport: None,
        purpose: None,
        id: [index; 16],
        commitment: commit(&blind(index), &details(index)),
        released: None,
        subject_tag: None,
        class: RetentionClass::Permanent,
        destroy: None,
        rules: None,
    }
}

fn tree(size: u8) -> Levels {
    let leaves: Vec<Hash> = (0..size)
        .map(|index| leaf_hash(&leaf(index).encode()))
        .collect();
    Levels::new(&leaves)
}

fn checkpoint(size: u8) -> String {
    let checkpoint = Checkpoint {
        origin: origin(),
        size: u64::from(size),
        root: tree(size).frontier.root(),
    };
    checkpoint.sign(&key())
}

fn origin() -> Origin {
    ORIGIN.parse().unwrap()
}

fn head(size: u8, from: u64, before: Option<u64>) -> Line {
    let consistency = before.map_or_else(Vec::new, |before| {
        consistency_proof(before, u64::from(size), &tree(size)).unwrap()
    });
    Line::Head(Head {
        origin: origin(),
        checkpoint: checkpoint(size),
        from,
        controller: Some("municipality-utrecht".to_owned()),
        consistency,
    })
}

fn entry(index: u8, size: u8, shown: Details) -> Line {
    let proof = inclusion_proof(u64::from(index), u64::from(size), &tree(size)).unwrap();
    Line::Entry(Entry {
        index: u64::from(index),
        leaf: leaf(index).encode(),
        proof,
        details: shown,
    })
}

fn opened(index: u8) -> Details {
    Details::Opened {
        blind: blind(index),
        details: details(index),
    }
}

/// Five entries and then eight, of which a controller gets four.
fn example() -> Vec<Line> {
    let redacted = Details::Redacted {
        erasure: 6,
        rule: "AVG 17(1)(b)".to_owned(),
    };
    vec![
        head(5, 0, None),
        entry(1, 5, opened(1)),
        entry(4, 5, Details::Withheld),
        Line::End(End { end: 5, entries: 2 }),
        head(8, 5, Some(5)),
        entry(5, 8, redacted),
        entry(7, 8, opened(7)),
        Line::End(End { end: 8, entries: 2 }),
    ]
}

#[test]
fn the_published_example_is_what_is_written_and_what_is_read() {
    let written: Vec<String> = example().iter().map(ToString::to_string).collect();
    assert_eq!(written.join("\n") + "\n", EXAMPLE);
    let read: Vec<Line> = EXAMPLE.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(read, example());
}

#[test]
fn the_published_example_holds() {
    let mut known: Option<(u64, Hash)> = None;
    let mut entries = 0;
    for line in EXAMPLE.lines() {
        match line.parse().unwrap() {
            Line::Head(head) => {
                let signed = Checkpoint::open(&head.checkpoint, key().verifying_key()).unwrap();
                assert_eq!((&signed.origin, &head.origin), (&origin(), &origin()));
                if let Some((size, root)) = known {
                    let (new, to) = (signed.size, signed.root);
                    verify_consistency(size, root, new, to, &head.consistency).unwrap();
                }
                known = Some((signed.size, signed.root));
            }
            Line::Entry(entry) => {
                let (size, root) = known.unwrap();
                let hash = leaf_hash(&entry.leaf);
                verify_inclusion(hash, entry.index, size, &entry.proof, root).unwrap();
                let leaf = Leaf::decode(&entry.leaf).unwrap();
                if let Details::Opened { blind, details } = &entry.details {
                    assert!(verify_commit(blind, details, &leaf.commitment));
                    entries += 1;
                }
            }
            Line::End(end) => assert_eq!(end.entries, 2),
        }
    }
    assert_eq!(entries, 2);
}

fn refused(line: &str) -> String {
    match line.parse::<Line>() {
        Ok(line) => panic!("{line} was read"),
        Err(LineError::Json(error)) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_line_that_is_not_written_as_it_must_be_is_refused_with_the_rule() {
    for (line, rule) in [
        ("", "must begin with {\"export\":"),
        ("{}", "must begin with"),
        ("{\"leaf\":\"\",\"index\":1}", "must begin with"),
        (
            "{\"export\":\"schakel.export/2\",\"origin\":\"a\",\"checkpoint\":\"\",\"from\":0}",
            "`schakel.export/2`, not",
        ),
        (
            "{\"export\":\"schakel.export/1\",\"origin\":\"\",\"checkpoint\":\"\",\"from\":0}",
            "`origin` must not be empty",
        ),
        (
            "{\"export\":\"schakel.export/1\",\"origin\":\"a\",\"checkpoint\":\"\",\"from\":0,\"more\":1}",
            "unknown field `more`",
        ),
        ("{\"index\":1,\"leaf\":\"\",\"proof\":[]}", "exactly one of"),
        (
            "{\"index\":1,\"leaf\":\"\",\"proof\":[],\"withheld\":false}",
            "exactly one of",
        ),
        (
            "{\"index\":1,\"leaf\":\"\",\"proof\":[],\"withheld\":true,\"redacted\":{\"erasure\":1,\"rule\":\"\"}}",
            "exactly one of",
        ),
        (
            "{\"index\":1,\"leaf\":\"_w==\",\"proof\":[],\"withheld\":true}",
            "`leaf` must be padded standard base64",
        ),
        (
            "{\"index\":1,\"leaf\":\"\",\"proof\":[\"AA==\"],\"withheld\":true}",
            "`proof` must hold 32 bytes each",
        ),
        (
            "{\"index\":1,\"leaf\":\"\",\"proof\":[],\"opened\":{\"blind\":\"AA==\",\"details\":\"\"}}",
            "`opened.blind` must be 32 bytes",
        ),
        (
            "{\"index\":-1,\"leaf\":\"\",\"proof\":[],\"withheld\":true}",
            "invalid value",
        ),
        (
            "{\"index\":1,\"index\":2,\"leaf\":\"\",\"proof\":[],\"withheld\":true}",
            "duplicate",
        ),
        ("{\"end\":1}", "missing field `entries`"),
        (
            "{\"end\":1,\"entries\":1} {\"end\":1,\"entries\":1}",
            "trailing",
        ),
    ] {
        assert!(refused(line).contains(rule), "{line}: {}", refused(line));
    }
}

#[test]
fn a_line_is_bounded() {
    let hash = "mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=";
    let many = format!(
        "{{\"index\":1,\"leaf\":\"\",\"proof\":[{}],\"withheld\":true}}",
        vec![format!("\"{hash}\""); 65].join(",")
    );
    assert!(refused(&many).contains("at most 64"));
    let long = format!("{{\"end\":1,\"entries\":{}}}", "1".repeat(MAX_LINE));
    assert!(refused(&long).contains("more than the"));
}

#[test]
fn no_cut_of_a_line_is_a_line() {
    for line in EXAMPLE.lines() {
        for end in (0..line.len()).filter(|end| line.is_char_boundary(*end)) {
            refused(line.split_at(end).0);
        }
    }
}

#[test]
fn what_was_opened_does_not_show_in_a_debug_text() {
    let shown = format!("{:?}", opened(1));
    assert_eq!(shown, "Opened(22 bytes)");
}

fn lines() -> impl Strategy<Value = Line> {
    let hashes = || prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::new), 0..5);
    let shown = prop_oneof![
        (any::<[u8; 32]>(), any::<Vec<u8>>())
            .prop_map(|(blind, details)| Details::Opened { blind, details }),
        (any::<u64>(), any::<String>())
            .prop_map(|(erasure, rule)| Details::Redacted { erasure, rule }),
        Just(Details::Withheld),
    ];
    prop_oneof![
        (
            "[ -~é]{1,20}",
            any::<String>(),
            any::<u64>(),
            any::<Option<String>>(),
            hashes()
        )
            .prop_map(
                |(origin, checkpoint, from, controller, consistency)| Line::Head(Head {
                    origin: origin.parse().unwrap(),
                    checkpoint,
                    from,
                    controller,
                    consistency,
                })
            ),
        (any::<u64>(), any::<Vec<u8>>(), hashes(), shown).prop_map(
            |(index, leaf, proof, details)| Line::Entry(Entry {
                index,
                leaf,
                proof,
                details,
            })
        ),
        (any::<u64>(), any::<u64>()).prop_map(|(end, entries)| Line::End(End { end, entries })),
    ]
}

proptest! {
    #[test]
    fn a_line_reads_back_what_was_written(line in lines()) {
        let text = line.to_string();
        prop_assert!(!text.contains('\n'));
        prop_assert_eq!(text.parse::<Line>().unwrap(), line.clone());
        prop_assert_eq!(format!("{text}\n").parse::<Line>().unwrap(), line);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(\\{\"(export|index|end)\":)?[ -~\\n]{0,80}") {
        let _ = text.parse::<Line>();
    }
}
