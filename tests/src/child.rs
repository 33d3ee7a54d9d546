//! The real `schakel serve` in a process of its own, to be killed.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, OnceLock},
    time::Duration,
};

use schakel_server::clock::{Clock, SystemClock};

use crate::{
    broker::forget_derived,
    evidence::{Evidence, Log},
    line::Line,
    party::Party,
    place::Place,
};

/// How often it is looked whether a broker listens yet.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A broker in a process of its own. It is killed when the value goes.
#[derive(Debug)]
pub struct Child {
    place: Place,
    more: String,
    evidence: Arc<Evidence>,
    process: Option<std::process::Child>,
    address: SocketAddr,
}

/// A broker that refused to start.
#[derive(Debug)]
pub struct Refused {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said on standard error.
    pub said: String,
}

/// The path of the `schakel` command, built from this workspace the first time it is asked for.
#[must_use]
pub fn schakel() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--workspace",
                "--bin",
                "schakel",
                "--message-format=json",
            ])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "the command does not build");
        let messages = String::from_utf8(output.stdout).expect("UTF-8");
        messages
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("an executable")
    })
}

impl Child {
    /// Furnishes a place for the present and starts a broker there, with these lines in its configuration.
    pub async fn start(more: &str) -> Self {
        Self::start_with_tls(more, "").await
    }

    /// The same with these lines in section `[tls]`.
    pub async fn start_with_tls(more: &str, tls: &str) -> Self {
        let mut child = Self {
            place: Place::furnish(SystemClock.now()).with_tls(tls),
            more: more.to_owned(),
            evidence: Arc::default(),
            process: None,
            address: ([127, 0, 0, 1], 0).into(),
        };
        child.run().await.expect("the broker starts");
        child.evidence.trust(&child.vkey());
        child
    }

    /// Starts it from what is in its place.
    ///
    /// # Errors
    /// When it ends before it listens.
    pub async fn run(&mut self) -> Result<(), Refused> {
        assert!(self.process.is_none(), "it runs already");
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let config = self.place.configure(any, &self.more);
        let said = self.place.path("said");
        let process = Command::new(schakel())
            .arg("serve")
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said).expect("a file"))
            .spawn()
            .expect("the broker is a process");
        self.process = Some(process);
        loop {
            if let Some(address) = served(&said) {
                self.address = address;
                return Ok(());
            }
            let process = self.process.as_mut().expect("a process");
            if let Some(status) = process.try_wait().expect("a process") {
                self.process = None;
                let said = fs::read_to_string(said).expect("UTF-8");
                return Err(Refused { status, said });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Its process.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// Whether it has ended by itself, or by another's hand.
    ///
    /// # Panics
    /// When it was never started.
    pub fn has_ended(&mut self) -> bool {
        let process = self.process.as_mut().expect("it ran");
        process.try_wait().expect("a process").is_some()
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("a signal");
        process.wait().expect("an end");
    }

    /// A party on a connection that opens at its first call.
    #[must_use]
    pub fn party(&self, id: &str) -> Party {
        let channel = self.line(id).lazy_channel();
        Party::new(
            id,
            channel,
            Arc::clone(&self.evidence),
            Arc::new(SystemClock),
        )
    }

    /// The line of a party.
    #[must_use]
    pub fn line(&self, id: &str) -> Line {
        let issued = self.place.issued(id);
        let authority = self.place.authority_pem();
        Line::new(
            self.address,
            &authority,
            Some(&issued),
            Arc::new(SystemClock),
        )
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its directory.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// What was received from it.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Deletes everything that is derived from the log. Only when killed.
    pub fn forget_derived(&self) {
        assert!(self.process.is_none(), "kill it first");
        forget_derived(&self.place);
    }

    /// Checks the whole log against everything received; see [`Evidence::check`].
    #[must_use]
    pub fn check_log(&self) -> Log {
        self.evidence.check(&self.place, None)
    }

    /// How much memory it held at most since it was started, in KiB: what was taken and given back counts too.
    #[must_use]
    pub fn peak_kib(&self) -> u64 {
        let process = self.process.as_ref().expect("it runs");
        let status = format!("/proc/{}/status", process.id());
        let status = fs::read_to_string(status).expect("a status");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("a size");
        line.trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number")
    }

    /// The key that verifies its log.
    #[must_use]
    pub fn vkey(&self) -> String {
        let skey = fs::read_to_string(self.place.path("checkpoint.key")).expect("a key");
        let key = schakel_audit::note::SigningKey::from_skey(skey.trim()).expect("a key");
        key.verifying_key().to_string()
    }
}

/// Where a broker serves, once it says so in this file.
fn served(said: &Path) -> Option<SocketAddr> {
    let said = fs::read_to_string(said).ok()?;
    let (_, after) = said.split_once("Serving on ")?;
    after.split_once(". ")?.0.parse().ok()
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Best effort: it may have ended by itself.
            drop(process.kill());
            drop(process.wait());
        }
    }
}
