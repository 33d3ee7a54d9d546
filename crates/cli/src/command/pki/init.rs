//! `schakel pki init` and `schakel pki renew-authority`.

use std::path::PathBuf;

use schakel_pki::{
    issuing::{AuthorityName, Curve, PolicyId},
    office::{Founding, Places, found, renew_issuing},
};
use schakel_server::clock::{Clock as _, SystemClock};
use schakel_store::random::OsRandom;

use super::{
    passphrase, refused,
    view::{Begun, Certificate},
};
use crate::{
    exit::{Exit, Failure},
    output::Output,
};

const YEAR_DAYS: u32 = 365;

/// What `pki init` takes.
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// The directory under which root, issuing and public are made.
    #[arg(long, value_name = "DIR", default_value = "pki")]
    directory: PathBuf,
    /// The organisation that runs the authority: 1 to 40 characters.
    #[arg(long, value_name = "NAME", value_parser = organisation)]
    organisation: String,
    /// Where the directory public is going to be published, such as `http://pki.example.nl`.
    #[arg(long, value_name = "URL", value_parser = publish_url)]
    publish_url: String,
    /// The object identifier of the policy under which certificates are issued, when there is one.
    #[arg(long, value_name = "OID")]
    policy: Option<PolicyId>,
    /// The curve of both keys.
    #[arg(long, value_enum, default_value_t = CurveName::P384)]
    curve: CurveName,
    /// For how many years the root holds: 1 to 30.
    #[arg(long, value_name = "YEARS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=30))]
    root_years: u32,
    /// For how many years the issuing authority holds: 1 to 10.
    #[arg(long, value_name = "YEARS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10))]
    issuing_years: u32,
    /// A file with the passphrase for the root's key; without it, it is asked for.
    #[arg(long, value_name = "FILE")]
    root_passphrase_file: Option<PathBuf>,
    /// A file with the passphrase for the issuing authority's key; without it, it is asked for.
    #[arg(long, value_name = "FILE")]
    issuing_passphrase_file: Option<PathBuf>,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// What `pki renew-authority` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RenewAuthorityArgs {
    /// The directory of the root.
    #[arg(long, value_name = "DIR", default_value = "pki/root")]
    root: PathBuf,
    /// The directory of the issuing authority.
    #[arg(long, value_name = "DIR", default_value = "pki/issuing")]
    authority: PathBuf,
    /// A file with the passphrase of the root's key; without it, it is asked for.
    #[arg(long, value_name = "FILE")]
    root_passphrase_file: Option<PathBuf>,
    /// For how many years: 1 to 10.
    #[arg(long, value_name = "YEARS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10))]
    years: u32,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// A curve, as it is typed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum CurveName {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

impl From<CurveName> for Curve {
    fn from(name: CurveName) -> Self {
        match name {
            CurveName::P256 => Self::P256,
            CurveName::P384 => Self::P384,
        }
    }
}

pub(super) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let root = passphrase::new(args.root_passphrase_file.as_deref(), "the root's key")?;
    let issuing = passphrase::new(
        args.issuing_passphrase_file.as_deref(),
        "the issuing authority's key",
    )?;
    let name = |kind: &str| AuthorityName {
        organisation: args.organisation.clone(),
        common_name: format!("{} {kind} CA", args.organisation),
    };
    let founding = Founding {
        root: name("Root"),
        issuing: name("Issuing"),
        curve: args.curve.into(),
        root_days: args.root_years * YEAR_DAYS,
        issuing_days: args.issuing_years * YEAR_DAYS,
        publish_url: args.publish_url.clone(),
        policy: args.policy.clone(),
        root_list_days: super::keep::ROOT_LIST_DAYS,
        issuing_list_days: super::keep::LIST_DAYS,
    };
    let places = Places {
        root: args.directory.join("root"),
        issuing: args.directory.join("issuing"),
        public: args.directory.join("public"),
    };
    let now = SystemClock.now();
    let founded =
        found(&places, &founding, &root, &issuing, now, &mut OsRandom).map_err(refused)?;
    Output::new(args.json).show(&Begun::new(&places, &founded));
    Ok(Exit::Done)
}

pub(super) fn renew_authority(args: &RenewAuthorityArgs) -> Result<Exit, Failure> {
    let root = passphrase::existing(args.root_passphrase_file.as_deref(), "the root's key")?;
    let (now, days) = (SystemClock.now(), args.years * YEAR_DAYS);
    let issuance = renew_issuing(&args.root, &args.authority, &root, days, now, &mut OsRandom)
        .map_err(refused)?;
    Output::new(args.json).show(&Certificate::from(&issuance));
    Ok(Exit::Done)
}

/// With ` Issuing CA` behind it the name must still fit a certificate.
fn organisation(text: &str) -> Result<String, String> {
    let fits = (1..=40).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
        .ok_or_else(|| "must have 1 to 40 characters".to_owned())
}

fn publish_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let fits = rest.is_some_and(|rest| {
        !rest.is_empty() && rest.len() <= 200 && rest.bytes().all(|b| b.is_ascii_graphic())
    });
    fits.then(|| text.to_owned()).ok_or_else(|| {
        "must begin with http:// or https://, as it stands in every certificate".into()
    })
}
