//! `schakel dev` whose broker cannot go on.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use schakel_tests::schakel;

/// How long it may take to end.
const WITHIN: Duration = Duration::from_secs(60);

/// Where nothing can be written any more the broker ends, and the command with it: it does not stay and serve nothing.
#[test]
fn the_development_command_ends_when_its_broker_did() {
    let dir = tempfile::tempdir().unwrap();
    // Past the largest size a file may have, writing fails, as on a disk that fails, rather than kill.
    let script = r#"trap '' XFSZ; exec "$0" dev --quiet --directory "$1" --listen 127.0.0.1:0"#;
    let mut dev = Command::new("sh")
        .args(["-c", script])
        .arg(schakel())
        .arg(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut told = BufReader::new(dev.stdout.take().unwrap());
    told.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("serving on ").unwrap();
    let limited = Command::new("prlimit")
        .args(["--fsize=0:0", "--pid", &dev.id().to_string()])
        .status();
    assert!(limited.unwrap().success());
    let opened = Command::new(schakel())
        .args([
            "case", "open", "--skn", "99000001", "--as", "pi-noord", "--server", address,
        ])
        .arg("--certificates")
        .arg(dir.path().join("certificates"))
        .output()
        .unwrap();
    let start = Instant::now();
    let ended = loop {
        match dev.try_wait().unwrap() {
            None if start.elapsed() < WITHIN => thread::sleep(Duration::from_millis(20)),
            ended => break ended,
        }
    };
    if ended.is_none() {
        dev.kill().unwrap();
        dev.wait().unwrap();
    }
    assert!(!opened.status.success(), "nothing was recorded");
    assert_eq!(ended.and_then(|status| status.code()), Some(1));
    let mut said = String::new();
    dev.stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(said.contains("ended of its own"), "{said}");
}
