//! `schakel pki`: certificates of development, and an authority of one's own.

mod dev;
pub(super) mod enrol;
mod init;
mod issue;
mod keep;
pub(super) mod look;
mod passphrase;
pub(super) mod rehearse;
mod uses;
pub(super) mod view;

use std::path::PathBuf;

use schakel_pki::{
    check::Chain,
    identity::Serial,
    ledger::Issuance,
    office::{Office, OfficeError, SignedList, publish},
};

use self::passphrase::PassphraseArgs;
use crate::{
    connection,
    exit::{Exit, Failure, chain, sentence},
};

/// What `pki` does.
#[derive(Debug, clap::Args)]
pub(crate) struct PkiArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Fill a directory with a development authority and certificates for the development organisations.
    ///
    /// What is there is kept. Nothing made here is accepted by a broker outside development.
    Dev(dev::DevArgs),
    /// Begin an authority of your own: a root to keep offline, and below it one that issues.
    ///
    /// Makes DIR/root, DIR/issuing and DIR/public, each with what belongs there. Take DIR/root to a medium
    /// that is kept offline; publish DIR/public at the address of --publish-url.
    Init(init::InitArgs),
    /// Make a private key and a request for a certificate, where the key is going to stay.
    Request(issue::RequestArgs),
    /// Hand in a request where the broker takes them, by the token that an administrator gave; fetch the
    /// certificate by repeating it.
    Enrol(enrol::EnrolArgs),
    /// Issue a certificate for the key of a request.
    ///
    /// Only the public key is taken from the request. What it asks for beyond the profile is refused by name.
    Sign(issue::SignArgs),
    /// Issue a certificate in place of another, which stays valid beside it until it ends.
    Renew(issue::RenewArgs),
    /// Have the root issue a new certificate for the key of the issuing authority.
    RenewAuthority(init::RenewAuthorityArgs),
    /// Show what was issued, and when it ends.
    List(keep::ListArgs),
    /// Revoke a certificate, and sign and publish a revocation list that names it.
    Revoke(keep::RevokeArgs),
    /// Sign and publish a new revocation list.
    Crl(keep::CrlArgs),
    /// Say whether a broker will accept a certificate, and if not, why.
    Check(look::CheckArgs),
    /// Say who could not come in: on a day, with an authority revoked, with old lists, with a wrong clock.
    Rehearse(rehearse::RehearseArgs),
}

/// Which authority.
#[derive(Debug, clap::Args)]
pub(super) struct AuthorityArgs {
    /// The directory of the authority, as `schakel pki init` made it.
    #[arg(long, value_name = "DIR", default_value = "pki/issuing")]
    pub(super) authority: PathBuf,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

pub(super) fn run(args: PkiArgs) -> Result<Exit, Failure> {
    match args.act {
        Act::Dev(args) => dev::run(&args),
        Act::Init(args) => init::run(&args),
        Act::Request(args) => issue::request(&args),
        Act::Enrol(args) => enrol::run(&args),
        Act::Sign(args) => issue::sign(&args),
        Act::Renew(args) => issue::renew(&args),
        Act::RenewAuthority(args) => init::renew_authority(&args),
        Act::List(args) => keep::list(&args),
        Act::Revoke(args) => keep::revoke(&args),
        Act::Crl(args) => keep::crl(&args),
        Act::Check(args) => look::check(&args),
        Act::Rehearse(args) => rehearse::run(&args),
    }
}

fn open(args: &AuthorityArgs) -> Result<Office, Failure> {
    Office::open(&args.authority).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
pub(super) fn refused(error: OfficeError) -> Failure {
    let exit = match error {
        OfficeError::Request(_) | OfficeError::Compromised { .. } | OfficeError::Revoked { .. } => {
            Exit::Failed
        }
        OfficeError::Holder(_) | OfficeError::NoHolder => Exit::Usage,
        _ => Exit::Configuration,
    };
    Failure::new(exit, sentence(&chain(&error)))
}

/// Publishes a list in the directory given, or in the one beside that of the authority.
fn show_to_all(
    office: &Office,
    authority: &std::path::Path,
    list: &SignedList,
    public: Option<&PathBuf>,
) -> Result<Vec<String>, Failure> {
    let beside = authority.parent().map(|above| above.join("public"));
    let dir = public.cloned().or(beside).unwrap_or_default();
    let written = publish(office, Some(list), &dir).map_err(refused)?;
    Ok(written
        .iter()
        .map(|path| path.display().to_string())
        .collect())
}

/// The certificate that is meant: by its serial number, or by a file that holds it.
fn named(office: &Office, text: &str) -> Result<Issuance, Failure> {
    let path = PathBuf::from(text);
    let found = if path.exists() {
        let chain = Chain::read(&connection::read(&path)?)
            .map_err(|error| Failure::usage(format!("`{text}` is {error}.")))?;
        let mut issued = office.ledger().issued();
        issued.find(|issuance| issuance.der == chain.own()).cloned()
    } else {
        let serial = text.parse::<Serial>().map_err(|error| {
            Failure::usage(format!(
                "`{text}` is neither a file nor a serial number: {error}."
            ))
        })?;
        office.ledger().find(&serial).cloned()
    };
    found.ok_or_else(|| {
        Failure::usage(format!(
            "`{text}` was not issued by this authority: see `schakel pki list`."
        ))
    })
}
