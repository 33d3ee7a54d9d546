//! `schakel enrolment`: which certificates were issued, and how a party comes by the next one.

mod list;
mod renew;
mod sign;

use std::{
    fs,
    path::{Path, PathBuf},
};

use schakel_api::v1;
use schakel_core::{id::Oin, random::Random as _};
use schakel_pki::{check::Chain, identity, profile::Profile, request::CertificateRequest};
use schakel_store::random::OsRandom;

use crate::{
    code, connection,
    exit::{Exit, Failure, file_failure},
    session::{self, Session, SessionArgs},
    view,
};

/// What `enrolment` does.
#[derive(Debug, clap::Args)]
pub(crate) struct EnrolmentArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show the certificates that were issued: your own, or for administrators and auditors all.
    Issued,
    /// Register a certificate that was issued to a party. For administrators.
    Register {
        /// The certificate, PEM.
        file: PathBuf,
        /// The certificate whose place it takes, PEM.
        #[arg(long, value_name = "FILE")]
        replaces: Option<PathBuf>,
    },
    /// Tell the broker which certificate you are going to use next.
    Announce {
        /// The certificate, PEM.
        file: PathBuf,
    },
    /// End a registered certificate: the broker refuses it at once, whatever its lists say. For administrators.
    Revoke {
        /// The certificate, PEM, or its SHA-256 in hexadecimal.
        certificate: String,
        /// Why. `KEY_COMPROMISE` revokes every other certificate of the same key as well.
        #[arg(long, value_parser = code::parser::<v1::StopReason>())]
        reason: v1::StopReason,
    },
    /// Give an organisation leave to ask for one certificate, by a token that is shown once. For administrators.
    Invite(InviteArgs),
    /// Let the broker issue by itself for leave that another administrator gave. For administrators.
    Confirm {
        /// The enrolment.
        enrolment: String,
    },
    /// Take an invitation back, reject a request that waits, or give up your own renewal whose key was lost.
    Close {
        /// The enrolment.
        enrolment: String,
    },
    /// Show enrolments and requests that wait. For administrators.
    List,
    /// Issue certificates for requests that wait, and hand them over. For administrators.
    ///
    /// Shows of each who it is for, who invited, who confirmed and the SHA-256 of its key, before the passphrase is
    /// asked for: compare the key with its holder by another way.
    Sign(sign::SignArgs),
    /// Ask for your next certificate with the one in use, or fetch it when it is issued.
    Renew(renew::RenewArgs),
}

#[derive(Debug, clap::Args)]
struct InviteArgs {
    /// What for: party, privacy-officer, administrator, auditor or browser.
    #[arg(long = "certificate-profile", default_value = "party")]
    profile: Profile,
    /// The number of the organisation.
    #[arg(long)]
    oin: Oin,
    /// The name of the organisation: 1 to 64 characters.
    #[arg(long)]
    name: String,
    /// The part of the organisation: 1 to 64 characters.
    #[arg(long)]
    unit: Option<String>,
    /// For how many hours a request may come: 1 to 336.
    #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=336))]
    hours: u32,
}

pub(super) fn run(args: EnrolmentArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Issued => {
            let certificates = list::certificates(session).await?;
            Ok(session.show(&view::IssuedCertificates::from(certificates)))
        }
        Act::Register { file, replaces } => register(session, &file, replaces.as_deref()).await,
        Act::Announce { file } => announce(session, &file).await,
        Act::Revoke {
            certificate,
            reason,
        } => revoke(session, &certificate, reason).await,
        Act::Invite(args) => invite(session, args).await,
        Act::Confirm { enrolment } => confirm(session, enrolment).await,
        Act::Close { enrolment } => close(session, enrolment).await,
        Act::List => {
            let enrolments = list::enrolments(session).await?;
            Ok(session.show(&view::Enrolments::from(enrolments)))
        }
        Act::Sign(args) => sign::sign(session, &args).await,
        Act::Renew(args) => renew::renew(session, &args).await,
    })
}

async fn register(
    session: &Session,
    file: &Path,
    replaces: Option<&Path>,
) -> Result<Exit, Failure> {
    let certificate = der_of(file)?;
    let replaces = replaces.map(der_of).transpose()?;
    let replaces = replaces.map(|der| identity::sha256(&der).to_vec());
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::RegisterCertificateRequest {
                idempotency_key,
                certificate: certificate.into(),
                replaces_sha256: replaces.map(Into::into),
            };
            session.client.register_certificate(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    Ok(session.show(&view::Done::new("The certificate is registered.", receipt)))
}

async fn announce(session: &Session, file: &Path) -> Result<Exit, Failure> {
    let certificate = der_of(file)?;
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::AnnounceCertificateRequest {
                idempotency_key,
                certificate: certificate.into(),
            };
            session.client.announce_certificate(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    Ok(session.show(&view::Done::new("The certificate is announced.", receipt)))
}

async fn revoke(
    session: &Session,
    certificate: &str,
    reason: v1::StopReason,
) -> Result<Exit, Failure> {
    let path = Path::new(certificate);
    let sha256 = if path.exists() {
        identity::sha256(&der_of(path)?).to_vec()
    } else {
        hex::decode(certificate).map_err(|_| {
            let said = format!("`{certificate}` is neither a file nor a SHA-256 in hexadecimal.");
            Failure::usage(said)
        })?
    };
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::RevokeCertificateRequest {
                idempotency_key,
                sha256: sha256.into(),
                reason: reason.into(),
            };
            session.client.revoke_certificate(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    let others = match reason {
        v1::StopReason::KeyCompromise => {
            ", and so is every other one of its key that is registered"
        }
        _ => "",
    };
    let said = format!(
        "The certificate is refused from now on{others}. A broker that keeps the list of its own authority puts it \
         there; any other authority must be told: `schakel pki revoke`."
    );
    Ok(session.show(&view::Done::new(said, receipt)))
}

async fn invite(session: &Session, args: InviteArgs) -> Result<Exit, Failure> {
    let mut token = [0; 32];
    OsRandom.fill(&mut token);
    let holder = v1::CertificateHolder {
        profile: args.profile.code().to_owned(),
        oin: args.oin.to_string(),
        name: args.name,
        unit: args.unit,
    };
    let opened = session
        .write(async |idempotency_key| {
            let request = v1::OpenEnrolmentRequest {
                idempotency_key,
                holder: Some(holder),
                token_sha256: identity::sha256(&token).to_vec().into(),
                hours: args.hours,
            };
            session.client.open_enrolment(request).await
        })
        .await?;
    session.keep(opened.receipt.as_ref())?;
    Ok(session.show(&view::Invited::new(opened, &token, args.hours)))
}

async fn confirm(session: &Session, enrolment_id: String) -> Result<Exit, Failure> {
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::ConfirmEnrolmentRequest {
                idempotency_key,
                enrolment_id,
            };
            session.client.confirm_enrolment(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    let said = "The leave is confirmed: a broker with an authority of its own issues for it.";
    Ok(session.show(&view::Done::new(said, receipt)))
}

async fn close(session: &Session, enrolment_id: String) -> Result<Exit, Failure> {
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::CloseEnrolmentRequest {
                idempotency_key,
                enrolment_id,
            };
            session.client.close_enrolment(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    let said = "The enrolment is closed: no certificate is issued for it.";
    Ok(session.show(&view::Done::new(said, receipt)))
}

pub(super) fn read_request(path: &Path) -> Result<CertificateRequest, Failure> {
    let bytes = fs::read(path).map_err(|error| file_failure("read", path, &error))?;
    CertificateRequest::read(&bytes)
        .map_err(|error| Failure::usage(format!("`{}`: {error}.", path.display())))
}

fn der_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let chain = Chain::read(&connection::read(path)?)
        .map_err(|error| Failure::usage(format!("`{}` is {error}.", path.display())))?;
    Ok(chain.own().to_vec())
}
