//! Exports as a whole: the published example, those of a log with erasures, and every way to tamper with them.

use std::mem::discriminant;

use ciborium::{Value, cbor};
use proptest::prelude::*;
use schakel_audit::{
    checkpoint::Checkpoint,
    commitment::commit,
    export::{Details, End, Entry, ExportCheck, ExportFinding, ExportSummary, Head, Line},
    leaf::{EntryType, Leaf, RetentionClass},
    note::SigningKey,
    policy::{Policies, Policy},
    tree::{Hash, consistency_proof, inclusion_proof, leaf_hash},
};

use super::{published::leaf, support::Levels};

const EXAMPLE: &str = include_str!("../vectors/export.jsonl");
const ORIGIN: &str = "log.example";
const BLIND: [u8; 32] = [5; 32];
/// The entry that erases entries 2 and 3, and its index.
const ERASURE: u64 = 6;

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[9; 32]).unwrap()
}

fn policies() -> Policies {
    Policy::of_log(ORIGIN.parse().unwrap(), key().verifying_key().clone()).into()
}

fn check(lines: &[Line]) -> (ExportSummary, Vec<ExportFinding>) {
    check_by(&policies(), lines)
}

fn check_by(policies: &Policies, lines: &[Line]) -> (ExportSummary, Vec<ExportFinding>) {
    let (mut check, mut findings) = (ExportCheck::new(policies), Vec::new());
    for line in lines {
        check.line(line, &mut findings);
    }
    (check.finish(&mut findings), findings)
}

fn details(index: u64) -> Vec<u8> {
    if index == ERASURE {
        let covers = cbor!({ "Entries" => [[2, 3]] }).unwrap();
        let rule = cbor!({ "code" => "UNLAWFUL", "law" => "AVG 17(1)(d)" }).unwrap();
        let erased = cbor!({ "rule" => rule, "covers" => covers }).unwrap();
        let whole: Value = cbor!({ "event" => { "Erased" => erased } }).unwrap();
        let mut bytes = Vec::new();
        ciborium::into_writer(&whole, &mut bytes).unwrap();
        return bytes;
    }
    format!("the details of entry {index}").into_bytes()
}

fn entry_leaf(index: u64) -> Leaf {
    let commitment = commit(&BLIND, &details(index));
    let leaf = Leaf {
        commitment,
        ..leaf(index)
    };
    if index != ERASURE {
        return leaf;
    }
    Leaf {
        entry_type: EntryType::Erasure,
        class: RetentionClass::Permanent,
        destroy: None,
        ..leaf
    }
}

fn tree(size: u64) -> Levels {
    let hashes: Vec<Hash> = (0..size)
        .map(|at| leaf_hash(&entry_leaf(at).encode()))
        .collect();
    Levels::new(&hashes)
}

/// The section of a log of `size` entries from this index, after one of `before` entries.
fn section(from: u64, size: u64, before: Option<u64>) -> Vec<Line> {
    let levels = tree(size);
    let checkpoint = Checkpoint {
        origin: ORIGIN.parse().unwrap(),
        size,
        root: levels.frontier.root(),
    };
    let consistency = before.map_or_else(Vec::new, |before| {
        consistency_proof(before, size, &levels).unwrap()
    });
    let mut lines = vec![Line::Head(Head {
        origin: checkpoint.origin.clone(),
        checkpoint: checkpoint.sign(&key()),
        from,
        controller: None,
        consistency,
    })];
    for index in from..size {
        let details = match index {
            2 | 3 => Details::Redacted {
                erasure: ERASURE,
                rule: "UNLAWFUL".to_owned(),
            },
            4 => Details::Withheld,
            _ => Details::Opened {
                blind: BLIND,
                details: details(index),
            },
        };
        lines.push(Line::Entry(Entry {
            index,
            leaf: entry_leaf(index).encode(),
            proof: inclusion_proof(index, size, &levels).unwrap(),
            details,
        }));
    }
    let entries = size - from;
    lines.push(Line::End(End { end: size, entries }));
    lines
}

/// Two sections, the erasure in the second.
fn export() -> Vec<Line> {
    [section(0, 5, None), section(5, 9, Some(5))].concat()
}

/// The entry on this line.
fn entry(lines: &mut [Line], at: usize) -> &mut Entry {
    match &mut lines[at] {
        Line::Entry(entry) => entry,
        other => panic!("{other:?}"),
    }
}

fn head(lines: &mut [Line], at: usize) -> &mut Head {
    match &mut lines[at] {
        Line::Head(head) => head,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_export_holds_with_what_was_redacted_before_its_erasure_came() {
    let (summary, findings) = check(&export());
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(
        (summary.sections, summary.entries, summary.opened),
        (2, 9, 6)
    );
    assert_eq!(summary.redacted.get("UNLAWFUL"), Some(&2));
    assert_eq!(summary.range, Some((0, 9)));
    assert_eq!(summary.checkpoint.unwrap().size, 9);
    // Or after, in one section.
    let (summary, findings) = check(&section(0, 9, None));
    assert!(findings.is_empty() && summary.redacted.get("UNLAWFUL") == Some(&2));
    // An export may begin later, and says so.
    let (summary, findings) = check(&section(7, 9, None));
    assert!(findings.is_empty() && summary.range == Some((7, 9)));
}

#[test]
fn the_published_example_is_read_and_found_to_lack_its_erasure() {
    let lines: Vec<Line> = EXAMPLE.lines().map(|line| line.parse().unwrap()).collect();
    let (summary, findings) = check(&lines);
    assert!(
        findings.iter().all(ExportFinding::is_absence),
        "{findings:?}"
    );
    assert!(summary.entries > 0 && summary.opened > 0);
}

/// What is found, by kind, when a change was made to an export that holds.
fn found(change: impl FnOnce(&mut Vec<Line>)) -> Vec<ExportFinding> {
    let mut lines = export();
    change(&mut lines);
    let (_, findings) = check(&lines);
    assert!(!findings.is_empty());
    findings
}

fn assert_only(findings: &[ExportFinding], want: &ExportFinding) {
    let alike = |it: &ExportFinding| discriminant(it) == discriminant(want);
    assert!(findings.iter().all(alike), "{findings:?}, not {want:?}");
}

#[test]
fn what_was_tampered_with_is_found_as_what_it_is() {
    let erasure = ERASURE;
    let in_tree = |it: &ExportFinding| matches!(it, ExportFinding::Inclusion { .. });
    let findings = found(|it| entry(it, 2).leaf[30] ^= 1);
    assert!(findings.iter().all(in_tree), "{findings:?}");
    let findings = found(|it| entry(it, 2).index = 100);
    assert!(findings.iter().any(in_tree), "{findings:?}");
    let findings = found(|it| {
        let Details::Opened { details, .. } = &mut entry(it, 1).details else {
            panic!();
        };
        details[0] ^= 1;
    });
    assert_only(&findings, &ExportFinding::Opened { index: 0 });
    let by_another = |it: &mut Vec<Line>| {
        entry(it, 3).details = Details::Redacted {
            erasure,
            rule: "RETENTION_OVER".to_owned(),
        };
    };
    assert_only(
        &found(by_another),
        &ExportFinding::Redacted { index: 2, erasure },
    );
    let not_covered = |it: &mut Vec<Line>| {
        entry(it, 1).details = Details::Redacted {
            erasure,
            rule: "UNLAWFUL".to_owned(),
        };
    };
    assert_only(
        &found(not_covered),
        &ExportFinding::Redacted { index: 0, erasure },
    );
    let unopened = |it: &mut Vec<Line>| entry(it, 9).details = Details::Withheld;
    assert_only(
        &found(unopened),
        &ExportFinding::NoErasure {
            erasure,
            entries: 2,
        },
    );
}

#[test]
fn what_was_taken_out_or_put_elsewhere_is_found() {
    let findings = found(|it| drop(it.remove(2)));
    assert_only(&findings, &ExportFinding::Count { want: 5, got: 4 });
    let findings = found(|it| it.swap(1, 2));
    assert!(
        findings
            .iter()
            .any(|it| matches!(it, ExportFinding::Index { index: 0 }))
    );
    let findings = found(|it| it.truncate(10));
    let absent = |it: &ExportFinding| it.is_absence();
    assert!(findings.iter().all(absent), "{findings:?}");
    assert!(matches!(findings[0], ExportFinding::Cut { from: 5 }));
    let findings = found(|it| drop(it.remove(6)));
    assert!(
        matches!(findings[0], ExportFinding::Cut { from: 0 }),
        "{findings:?}"
    );
    let findings = found(|it| drop(it.remove(0)));
    assert!(matches!(findings[0], ExportFinding::Outside));
    let findings = found(|it| it[6] = Line::End(End { end: 7, entries: 5 }));
    assert!(
        findings
            .iter()
            .any(|it| matches!(it, ExportFinding::End { end: 7 }))
    );
    assert!(
        findings
            .iter()
            .any(|it| matches!(it, ExportFinding::From { want: 7, got: 5 }))
    );
}

#[test]
fn a_section_of_another_log_or_of_a_rewritten_one_is_found() {
    let findings = found(|it| head(it, 7).controller = Some("elsewhere".to_owned()));
    assert!(
        matches!(findings[0], ExportFinding::Other { from: 5 }),
        "{findings:?}"
    );
    let findings = found(|it| head(it, 7).origin = "elsewhere".parse().unwrap());
    assert!(
        matches!(findings[0], ExportFinding::Other { from: 5 }),
        "{findings:?}"
    );
    let findings = found(|it| head(it, 7).consistency.reverse());
    assert_only(&findings, &findings[0]);
    assert!(matches!(
        findings[0],
        ExportFinding::Consistency { old: 5, new: 9, .. }
    ));
    let findings = found(|it| head(it, 0).checkpoint = "nonsense".to_owned());
    assert!(matches!(
        findings[0],
        ExportFinding::Checkpoint { from: 0, .. }
    ));
}

proptest! {
    #[test]
    fn whatever_lines_come_in_whatever_order_do_not_panic(order in prop::collection::vec(0..14usize, 0..30)) {
        let lines = export();
        let lines: Vec<Line> = order.iter().map(|at| lines[at % lines.len()].clone()).collect();
        let (summary, findings) = check(&lines);
        prop_assert!(summary.entries <= u64::try_from(lines.len()).unwrap());
        prop_assert!(!findings.is_empty() || lines.is_empty() || summary.sections > 0);
    }
}
