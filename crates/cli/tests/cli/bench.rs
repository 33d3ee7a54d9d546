//! Benchmarks whose verdict is a promise of the broker.

use std::process::Command;

use serde_json::Value;

#[test]
fn no_call_begun_after_a_revocation_was_acknowledged_gets_through() {
    let arguments = ["bench", "revocation", "--trials", "2", "--callers", "2"];
    let output = Command::new(env!("CARGO_BIN_EXE_schakel"))
        .args(arguments)
        .arg("--json")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(
        (&report["trials"], &report["callers"]),
        (&2.into(), &2.into())
    );
    let ways = report["ways"].as_array().unwrap();
    let named: Vec<_> = ways
        .iter()
        .filter_map(|way| way["revoked"].as_str())
        .collect();
    let all = ["certificate_blocked", "party_suspended", "revocation_list"];
    assert_eq!(named, all);
    for way in ways {
        for found in [&way["open"], &way["new"]] {
            assert!(found["calls"].as_u64() >= Some(4), "{way}");
            let begun = &found["last_begun"];
            let times = ["p50_ms", "p90_ms", "p99_ms", "max_ms"].map(|part| begun[part].as_f64());
            assert!(times.is_sorted() && times[0] >= Some(0.0), "{way}");
        }
    }
    // What an administrator stops is stopped in the order of the log: that needs no clock. How soon a list is looked
    // at on a machine that is busy with other tests is not judged here.
    for way in &ways[..2] {
        assert_eq!(way["bound_ms"], 0.0, "{way}");
        assert_eq!(
            (&way["open"]["late"], &way["new"]["late"]),
            (&0.into(), &0.into())
        );
    }
    assert_eq!(ways[2]["bound_ms"], 1000.0);
    assert_eq!(output.status.success(), report["pass"] == true, "{report}");
}

/// What `bench denials` says of few denials, and how it ends.
fn denials(more: &[&str]) -> (Value, Option<i32>) {
    let arguments = [
        "bench",
        "denials",
        "--samples",
        "150",
        "--persons",
        "5",
        "--json",
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_schakel"))
        .args(arguments)
        .args(more)
        .output()
        .unwrap();
    let verdict = serde_json::from_slice(&output.stdout).unwrap();
    (verdict, output.status.code())
}

/// The best classifier of each pair of reasons, of those of which one is that of withdrawn consents and of the others.
fn best(verdict: &Value) -> (Vec<f64>, Vec<f64>) {
    let (mut withdrawn, mut others) = (Vec::new(), Vec::new());
    for pair in verdict["pairs"].as_array().unwrap() {
        let classifiers = pair["classifiers"].as_array().unwrap().iter();
        let best = classifiers.filter_map(|classifier| classifier[1].as_f64());
        let best = best.fold(0.5, f64::max);
        let classes = pair["classes"].as_array().unwrap();
        if classes.contains(&"withdrawn".into()) {
            withdrawn.push(best);
        } else {
            others.push(best);
        }
    }
    (withdrawn, others)
}

/// Of so few denials nothing is claimed, unless they can be told apart. 0.75 is seven standard errors of chance.
#[test]
fn few_denials_tell_nothing_and_are_not_said_to_pass() {
    let (verdict, exit) = denials(&[]);
    let (withdrawn, others) = best(&verdict);
    assert_eq!((withdrawn.len(), others.len()), (5, 10));
    let best = [withdrawn, others].concat();
    assert!(best.iter().all(|best| *best < 0.75), "{verdict}");
    assert_eq!(verdict["different_answers"], 1);
    let (most, allowed) = (verdict["most"].as_f64(), verdict["allowed"].as_f64());
    assert!(allowed > Some(0.52), "{verdict}");
    // One campaign in two hundred exceeds by chance what chance is allowed.
    let expected = if most > allowed {
        ("failed", 1)
    } else {
        ("too_few_samples", 4)
    };
    assert_eq!(verdict["conclusion"], expected.0);
    assert_eq!(exit, Some(expected.1));
}

/// The broker takes a step of the grid longer over denials for one reason: found, and which it is shows.
#[test]
fn a_difference_that_is_put_into_the_broker_is_found() {
    let (verdict, exit) = denials(&["--connections", "1", "--plant-difference", "10000"]);
    let (withdrawn, others) = best(&verdict);
    assert!(withdrawn.iter().all(|best| *best > 0.9), "{verdict}");
    assert!(others.iter().all(|best| *best < 0.75), "{verdict}");
    assert_eq!(verdict["conclusion"], "failed");
    assert_eq!(exit, Some(1));
}
