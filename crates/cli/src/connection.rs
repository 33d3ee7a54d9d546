//! Whom to call and as whom: options, environment, profile, and what fits a development broker.

mod files;

use std::{
    env, fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use schakel_audit::note::VerifyingKey;
use schakel_client::{ClientConfig, Trail};
use serde::Deserialize;

use self::files::Files;
use crate::exit::{Exit, Failure, chain, file_failure, sentence};

/// How long a call may take, in seconds.
const TIMEOUTS: RangeInclusive<u64> = 1..=3600;

/// What every command that talks to a broker takes.
///
/// What is not on the command line is looked for in the environment, then in the profile. The ids keep an
/// option of a command from hiding one of these, which hold for all.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(
    next_help_heading = "Connection (also in the environment as SCHAKEL_..., or in a profile)"
)]
pub(crate) struct ConnectionArgs {
    /// Host and port of the broker [default: localhost:7443].
    #[arg(
        id = "connection-server",
        long = "server",
        global = true,
        hide_short_help = true,
        value_name = "HOST:PORT"
    )]
    server: Option<String>,
    /// The party whose files to call with: PARTY.cert.pem, PARTY.key.pem and ca.cert.pem in the directory
    /// of --certificates, or in DIR when given as DIR/PARTY. Not needed with --certificate, --key and --ca.
    #[arg(
        id = "connection-as",
        long = "as",
        global = true,
        hide_short_help = true,
        value_name = "PARTY"
    )]
    party: Option<String>,
    /// The directory with the files of --as [default: certs-dev, or that of --certificate].
    #[arg(
        id = "connection-certificates",
        long = "certificates",
        global = true,
        hide_short_help = true,
        value_name = "DIR"
    )]
    certificates: Option<PathBuf>,
    /// The certificate of the party, when it is elsewhere: PEM, with its chain.
    #[arg(
        id = "connection-certificate",
        long = "certificate",
        global = true,
        hide_short_help = true,
        value_name = "FILE"
    )]
    certificate: Option<PathBuf>,
    /// The private key of the party, when it is elsewhere: PEM.
    #[arg(
        id = "connection-key",
        long = "key",
        global = true,
        hide_short_help = true,
        value_name = "FILE"
    )]
    key: Option<PathBuf>,
    /// The authority that issued the broker's certificate, when it is elsewhere: PEM.
    #[arg(
        id = "connection-ca",
        long = "ca",
        global = true,
        hide_short_help = true,
        value_name = "FILE"
    )]
    ca: Option<PathBuf>,
    /// The name the broker's certificate must be for [default: the host of --server].
    #[arg(
        id = "connection-server-name",
        long = "server-name",
        global = true,
        hide_short_help = true,
        value_name = "NAME"
    )]
    server_name: Option<String>,
    /// The party to act for, under its registered delegation.
    #[arg(
        id = "connection-for",
        long = "for",
        global = true,
        hide_short_help = true,
        value_name = "PARTY"
    )]
    principal: Option<String>,
    /// The unit of that party to act for [default: the party as a whole].
    #[arg(
        id = "connection-unit",
        long = "for-unit",
        global = true,
        hide_short_help = true,
        value_name = "UNIT"
    )]
    unit: Option<String>,
    /// The key that verifies the log, or a file with it [default: log.vkey in that directory].
    #[arg(
        id = "connection-verifier-key",
        long = "verifier-key",
        global = true,
        hide_short_help = true,
        value_name = "VKEY|FILE"
    )]
    verifier_key: Option<String>,
    /// The name of the log [default: that of its key].
    #[arg(
        id = "connection-log-origin",
        long = "log-origin",
        global = true,
        hide_short_help = true,
        value_name = "NAME"
    )]
    log_origin: Option<String>,
    /// How long a call may take, in seconds [default: 30].
    #[arg(id = "connection-timeout", long = "timeout", global = true, hide_short_help = true, value_name = "S", value_parser = clap::value_parser!(u64).range(TIMEOUTS))]
    timeout: Option<u64>,
    /// A profile: a TOML file with these options [default:
    /// ~/.config/schakel/profile.toml].
    #[arg(
        id = "connection-profile",
        long = "profile",
        global = true,
        hide_short_help = true,
        value_name = "FILE"
    )]
    profile: Option<PathBuf>,
    /// Who acts: your own mark of one employee or program, never a name. Needed for whatever is about a person.
    #[arg(
        id = "connection-actor",
        long = "actor",
        global = true,
        hide_short_help = true,
        value_name = "MARK"
    )]
    actor: Option<String>,
    /// Who is responsible, when that is another, by a mark of your own.
    #[arg(
        id = "connection-responsible",
        long = "responsible",
        global = true,
        hide_short_help = true,
        value_name = "MARK"
    )]
    responsible: Option<String>,
}

/// A profile: the same options, in a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    server: Option<String>,
    #[serde(rename = "as")]
    party: Option<String>,
    certificates: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    ca: Option<PathBuf>,
    server_name: Option<String>,
    #[serde(rename = "for")]
    principal: Option<String>,
    #[serde(rename = "for_unit")]
    unit: Option<String>,
    verifier_key: Option<String>,
    log_origin: Option<String>,
    timeout: Option<u64>,
    actor: Option<String>,
    responsible: Option<String>,
}

/// Everything that is needed to call.
#[derive(Debug)]
pub(crate) struct Connection {
    /// For the client.
    pub(crate) config: ClientConfig,
    /// Who acts, when that is said.
    pub(crate) actor: Option<schakel_api::v1::Actor>,
}

impl ConnectionArgs {
    /// Looks everything up.
    pub(crate) fn resolve(&self) -> Result<Connection, Failure> {
        let profile = self.profile()?;
        let text = |given: &Option<String>, name: &str, kept: &Option<String>| {
            given
                .clone()
                .or_else(|| variable(name))
                .or_else(|| kept.clone())
        };
        let path = |given: &Option<PathBuf>, name: &str, kept: &Option<PathBuf>| {
            given
                .clone()
                .or_else(|| variable(name).map(PathBuf::from))
                .or_else(|| kept.clone())
        };
        let files = Files {
            party: text(&self.party, "AS", &profile.party),
            directory: path(&self.certificates, "CERTIFICATES", &profile.certificates),
            certificate: path(&self.certificate, "CERTIFICATE", &profile.certificate),
            key: path(&self.key, "KEY", &profile.key),
            ca: path(&self.ca, "CA", &profile.ca),
        };
        let (directory, identity, ca) = files.read()?;
        let verifier_key = text(&self.verifier_key, "VERIFIER_KEY", &profile.verifier_key);
        let origin = text(&self.log_origin, "LOG_ORIGIN", &profile.log_origin);
        let trail = trail(verifier_key, origin, &directory)?;
        let server = text(&self.server, "SERVER", &profile.server);
        let server = server.unwrap_or_else(|| "localhost:7443".to_owned());
        let mut config = ClientConfig::new(server, ca, identity, Arc::new(trail));
        if let Some(name) = text(&self.server_name, "SERVER_NAME", &profile.server_name) {
            config.server_name = name;
        }
        config.principal = text(&self.principal, "FOR", &profile.principal);
        config.unit = text(&self.unit, "FOR_UNIT", &profile.unit);
        if let Some(seconds) = self.timeout()?.or(profile.timeout) {
            config.timeouts.call = Duration::from_secs(seconds);
            config.timeouts.attempt = config.timeouts.attempt.min(config.timeouts.call);
        }
        let actor = text(&self.actor, "ACTOR", &profile.actor);
        let responsible = text(&self.responsible, "RESPONSIBLE", &profile.responsible);
        // Nothing takes its place: in the trail all who forget it would be one and the same.
        let said = actor.is_some() || responsible.is_some();
        let actor = said.then(|| schakel_api::v1::Actor {
            actor_ref: actor.unwrap_or_default(),
            responsible_ref: responsible,
        });
        Ok(Connection { config, actor })
    }

    fn timeout(&self) -> Result<Option<u64>, Failure> {
        let Some(text) = variable("TIMEOUT").filter(|_| self.timeout.is_none()) else {
            return Ok(self.timeout);
        };
        let seconds = text
            .parse()
            .ok()
            .filter(|seconds| TIMEOUTS.contains(seconds));
        let wrong = || {
            let (least, most) = (TIMEOUTS.start(), TIMEOUTS.end());
            let said =
                format!("SCHAKEL_TIMEOUT is `{text}`; it must be {least} to {most} seconds.");
            Failure::configuration(said)
        };
        seconds.map(Some).ok_or_else(wrong)
    }

    fn profile(&self) -> Result<Profile, Failure> {
        let named = self
            .profile
            .clone()
            .or_else(|| variable("PROFILE").map(PathBuf::from));
        let path = match named {
            Some(path) => path,
            None => match usual_profile().filter(|path| path.exists()) {
                Some(path) => path,
                None => return Ok(Profile::default()),
            },
        };
        let mut profile: Profile = toml::from_str(&read(&path)?).map_err(|error| {
            let said = error.message().to_owned();
            Failure::configuration(format!("`{}` is no profile: {said}.", path.display()))
        })?;
        // Relative paths count from the profile, wherever the command is run.
        let dir = path.parent().unwrap_or(Path::new(""));
        let paths = [
            &mut profile.certificates,
            &mut profile.certificate,
            &mut profile.key,
            &mut profile.ca,
        ];
        for path in paths.into_iter().flatten() {
            *path = dir.join(&*path);
        }
        let is_file = |key: &&mut String| key.parse::<VerifyingKey>().is_err();
        let key = profile.verifier_key.as_mut().filter(is_file);
        let party = profile.party.as_mut().filter(|party| party.contains('/'));
        for text in [key, party].into_iter().flatten() {
            *text = dir.join(&*text).to_string_lossy().into_owned();
        }
        Ok(profile)
    }
}

/// Reads the key that verifies a log, from a text or the file it names.
pub(crate) fn verifier_key(text_or_file: &str) -> Result<VerifyingKey, Failure> {
    let text = match text_or_file.parse() {
        Ok(key) => return Ok(key),
        Err(_) if !text_or_file.contains('+') => read(Path::new(text_or_file))?,
        Err(error) if !Path::new(text_or_file).exists() => {
            let said = format!("The verifier key cannot be used: {error}.");
            return Err(Failure::usage(said).and("Give the key itself or a file with it."));
        }
        Err(_) => read(Path::new(text_or_file))?,
    };
    text.trim().parse().map_err(|error| {
        Failure::usage(format!("`{text_or_file}` holds no verifier key: {error}."))
    })
}

/// Reads a text file that the command line names, or a profile.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| file_failure("read", path, &error))
}

fn trail(key: Option<String>, origin: Option<String>, dir: &Path) -> Result<Trail, Failure> {
    let usual = || dir.join("log.vkey");
    let key = match key {
        Some(key) => verifier_key(&key)?,
        None if usual().exists() => verifier_key(&usual().to_string_lossy())?,
        None => {
            let said = format!(
                "The key that verifies the log is not known: give it by --verifier-key or put it in `{}`. \
                 Have it from the operator by another way than this connection.",
                usual().display()
            );
            return Err(Failure::configuration(said));
        }
    };
    let origin = origin.unwrap_or_else(|| key.name().to_owned());
    let origin = origin
        .parse()
        .map_err(|error| Failure::new(Exit::Configuration, sentence(&chain(&error))))?;
    Ok(Trail::new(origin, key))
}

fn variable(name: &str) -> Option<String> {
    env::var(format!("SCHAKEL_{name}"))
        .ok()
        .filter(|value| !value.is_empty())
}

fn usual_profile() -> Option<PathBuf> {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let configuration = env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(home)?;
    Some(configuration.join("schakel").join("profile.toml"))
}
