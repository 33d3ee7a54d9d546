//! What of the configuration may change while the broker serves: its anchors. Of everything else that changed
//! it is said that it needs a restart.

use std::{fs, path::PathBuf};

use super::{Anchor, Config, ConfigError};

/// A configuration file that is looked at again and again.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    running: Config,
    seen: Option<String>,
}

/// What a file says that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The anchors from now on; `None` when they cannot count without a restart.
    pub anchors: Option<Vec<Anchor>>,
    /// The sections, or keys, that count after a restart only.
    pub restart: Vec<&'static str>,
}

impl Watched {
    /// Watches the file that a configuration was read from; `None` when it was read from none.
    #[must_use]
    pub fn new(running: &Config) -> Option<Self> {
        Some(Self {
            path: running.file.clone()?,
            running: running.clone(),
            seen: None,
        })
    }

    /// What the file says, when it says something else than at the last look.
    ///
    /// # Errors
    /// As [`Config::load`]; what counted before counts on.
    pub fn look(&mut self) -> Result<Option<Changed>, ConfigError> {
        let unreadable = |source| ConfigError::unreadable(&self.path, source);
        let text = fs::read_to_string(&self.path).map_err(unreadable)?;
        if self.seen.as_ref() == Some(&text) {
            return Ok(None);
        }
        let read = Config::of_file(&text, &self.path)?;
        self.seen = Some(text);
        Ok(Some(changed(&self.running, read)))
    }
}

fn changed(running: &Config, read: Config) -> Changed {
    let mut restart = Vec::new();
    // Under another anchor other numbers would count: whose they are must not change under open connections.
    let unpinned = running.tls.unpinned() == read.tls.unpinned();
    if !unpinned {
        restart.push("tls.unpinned");
    }
    let Config {
        broker,
        listen,
        mut tls,
        bootstrap,
        enrolment,
        limits,
        telemetry,
        inbox,
        publication,
        audit,
        retention,
        file: _,
    } = read;
    let anchors = std::mem::replace(&mut tls.anchors, running.tls.anchors.clone());
    tls.unpinned.clone_from(&running.tls.unpinned);
    let same = [
        ("broker", broker == running.broker),
        ("listen", listen == running.listen),
        ("tls", tls == running.tls),
        ("bootstrap", bootstrap == running.bootstrap),
        ("enrolment", enrolment == running.enrolment),
        ("limits", limits == running.limits),
        ("telemetry", telemetry == running.telemetry),
        ("inbox", inbox == running.inbox),
        ("publication", publication == running.publication),
        ("audit", audit == running.audit),
        ("retention", retention == running.retention),
    ];
    let others = same.into_iter().filter(|(_, same)| !same);
    restart.extend(others.map(|(section, _)| section));
    Changed {
        anchors: unpinned.then_some(anchors),
        restart,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const EXAMPLE: &str = include_str!("../../../../deploy/schakel.toml");

    fn watched(dir: &Path) -> (Watched, PathBuf) {
        let path = dir.join("schakel.toml");
        fs::write(&path, EXAMPLE).unwrap();
        let config = Config::load(&path).unwrap();
        (Watched::new(&config).unwrap(), path)
    }

    fn look_at(text: &str) -> Changed {
        let dir = tempfile::tempdir().unwrap();
        let (mut watched, path) = watched(dir.path());
        fs::write(path, text).unwrap();
        watched.look().unwrap().unwrap()
    }

    #[test]
    fn what_did_not_change_is_told_once_and_asks_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (mut watched, _) = watched(dir.path());
        let changed = watched.look().unwrap().unwrap();
        assert_eq!(changed.restart, Vec::<&str>::new());
        assert_eq!(changed.anchors, Some(watched.running.tls.anchors.clone()));
        assert_eq!(watched.look().unwrap(), None);
    }

    #[test]
    fn an_anchor_more_counts_and_a_broken_file_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let (mut watched, path) = watched(dir.path());
        let first = watched.running.tls.anchors[0].name.clone();
        let many = watched.running.tls.anchors.len();
        let more = "[[tls.anchor]]\nname = \"another\"\ncertificates = \"a.pem\"\ncrl = [{ file = \"a.crl\" }]\n";
        let text = format!("{EXAMPLE}\n{more}");
        let text = if watched.running.tls.unpinned.is_some() {
            text
        } else {
            text.replacen("[tls]\n", &format!("[tls]\nunpinned = \"{first}\"\n"), 1)
        };
        fs::write(&path, &text).unwrap();
        let changed = watched.look().unwrap().unwrap();
        assert_eq!(changed.anchors.unwrap().len(), many + 1);
        assert_eq!(changed.restart, Vec::<&str>::new());
        fs::write(&path, format!("{text}\nnonsense = 1\n")).unwrap();
        assert!(watched.look().is_err());
        assert!(watched.look().is_err(), "until it is mended");
    }

    #[test]
    fn every_other_change_needs_a_restart() {
        let changed = look_at(&EXAMPLE.replacen("heartbeat = \"20s\"", "heartbeat = \"7s\"", 1));
        assert_eq!(changed.restart, ["inbox"]);
        assert!(changed.anchors.is_some(), "the anchors do not wait for it");
    }
}
