//! `schakel dev` whose broker cannot go on.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use schakel_tests::{bsn_number, schakel};

/// How long it may take to end.
const WITHIN: Duration = Duration::from_secs(60);

/// Calls the broker of a development command.
fn call(directory: &Path, address: &str, party: &str, arguments: &[&str]) -> Output {
    Command::new(schakel())
        .args(arguments)
        .args([
            "--as",
            party,
            "--actor",
            "employee-1",
            "--server",
            address,
            "--json",
        ])
        .arg("--certificates")
        .arg(directory.join("certificates"))
        .output()
        .unwrap()
}

/// How it ended, unless it goes on for too long.
fn ended(dev: &mut Child) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < WITHIN {
        if let Some(status) = dev.try_wait().unwrap() {
            return status.code();
        }
        thread::sleep(Duration::from_millis(20));
    }
    dev.kill().unwrap();
    dev.wait().unwrap();
    None
}

/// Where keys that must be destroyed cannot be, the broker ends, as on a disk that fails, and the command with it: it
/// does not stay and serve nothing.
#[test]
fn the_development_command_ends_when_its_broker_did() {
    let dir = tempfile::tempdir().unwrap();
    let mut dev = Command::new(schakel())
        .args(["dev", "--quiet", "--listen", "127.0.0.1:0", "--directory"])
        .arg(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut told = BufReader::new(dev.stdout.take().unwrap());
    told.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("serving on ").unwrap();
    let person = bsn_number(1);
    let call = |party, arguments: &[&str]| call(dir.path(), address, party, arguments);

    let east = "gemeente-oost";
    let opened = call(
        "pi-noord",
        &["case", "open", "--bsn", &person, "--municipality", east],
    );
    assert!(opened.status.success(), "{opened:?}");
    let propose = [
        "erasure", "propose", "--bsn", &person, "--ground", "unlawful",
    ];
    let proposed = call("fg-gemeente-oost", &propose);
    assert!(proposed.status.success(), "{proposed:?}");
    let proposed: serde_json::Value = serde_json::from_slice(&proposed.stdout).unwrap();
    let proposal = proposed["proposed"]["proposal_id"].as_str().unwrap();

    let mut slots = 0;
    for entry in fs::read_dir(dir.path().join("keyring")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("slots-") {
            // No file can take the place of a directory.
            fs::remove_file(entry.path()).unwrap();
            fs::create_dir(entry.path()).unwrap();
            slots += 1;
        }
    }
    assert!(slots > 0, "there were keys");
    let approved = call(east, &["erasure", "approve", proposal, "--bsn", &person]);
    let exit = ended(&mut dev);
    assert!(!approved.status.success(), "nothing was destroyed");
    assert_eq!(exit, Some(1));
    let mut said = String::new();
    let mut stderr = dev.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("ended of its own"), "{said}");
}
