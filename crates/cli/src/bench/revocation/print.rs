//! What came of the trials, for people.

use super::report::{Found, Report, Way};
use crate::bench::{
    print::{grouped, table, wrapped},
    statistics::real,
};

/// What came of them.
pub(super) fn report(report: &Report) -> String {
    let mut text = "How long after a revocation does a call still get through?\n\n".to_owned();
    let machine = &report.machine;
    text.push_str(&wrapped(&format!(
        "{} trials of each way. {} callers over connections that stay open and {} that open one for each call \
         ask for something until they are refused. Told is the last call that got through: when it was begun and when \
         it was answered, in milliseconds from the moment that whoever revoked was told so; 0 is not after that. {} \
         processors; the log on {} in {}; {} build.",
        report.trials,
        report.callers,
        report.callers,
        machine.processors,
        machine.file_system,
        machine.directory,
        machine.build,
    )));
    for way in &report.ways {
        text.push('\n');
        text.push_str(&wrapped(&heading(way)));
        text.push_str(&table(&rows(way)));
    }
    text.push('\n');
    text.push_str(&wrapped(&conclusion(report)));
    text
}

fn heading(way: &Way) -> String {
    let what = match way.revoked {
        "certificate_blocked" => "The certificate is blocked by an administrator",
        "party_suspended" => "The party is suspended by an administrator",
        _ => "The certificate is put on the list of its authority, a file",
    };
    let bound = if way.bound_ms > 0.0 {
        format!(
            "within `tls.reload_every`, here {} ms",
            grouped(way.bound_ms)
        )
    } else {
        "at once".to_owned()
    };
    format!("{what}. Promised: no call begun afterwards gets through, {bound}.")
}

fn rows(way: &Way) -> Vec<Vec<String>> {
    let text = |cells: [&str; 6]| cells.map(str::to_owned).to_vec();
    let row = |name: &str, found: &Found, begun: bool| {
        let times = if begun {
            &found.last_begun
        } else {
            &found.last_answered
        };
        let cells = [times.p50_ms, times.p90_ms, times.p99_ms, times.max_ms];
        let mut row = vec![name.to_owned()];
        row.extend(cells.map(|ms| format!("{ms:.1}")));
        row.push(grouped(real(found.calls)));
        row
    };
    vec![
        text(["", "p50", "p90", "p99", "longest", "calls"]),
        row("open: last begun", &way.open, true),
        row("open: last answered", &way.open, false),
        row("new: last begun", &way.new, true),
        row("new: last answered", &way.new, false),
    ]
}

fn conclusion(report: &Report) -> String {
    let late: usize = report
        .ways
        .iter()
        .map(|way| way.open.late + way.new.late)
        .sum();
    if report.pass {
        "PASSED: no call begun after the bound got through.".to_owned()
    } else {
        format!("FAILED: {late} calls begun after the bound got through.")
    }
}
