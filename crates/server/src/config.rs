//! The configuration of the broker: one TOML file, one struct per section.
//!
//! Keys and other secrets are paths to files, never values. Relative paths count from the directory of the
//! configuration file. Unknown keys are refused: a typing error must not silently weaken a limit.
//! `deploy/schakel.toml` is the commented example, and a test parses it.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

mod audit;
mod check;
mod enrolment;
mod error;
mod limits;
mod publication;
mod reload;
mod retention;
mod tls;

pub use audit::Audit;
pub use enrolment::{Enrolment, Issuing};
pub use error::ConfigError;
pub use limits::Limits;
pub use publication::{AnchorMode, Publication};
pub use reload::{Changed, Watched};
pub use retention::Retention;
pub(crate) use tls::identifier_of;
pub use tls::{Anchor, List, Tls, TlsVersion, WhenStale};

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the broker is and where it keeps things.
    pub broker: Broker,
    /// Where it listens.
    pub listen: Listen,
    /// Its certificate, and whose certificates it trusts.
    pub tls: Tls,
    /// What is registered at the first start.
    pub bootstrap: Bootstrap,
    /// Where organisations without a certificate ask for one; absent: nowhere.
    #[serde(default)]
    pub enrolment: Option<Enrolment>,
    /// How much at once.
    #[serde(default)]
    pub limits: Limits,
    /// Logs, traces and metrics.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// The pace of inboxes.
    #[serde(default)]
    pub inbox: Inbox,
    /// Where and how often the log is shown to others.
    #[serde(default)]
    pub publication: Publication,
    /// Looking into the trail, and the broker's own replays.
    #[serde(default)]
    pub audit: Audit,
    /// For how long what is kept.
    #[serde(default)]
    pub retention: Retention,
    /// The file it was read from; absent when it was read from text.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// Section `[broker]`: what the broker is and where it keeps things.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// The name of the log, as it stands in every checkpoint and in the key that verifies it: 1 to 100
    /// characters like a host name with a path. It can never be changed.
    pub origin: String,
    /// Whether real data come here.
    pub environment: Environment,
    /// The directory of log, view and indexes.
    pub data_dir: PathBuf,
    /// The directory of the keyring: not inside `data_dir`, so that the two are backed up apart.
    pub keyring_dir: PathBuf,
    /// The file with the key that wraps the keyring: outside `data_dir` and `keyring_dir`.
    pub kek_file: PathBuf,
    /// The file with the private key that signs checkpoints: outside `data_dir`.
    pub checkpoint_key_file: PathBuf,
    /// The file with the private key that is to take over from it: named here it is taken into use, and both
    /// sign. Outside `data_dir`.
    pub next_checkpoint_key_file: Option<PathBuf>,
}

/// Whether real data come here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Development and test: the development authority and test numbers are admitted.
    Development,
    /// Real data: the development authority and test numbers are refused.
    Production,
}

/// Section `[listen]`: where the broker listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port, such as `0.0.0.0:7443`.
    pub address: SocketAddr,
    /// The balancers in front of the broker, by their addresses: every connection of theirs must begin with
    /// PROXY protocol version 2, which says where it came from. Nobody else is believed.
    #[serde(default)]
    pub proxies: Vec<IpAddr>,
}

/// Section `[bootstrap]`: what is registered at the first start, while the log is still empty. Later
/// changes are proposed and approved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// The first parties, TOML.
    pub parties: PathBuf,
    /// The first purposes, TOML.
    pub purposes: PathBuf,
}

/// Section `[telemetry]`: logs, traces and metrics.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// The shape of log lines on standard error.
    pub log_format: LogFormat,
    /// What is logged: a level, or directives such as `info,schakel_store=debug`.
    pub log: String,
    /// Where traces and metrics go by OTLP over gRPC: `https://` and the authorities of the collector, or
    /// `http://` to a collector beside the broker, such as `http://127.0.0.1:4317`. Absent means nowhere.
    pub otlp_endpoint: Option<String>,
    /// The authorities of the collector's certificate, PEM: with `https` alone, and then needed.
    pub otlp_ca: Option<PathBuf>,
    /// The part of calls that is traced, 0 to 1.
    pub trace_ratio: f64,
    /// How often metrics are sent: 1 s to 10 m.
    #[serde(with = "humantime_serde")]
    pub metrics_every: Duration,
}

/// The shape of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Readable,
}

/// Section `[inbox]`: the pace of inboxes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inbox {
    /// How long a subscription is silent before a heartbeat tells that it lives: 1 s to 5 m.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// How often what is new shows in inboxes, so that the moment it shows tells nothing: 10 ms to 1 h.
    #[serde(with = "humantime_serde")]
    pub publication_tick: Duration,
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// One sentence that names the key and how to mend it: when the file cannot be read, is no TOML, has an
    /// unknown key, lacks one, or a value is out of its bounds.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source: io::Error| ConfigError::unreadable(path, source);
        let text = fs::read_to_string(path).map_err(unreadable)?;
        Self::of_file(&text, path)
    }

    fn of_file(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let dir = path.parent().unwrap_or_else(|| Path::new(""));
        let mut config = Self::parse(text, path, dir)?;
        config.file = Some(path.to_owned());
        Ok(config)
    }

    /// Reads and checks the text of a configuration file; `name` is what errors call it, and relative paths
    /// count from `dir`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(text: &str, name: &Path, dir: &Path) -> Result<Self, ConfigError> {
        let mut config: Self =
            toml::from_str(text).map_err(|error| ConfigError::malformed(name, text, &error))?;
        for path in config.paths_mut() {
            *path = dir.join(&path);
        }
        config.check().map_err(|broken| broken.in_file(name))?;
        Ok(config)
    }

    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let Self {
            broker,
            tls,
            bootstrap,
            telemetry,
            enrolment,
            publication,
            ..
        } = self;
        let fixed = [
            &mut broker.data_dir,
            &mut broker.keyring_dir,
            &mut broker.kek_file,
            &mut broker.checkpoint_key_file,
            &mut bootstrap.parties,
            &mut bootstrap.purposes,
        ];
        fixed
            .into_iter()
            .chain(&mut broker.next_checkpoint_key_file)
            .chain(tls.paths_mut())
            .chain(&mut telemetry.otlp_ca)
            .chain(enrolment.iter_mut().flat_map(Enrolment::paths_mut))
            .chain(publication.paths_mut())
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Readable,
            log: "info".to_owned(),
            otlp_endpoint: None,
            otlp_ca: None,
            trace_ratio: 0.01,
            metrics_every: Duration::from_secs(15),
        }
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(20),
            publication_tick: Duration::from_secs(1),
        }
    }
}

#[cfg(test)]
mod tests;
