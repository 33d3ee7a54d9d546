//! How much time of the processors the threads of this process use, as Linux counts it.

use std::{collections::BTreeMap, fs, time::Duration};

/// Linux tells processor time in hundredths of a second, whatever its own clock (`man 5 proc`, `USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Processor time by the name of the thread, without the numbers that tell threads of one pool apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cpu(BTreeMap<String, Duration>);

impl Cpu {
    /// What was used so far by the threads that live. Nothing where the system does not tell.
    pub(super) fn now() -> Self {
        let mut used = BTreeMap::new();
        let tasks = fs::read_dir("/proc/self/task")
            .into_iter()
            .flatten()
            .flatten();
        for line in tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok()) {
            if let Some((name, time)) = thread(&line) {
                *used.entry(pool(name).to_owned()).or_default() += time;
            }
        }
        Self(used)
    }

    /// What was used since an earlier reading, most first.
    pub(super) fn since(&self, earlier: &Self) -> Vec<(String, Duration)> {
        let before = |name| earlier.0.get(name).copied().unwrap_or_default();
        let used = self
            .0
            .iter()
            .map(|(name, now)| (name.clone(), now.saturating_sub(before(name))));
        let mut used: Vec<_> = used.filter(|(_, used)| !used.is_zero()).collect();
        used.sort_by(|(_, one), (_, other)| other.cmp(one));
        used
    }
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
    fn what_was_used_is_told_most_first() {
        let at = |list: &[(&str, u64)]| {
            let used = list
                .iter()
                .map(|(name, ms)| ((*name).to_owned(), Duration::from_millis(*ms)));
            Cpu(used.collect())
        };
        let used = at(&[("a", 50), ("b", 900), ("c", 70)]).since(&at(&[("a", 20), ("c", 70)]));
        let want = [
            ("b".to_owned(), Duration::from_millis(900)),
            ("a".to_owned(), Duration::from_millis(30)),
        ];
        assert_eq!(used, want);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_threads() {
        assert!(!Cpu::now().0.is_empty());
    }
}
