//! A development broker in a process of its own, and the commands against it.

mod named;
mod written;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

const SCHAKEL: &str = env!("CARGO_BIN_EXE_schakel");
/// Numbers that pass the eleven test and belong to nobody.
const BSN: &str = "999999990";

/// A broker that runs until it is dropped.
pub(super) struct Broker {
    process: Child,
    address: String,
    dir: TempDir,
}

impl Broker {
    pub(super) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Command::new(SCHAKEL)
            .args(["dev", "--quiet", "--listen", "127.0.0.1:0", "--directory"])
            .arg(dir.path())
            .args(["--bundle", "00000099000000020000"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines
            .find_map(|line| line.unwrap().strip_prefix("serving on ").map(str::to_owned))
            .expect("the broker says where it serves");
        Self {
            process,
            address,
            dir,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a command as a party, which the environment says with the rest of the connection.
    pub(super) fn run(&self, party: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(party, arguments);
        command.env("SCHAKEL_ACTOR", "employee-1").output().unwrap()
    }

    /// The same with nobody who acts.
    fn command(&self, party: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(SCHAKEL);
        command
            .args(arguments)
            .env("SCHAKEL_AS", party)
            .env("SCHAKEL_SERVER", &self.address)
            .env("SCHAKEL_CERTIFICATES", self.path("certificates"))
            .env("XDG_CONFIG_HOME", self.dir.path());
        command
    }

    /// What a command says that must succeed.
    pub(super) fn says(&self, party: &str, arguments: &[&str]) -> String {
        let output = self.run(party, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn json(&self, party: &str, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.says(party, &arguments)).unwrap()
    }

    /// How a command fails, and what it says.
    fn fails(&self, party: &str, arguments: &[&str]) -> (i32, String) {
        let output = self.run(party, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.stdout.is_empty(), "{arguments:?}");
        (output.status.code().unwrap(), said)
    }

    pub(super) fn open_case(&self) -> String {
        let open = [
            "case",
            "open",
            "--bsn",
            BSN,
            "--municipality",
            "gemeente-oost",
        ];
        let case = self.json("pi-noord", &open)["opened"]["case_id"].clone();
        let case = case.as_str().unwrap().to_owned();
        let report = [
            "status",
            "report",
            "--case",
            &case,
            "--condition",
            "housing",
        ];
        let report = [
            &report[..],
            &["--status", "action-needed", "--moment", "entry"],
        ]
        .concat();
        assert!(self.says("pi-noord", &report).starts_with("Reported.\n"));
        case
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn verify(arguments: &[&str], key: &Path) -> (Option<i32>, String) {
    let output = Command::new(SCHAKEL)
        .arg("verify")
        .args(arguments)
        .arg("--verifier-key")
        .arg(key)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// Certificate, key, authority and connection are in one directory, and work from anywhere.
#[test]
fn a_bundle_is_all_that_a_partner_needs_to_call() {
    let broker = Broker::start();
    let bundle = broker.path("bundle-gemeente-oost");
    let output = Command::new(SCHAKEL)
        .args(["certificate", "mine", "--profile"])
        .arg(bundle.join("profile.toml"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("gemeente-oost, OIN 00000099000000020000"),
        "{told}"
    );
    let key = fs::metadata(bundle.join("gemeente-oost.key.pem")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let readme = fs::read_to_string(bundle.join("README.md")).unwrap();
    assert!(readme.contains(&broker.address) && !readme.contains("PARTY"));
}

#[test]
fn what_is_told_can_be_verified_later_by_whoever_kept_the_receipt() {
    let broker = Broker::start();
    let case = broker.open_case();
    let receipt = broker.path("receipt.tlog-proof");
    let path = receipt.to_str().unwrap();
    let ask = [
        "status",
        "ask",
        "--case",
        &case,
        "--purpose",
        "P-PLAN",
        "--condition",
        "housing",
        "--granularity",
        "status-with-dates",
    ];
    let said = broker.says("gemeente-oost", &[&ask[..], &["--receipt", path]].concat());
    assert!(
        said.contains("housing         action needed, as of "),
        "{said}"
    );
    assert!(
        said.lines().all(|line| line.chars().count() <= 80),
        "{said}"
    );

    let key = broker.path("certificates/log.vkey");
    let disclosure = format!("{path}.disclosure");
    let (code, lines) = verify(&["proof", path, "--disclosure", &disclosure], &key);
    assert_eq!(code, Some(0), "{lines}");
    assert_eq!(
        lines
            .lines()
            .filter(|line| line.starts_with("OK   "))
            .count(),
        4,
        "{lines}"
    );
    assert_eq!(lines.lines().count(), 4, "{lines}");
    assert!(
        lines.contains("party=gemeente-oost purpose=P-PLAN version=1"),
        "{lines}"
    );

    // A receipt that was kept is never overwritten, and nothing is asked whose receipt finds no place.
    let (code, said) = broker.fails("gemeente-oost", &[&ask[..], &["--receipt", path]].concat());
    assert_eq!(code, 2);
    assert!(said.contains("nothing was asked"), "{said}");

    let mut leaf = fs::read(format!("{path}.leaf")).unwrap();
    leaf[3] ^= 1;
    fs::write(format!("{path}.leaf"), leaf).unwrap();
    let (code, lines) = verify(&["proof", path], &key);
    assert_eq!(code, Some(1));
    assert!(lines.contains("FAIL inclusion"), "{lines}");
}

#[test]
fn nothing_told_is_an_answer_of_its_own() {
    let broker = Broker::start();
    let ask = [
        "status",
        "ask",
        "--client-ref",
        "nobody",
        "--purpose",
        "P-ARRANGE-HOUSING",
    ];
    let ask = [&ask[..], &["--condition", "housing", "--json"]].concat();
    let output = broker.run("wonen-zuid", &ask);
    assert_eq!(output.status.code(), Some(3));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        answer["not_disclosed"]["reference"].as_str().unwrap().len(),
        32
    );

    let batch = broker.path("batch.toml");
    let items = "purpose = \"P-ARRANGE-HOUSING\"\nconditions = [\"HOUSING\"]\n\
                 [[item]]\nclient_ref = \"a\"\n[[item]]\nclient_ref = \"b\"\n";
    fs::write(&batch, items).unwrap();
    let output = broker.run(
        "wonen-zuid",
        &["status", "ask-batch", batch.to_str().unwrap()],
    );
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches("Not disclosed.").count(), 2, "{said}");
}

#[test]
fn a_refusal_names_field_and_rule_and_a_role_what_it_may_not() {
    let broker = Broker::start();
    let ask = [
        "status",
        "ask",
        "--bsn",
        "123",
        "--purpose",
        "P-PLAN",
        "--condition",
        "housing",
    ];
    let (code, said) = broker.fails("gemeente-oost", &ask);
    assert_eq!(code, 1);
    assert!(
        said.starts_with("`item.subject.bsn` must be a citizen service number"),
        "{said}"
    );
    assert!(!said.contains("123"), "{said}");
    let (code, said) = broker.fails("wonen-zuid", &["case", "open", "--bsn", BSN]);
    assert_eq!(code, 1);
    assert!(said.contains("No role of the caller may call"), "{said}");
    let (code, _) = broker.fails(
        "gemeente-oost",
        &["party", "list", "--server", "127.0.0.1:1"],
    );
    assert_eq!(code, 69);
    let (code, said) = broker.fails(
        "gemeente-oost",
        &["party", "list", "--server-name", "elsewhere"],
    );
    assert_eq!(code, 69);
    assert!(said.contains("TLS"), "{said}");
}

/// Who acts stands in the trail: nothing takes its place where it is not said, and the remedy is told.
#[test]
fn who_acts_is_said_and_never_made_up() {
    let broker = Broker::start();
    let withdraw = ["consent", "withdraw", "--bsn", BSN];
    let output = broker.command("gemeente-oost", &withdraw).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("`actor`") && said.contains("--actor"),
        "{said}"
    );
    // What names no employee in the trail needs none.
    let parties = broker.command("gemeente-oost", &["party", "list"]).output();
    assert!(parties.unwrap().status.success());
    broker.says(
        "gemeente-oost",
        &[&withdraw[..], &["--actor", "employee-2"]].concat(),
    );
}

#[test]
fn a_profile_says_what_neither_options_nor_environment_say() {
    let broker = Broker::start();
    let profile = broker.path("profile.toml");
    let text = format!(
        "as = \"toetser\"\nserver = \"{}\"\ncertificates = \"certificates\"\n",
        broker.address
    );
    fs::write(&profile, text).unwrap();
    let list = |arguments: &[&str]| {
        let mut command = Command::new(SCHAKEL);
        command
            .args(["party", "list", "--profile"])
            .arg(&profile)
            .args(arguments);
        let unset = ["SCHAKEL_AS", "SCHAKEL_SERVER", "SCHAKEL_CERTIFICATES"];
        unset
            .iter()
            .fold(&mut command, |command, name| command.env_remove(name))
            .output()
            .unwrap()
    };
    assert_eq!(list(&[]).status.code(), Some(0));
    let other = list(&["--as", "nobody"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&other.stderr).contains("nobody.cert.pem"));
    fs::write(&profile, "sever = \"typo\"\n").unwrap();
    let typo = list(&[]);
    assert_eq!(typo.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&typo.stderr).contains("unknown field `sever`"));
}

#[test]
fn an_answer_signed_by_another_key_than_was_pinned_is_not_shown() {
    let broker = Broker::start();
    let other = broker.path("other.vkey");
    let text = include_str!("../golden/verify.in/other.vkey");
    fs::write(&other, text).unwrap();
    let search = [
        "audit",
        "search",
        "--bsn",
        BSN,
        "--verifier-key",
        other.to_str().unwrap(),
    ];
    let (code, said) = broker.fails("fg-gemeente-oost", &search);
    assert_eq!(code, 65);
    assert!(said.contains("not proved"), "{said}");
}
