//! strace, attached to a broker: it notes what the broker calls, or kills it at one of its calls.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

use schakel_tests::Child;

/// Calls that leave nothing behind, on disk or on the wire: of memory and locks.
const WITHIN: [&str; 8] = [
    "brk",
    "futex",
    "madvise",
    "mmap",
    "mprotect",
    "munmap",
    "restart_syscall",
    "sched_yield",
];

/// Whose calls count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Those of the thread that writes.
    Writer,
    /// Those of all threads.
    Anyones,
}

/// A tracer that is attached. What it notes stands in file `trace` of the broker's place.
pub(super) struct Tracer(process::Child);

impl Tracer {
    /// Notes what is called.
    pub(super) fn note(child: &Child, whose: Whose) -> Self {
        Self::attach(child, whose, &[])
    }

    /// Kills the broker before the call of this name that is the `when`th from now on.
    pub(super) fn kill(child: &Child, whose: Whose, call: &str, when: usize) -> Self {
        let inject = format!("--inject={call}:signal=KILL:when={when}");
        Self::attach(child, whose, &[inject, format!("--trace={call}")])
    }

    fn attach(child: &Child, whose: Whose, more: &[String]) -> Self {
        let mut command = Command::new("strace");
        let thread = match whose {
            Whose::Writer => writer(child.id()),
            Whose::Anyones => {
                command.arg("--follow-forks");
                child.id()
            }
        };
        let mut process = command
            .args(more)
            .arg("--output")
            .arg(trace(child))
            .args(["--attach", &thread.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace");
        let said = process.stderr.take().expect("what it says");
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line.contains("attached")),
            "strace cannot attach"
        );
        Self(process)
    }

    /// Lets go, if there is anything left to hold.
    pub(super) fn detach(mut self) {
        let interrupt = Command::new("kill")
            .args(["-INT", &self.0.id().to_string()])
            .stderr(Stdio::null())
            .status();
        drop(interrupt);
        self.0.wait().expect("an end");
    }
}

/// The names of what was noted, but for what leaves nothing behind.
pub(super) fn noted(child: &Child) -> Vec<String> {
    let noted = fs::read_to_string(trace(child)).expect("UTF-8");
    let names = noted.lines().filter_map(|line| line.split_once('('));
    let mut names: Vec<_> = names
        .map(|(name, _)| name.to_owned())
        .filter(|name| !WITHIN.contains(&name.as_str()))
        .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn trace(child: &Child) -> PathBuf {
    child.place().path("trace")
}

/// The thread of a broker that writes.
fn writer(process: u32) -> u32 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("threads");
    let mut tasks = tasks.map(|task| task.expect("a thread").path());
    let named = |path: &PathBuf| is_writer(path);
    let thread = tasks.find(named).expect("a writer");
    let name = thread.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).expect("a number")
}

fn is_writer(thread: &Path) -> bool {
    fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == "writer")
}
