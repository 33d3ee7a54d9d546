//! What holds of the text of the code itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every Rust file of product code, with its text.
fn product() -> Vec<(PathBuf, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut found = Vec::new();
    for member in fs::read_dir(crates).unwrap() {
        collect(&member.unwrap().path().join("src"), &mut found);
    }
    assert!(
        found.len() > 300,
        "where is the code? {} files",
        found.len()
    );
    found
}

fn collect(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// A file that is longer holds more than one idea: part it along them.
const MOST_LINES: usize = 400;

#[test]
fn every_file_can_be_read_in_one_go() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for member in fs::read_dir(root.join("crates")).unwrap() {
        let member = member.unwrap().path();
        for part in ["src", "tests", "benches", "examples"] {
            if member.join(part).is_dir() {
                collect(&member.join(part), &mut found);
            }
        }
    }
    collect(&root.join("tests/src"), &mut found);
    collect(&root.join("tests/tests"), &mut found);
    assert!(found.len() > 700, "where is it? {} files", found.len());
    let lines = |(path, text): &(PathBuf, String)| (text.lines().count(), path.clone());
    let long = found
        .iter()
        .map(lines)
        .filter(|(lines, _)| *lines > MOST_LINES);
    assert_eq!(long.collect::<Vec<_>>(), []);
}

/// Whoever is told of denials can make the broker slower for some, and is told of them by their reason. It is there to
/// show that a test finds that, and no broker that is served may have anybody told.
#[test]
fn only_the_benchmark_is_told_why_something_was_denied() {
    let mut users: Vec<_> = product()
        .into_iter()
        .filter(|(_, text)| text.contains("watch_denials("))
        .map(|(path, _)| path)
        .collect();
    users.sort();
    let allowed = [
        "cli/src/bench/denials/mod.rs",
        "cli/src/bench/stage.rs",
        "server/src/telemetry/metrics.rs",
    ];
    assert_eq!(users.len(), allowed.len(), "{users:?}");
    for (user, allowed) in users.iter().zip(allowed) {
        assert!(user.ends_with(allowed), "{}", user.display());
    }
}
