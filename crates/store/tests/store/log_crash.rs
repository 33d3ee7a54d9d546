//! A process that is killed while it appends: whatever it told us is there stays there.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use schakel_store::log::Log;

use super::support::{append, check, data, open, settings};

/// Where the child finds its data directory.
const DATA: &str = "SCHAKEL_STORE_TEST_DATA";

#[test]
fn no_entry_that_was_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = data();
    drop(Log::create(dir.path(), settings(4096)).unwrap());
    let mut size = 0;
    for round in 1..=8 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "store::log_crash::appends_until_it_is_killed",
                "--ignored",
            ])
            .args(["--nocapture"])
            .env(DATA, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let told = lines.filter_map(|line| line.strip_prefix("durable ")?.parse().ok());
        // Killed at whatever it does after this many answers.
        let acknowledged: u64 = told.take(7 * round).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let log = open(dir.path()).unwrap().log;
        assert!(acknowledged >= size + 3);
        assert!(
            log.size() >= acknowledged,
            "{} of {acknowledged}",
            log.size()
        );
        assert_eq!(
            log.size() % 3,
            0,
            "a batch is there as a whole or not at all"
        );
        size = log.size();
        check(&log.reader(), size);
    }
}

#[test]
#[ignore = "the other half of the test above, which runs it in a process of its own"]
fn appends_until_it_is_killed() {
    let dir = env::var_os(DATA).unwrap();
    let mut log = open(dir.as_ref()).unwrap().log;
    let mut out = std::io::stdout();
    loop {
        append(&mut log, &[3]);
        writeln!(out, "\ndurable {}", log.size()).unwrap();
    }
}
