//! How much time of the processors the threads of this process use, as Linux counts it.

use std::{collections::BTreeMap, fs, time::Duration};

/// Linux tells processor time in hundredths of a second, whatever its own clock (`man 5 proc`, `USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// How much was used so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Cpu {
    /// By this process: by the name of the thread, without the numbers that tell threads of a pool apart.
    own: BTreeMap<String, Duration>,
    /// By everything on this machine.
    all: Duration,
}

/// How much was used in a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// By the threads of this process, most first.
    pub(super) threads: Vec<(String, Duration)>,
    /// By everything else on this machine.
    pub(super) others: Duration,
}

impl Cpu {
    /// What was used so far by the threads that live, and by the machine. Nothing where the system does not
    /// tell.
    pub(super) fn now() -> Self {
        let mut own = BTreeMap::new();
        let tasks = fs::read_dir("/proc/self/task")
            .into_iter()
            .flatten()
            .flatten();
        for line in tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok()) {
            if let Some((name, time)) = thread(&line) {
                *own.entry(pool(name).to_owned()).or_default() += time;
            }
        }
        let machine = fs::read_to_string("/proc/stat").ok();
        let all = machine.and_then(|text| busy(&text)).unwrap_or_default();
        Self { own, all }
    }

    /// What was used since an earlier reading.
    pub(super) fn since(&self, earlier: &Self) -> Used {
        let before = |name| earlier.own.get(name).copied().unwrap_or_default();
        let used = self
            .own
            .iter()
            .map(|(name, now)| (name.clone(), now.saturating_sub(before(name))));
        let mut threads: Vec<_> = used.filter(|(_, used)| !used.is_zero()).collect();
        threads.sort_by(|(_, one), (_, other)| other.cmp(one));
        let own = threads.iter().map(|(_, used)| *used).sum();
        Used {
            threads,
            others: self.all.saturating_sub(earlier.all).saturating_sub(own),
        }
    }
}

/// The time for which the processors of a machine did anything, from the first line of `/proc/stat`:
/// `cpu user nice system idle iowait irq softirq steal …`.
fn busy(text: &str) -> Option<Duration> {
    let mut times = text
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_ascii_whitespace();
    let mut next = || times.next()?.parse::<u64>().ok();
    let (user, nice, system, _idle, _waiting) = (next()?, next()?, next()?, next()?, next()?);
    let (interrupts, later, stolen) = (next()?, next()?, next()?);
    let ticks = user + nice + system + interrupts + later + stolen;
    Some(Duration::from_millis(ticks.saturating_mul(10)))
}

/// Name and processor time of a thread, from its line: `pid (name) state …`, times in fields 14 and 15.
fn thread(line: &str) -> Option<(&str, Duration)> {
    // A name may hold anything, brackets too: it ends at the last one.
    let (start, rest) = line.rsplit_once(')')?;
    let (_, name) = start.split_once('(')?;
    let mut times = rest
        .split_ascii_whitespace()
        .skip(11)
        .map(str::parse::<u32>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some((name, TICK.saturating_mul(user.saturating_add(system))))
}

/// The name of the pool a thread is of.
fn pool(name: &str) -> &str {
    name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '-' || last == ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_read_from_its_line() {
        let line = "17 (a (b) c-12) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4 0 99";
        assert_eq!(thread(line), Some(("a (b) c-12", Duration::from_secs(3))));
        assert_eq!(pool("a (b) c-12"), "a (b) c");
        assert_eq!(thread("17 (a) S 1"), None);
        assert_eq!(thread(""), None);
    }

    #[test]
    fn what_the_machine_did_leaves_idleness_out() {
        let text = "cpu  100 2 30 9999 888 4 5 6 0 0\ncpu0 1 2 3\n";
        assert_eq!(busy(text), Some(Duration::from_millis(1470)));
        assert_eq!(busy("cpu  1 2 3"), None);
        assert_eq!(busy(""), None);
    }

    #[test]
    fn what_was_used_is_told_most_first_and_the_rest_is_of_others() {
        let at = |own: &[(&str, u64)], all| {
            let own = own
                .iter()
                .map(|(name, ms)| ((*name).to_owned(), Duration::from_millis(*ms)));
            Cpu {
                own: own.collect(),
                all: Duration::from_millis(all),
            }
        };
        let before = at(&[("a", 20), ("c", 70)], 1000);
        let used = at(&[("a", 50), ("b", 900), ("c", 70)], 2200).since(&before);
        let want = [
            ("b".to_owned(), Duration::from_millis(900)),
            ("a".to_owned(), Duration::from_millis(30)),
        ];
        assert_eq!(used.threads, want);
        assert_eq!(used.others, Duration::from_millis(270));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_threads() {
        let now = Cpu::now();
        assert!(!now.own.is_empty() && !now.all.is_zero());
    }
}
