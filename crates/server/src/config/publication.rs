//! Section `[publication]`: where and how often the log is shown to others.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use super::{Config, check, error::Broken};

/// Where and how often the log is shown to others, and who must have seen it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publication {
    /// The directory of the C2SP tiles; absent means `published` inside `broker.data_dir`. Its content is made
    /// from the log and may be served by any server of files.
    pub dir: Option<PathBuf>,
    /// How often a new checkpoint is published when the log has grown: 100 ms to 1 h. Always at a tick, so that
    /// others learn a size for each tick and no moment of any entry.
    #[serde(with = "humantime_serde")]
    pub every: Duration,
    /// How often witnesses are asked again though the log has not grown, so that the checkpoint stays fresh:
    /// 1 m to 24 h, and not less than `every`.
    #[serde(with = "humantime_serde")]
    pub refresh_every: Duration,
    /// The file that holds the newest signed checkpoint: on a volume, or a mount of a host, that whoever can
    /// take back the log cannot reach as well. Absent: there is none.
    pub anchor_file: Option<PathBuf>,
    /// When it is replaced.
    pub anchor: AnchorMode,
    /// The C2SP tlog-policy with the witnesses and the quorum: without that quorum nothing is published.
    /// Absent: no witnesses.
    pub policy: Option<PathBuf>,
    /// The authorities of the witnesses' own certificates, PEM. Needed for witnesses with `https`.
    pub witness_ca: Option<PathBuf>,
    /// How long a witness may take: 100 ms to 1 m.
    #[serde(with = "humantime_serde")]
    pub witness_timeout: Duration,
    /// Where the directory is served by HTTPS; absent means nowhere.
    pub listen: Option<SocketAddr>,
    /// Certificates, PEM, one a file, of those who may read checkpoint and hashes there without being a party.
    pub reader_certificates: Vec<PathBuf>,
    /// Entries below this index are no longer published, by a retention policy that is on record. 0: all are.
    pub minimum_index: u64,
}

/// When the anchor is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorMode {
    /// Before each checkpoint that is published.
    #[default]
    EveryPublication,
    /// Before the answers of each batch leave: nothing signed is outside that the anchor does not cover.
    EveryBatch,
}

impl Default for Publication {
    fn default() -> Self {
        Self {
            dir: None,
            every: Duration::from_secs(10),
            refresh_every: Duration::from_mins(10),
            anchor_file: None,
            anchor: AnchorMode::default(),
            policy: None,
            witness_ca: None,
            witness_timeout: Duration::from_secs(5),
            listen: None,
            reader_certificates: Vec::new(),
            minimum_index: 0,
        }
    }
}

impl Publication {
    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let Self {
            dir,
            anchor_file,
            policy,
            witness_ca,
            reader_certificates,
            ..
        } = self;
        [dir, anchor_file, policy, witness_ca]
            .into_iter()
            .flatten()
            .chain(reader_certificates)
    }

    pub(super) fn check(&self, data: &Path, keyring: &Path) -> Result<(), Broken> {
        check::time(
            "publication.every",
            self.every,
            check::SECOND / 10..=check::HOUR,
        )?;
        check::time(
            "publication.refresh_every",
            self.refresh_every,
            check::MINUTE.max(self.every)..=check::DAY,
        )?;
        check::time(
            "publication.witness_timeout",
            self.witness_timeout,
            check::SECOND / 10..=check::MINUTE,
        )?;
        let inside = |dir: &Path| self.dir.as_deref().is_some_and(|own| own.starts_with(dir));
        if inside(keyring) || inside(&data.join("log")) {
            return check::broken(
                "publication.dir",
                "must not lie inside `broker.keyring_dir` or the log: what is published is for others",
            );
        }
        match (&self.anchor_file, self.anchor) {
            (Some(anchor), _) => {
                check::apart("publication.anchor_file", anchor, data)?;
                if anchor.starts_with(self.dir_in(data)) {
                    return check::broken(
                        "publication.anchor_file",
                        "must not lie inside `publication.dir`: it is held against what is there",
                    );
                }
                Ok(())
            }
            (None, AnchorMode::EveryBatch) => check::broken(
                "publication.anchor",
                "must not be `every-batch` without `publication.anchor_file`: name the file of the anchor",
            ),
            (None, AnchorMode::EveryPublication) => Ok(()),
        }
    }

    fn dir_in(&self, data: &Path) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| data.join("published"))
    }
}

impl Config {
    /// The directory in which the log is published.
    #[must_use]
    pub fn publication_dir(&self) -> PathBuf {
        self.publication.dir_in(&self.broker.data_dir)
    }
}
