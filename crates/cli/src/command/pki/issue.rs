//! `schakel pki request`, `sign` and `renew`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use schakel_core::id::Oin;
use schakel_pki::{
    issuing::Curve,
    office::{Office, Order, Renewed},
    profile::{Holder, Profile},
    request::{CertificateRequest, NewRequest},
};
use schakel_server::clock::{Clock as _, SystemClock};
use schakel_store::random::OsRandom;

use super::{
    AuthorityArgs,
    init::CurveName,
    named, open, passphrase, refused,
    view::{Certificate, Requested},
};
use crate::{
    exit::{Exit, Failure, chain, file_failure, sentence},
    output::Output,
};

/// For whom a certificate is.
#[derive(Debug, clap::Args)]
struct HolderArgs {
    /// What for: party, broker, privacy-officer, administrator, auditor or browser.
    #[arg(long, default_value = "party")]
    profile: Profile,
    /// The number of the organisation: Subject.serialNumber.
    #[arg(long)]
    oin: Oin,
    /// The name of the organisation: 1 to 64 characters.
    #[arg(long)]
    name: String,
    /// The part of the organisation: 1 to 64 characters.
    #[arg(long)]
    unit: Option<String>,
    /// A host name or address it serves at; for a broker, and repeated for several.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
}

/// What `pki request` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RequestArgs {
    #[command(flatten)]
    holder: HolderArgs,
    /// The curve of the key.
    #[arg(long, value_enum, default_value_t = CurveName::P256)]
    curve: CurveName,
    /// Where the private key goes. It stays there.
    #[arg(long, value_name = "FILE")]
    key_out: PathBuf,
    /// Where the request goes, to be sent to the authority.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Encrypt the key with the passphrase in this file; a program that starts by itself cannot read it then.
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// What `pki sign` takes.
#[derive(Debug, clap::Args)]
pub(super) struct SignArgs {
    /// The request: PKCS #10, PEM or DER.
    request: PathBuf,
    #[command(flatten)]
    holder: HolderArgs,
    #[command(flatten)]
    issuing: IssuingArgs,
}

/// What `pki renew` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RenewArgs {
    /// The certificate: its serial number, or a file with it.
    certificate: String,
    /// A request with a new key. Without it the key stays the same.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    #[command(flatten)]
    issuing: IssuingArgs,
}

#[derive(Debug, clap::Args)]
struct IssuingArgs {
    /// For how many days; without it, as many as is usual for the profile.
    #[arg(long)]
    days: Option<u32>,
    /// Where the certificate goes, with the authority's below it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    authority: AuthorityArgs,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

impl HolderArgs {
    fn holder(&self) -> Result<Holder, Failure> {
        let holder = Holder {
            profile: self.profile,
            oin: self.oin.clone(),
            name: self.name.clone(),
            unit: self.unit.clone(),
            hosts: self.hosts.clone(),
        };
        let checked = holder.check();
        checked.map_err(|error| Failure::usage(sentence(&error.to_string())))?;
        Ok(holder)
    }
}

pub(super) fn request(args: &RequestArgs) -> Result<Exit, Failure> {
    let holder = args.holder.holder()?;
    let failed = |error: &dyn std::error::Error| Failure::usage(sentence(&chain(error)));
    let new = NewRequest::make(&holder, Curve::from(args.curve)).map_err(|e| failed(&e))?;
    let key = match &args.key_passphrase_file {
        None => new.key_pem(),
        Some(file) => {
            let passphrase = passphrase::new(Some(file), "the key")?;
            let sealed = new.sealed_key_pem(&passphrase, &mut OsRandom);
            sealed.map_err(|error| failed(&error))?
        }
    };
    create_secret(&args.key_out, &key)?;
    crate::receipt::create(&args.out, new.request_pem.as_bytes())?;
    let request = CertificateRequest::read(new.request_pem.as_bytes()).map_err(|e| failed(&e))?;
    Output::new(args.json).show(&Requested::new(&request, &args.key_out, &args.out));
    Ok(Exit::Done)
}

pub(super) fn sign(args: &SignArgs) -> Result<Exit, Failure> {
    let holder = args.holder.holder()?;
    let request = read(&args.request)?;
    // Before a passphrase is asked for.
    let key = request
        .admit(&holder)
        .map_err(|error| refused(error.into()))?;
    let order = Order {
        holder,
        days: args.issuing.days,
        replaces: None,
    };
    args.issuing.issue(|office, authority| {
        office.issue(authority, &key, &order, SystemClock.now(), &mut OsRandom)
    })
}

pub(super) fn renew(args: &RenewArgs) -> Result<Exit, Failure> {
    let request = args.request.as_deref().map(read).transpose()?;
    let renewed = request.as_ref().map_or(Renewed::SameKey, Renewed::Request);
    let office = open(&args.issuing.authority)?;
    let serial = named(&office, &args.certificate)?.serial;
    drop(office);
    args.issuing.issue(|office, authority| {
        let (days, now) = (args.issuing.days, SystemClock.now());
        office.renew(authority, &serial, renewed, days, now, &mut OsRandom)
    })
}

impl IssuingArgs {
    fn issue(
        &self,
        act: impl FnOnce(
            &mut Office,
            &schakel_pki::issuing::SigningAuthority,
        )
            -> Result<schakel_pki::ledger::Issuance, schakel_pki::office::OfficeError>,
    ) -> Result<Exit, Failure> {
        if self.out.exists() {
            let path = self.out.display();
            let said =
                format!("`{path}` exists already, and is not overwritten: nothing was issued.");
            return Err(Failure::usage(said));
        }
        let mut office = open(&self.authority)?;
        let authority = office
            .unlock(&self.authority.passphrase.read()?)
            .map_err(refused)?;
        let issuance = act(&mut office, &authority).map_err(refused)?;
        crate::receipt::create(&self.out, office.chain(&issuance).as_bytes())?;
        Output::new(self.json).show(&Certificate::from(&issuance));
        Ok(Exit::Done)
    }
}

fn read(path: &Path) -> Result<CertificateRequest, Failure> {
    let bytes = fs::read(path).map_err(|error| file_failure("read", path, &error))?;
    CertificateRequest::read(&bytes)
        .map_err(|error| Failure::usage(format!("`{}`: {error}.", path.display())))
}

/// Writes a file that only its owner can read, and that is not there yet.
fn create_secret(path: &Path, text: &str) -> Result<(), Failure> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .map_err(|error| file_failure("written", path, &error))
}
