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
