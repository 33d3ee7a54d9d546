//! `schakel enrolment`: which certificates were issued, and how a party comes by the next one.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use schakel_api::v1;
use schakel_client::renew_at;
use schakel_core::{id::Oin, random::Random as _};
use schakel_pki::{
    check::Chain,
    identity,
    issuing::Reason,
    ledger::Issuance,
    office::{Asked, Office},
    profile::{Holder, Profile},
    request::CertificateRequest,
};
use schakel_server::clock::{Clock as _, SystemClock};
use schakel_store::random::OsRandom;

use super::pki::{AuthorityArgs, chain_of, refused};
use crate::{
    connection,
    exit::{Exit, Failure, file_failure},
    output::complain,
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
        /// Why: as for `schakel pki revoke`.
        #[arg(long)]
        reason: Reason,
    },
    /// Give an organisation leave to ask for one certificate, by a token that is shown once. For administrators.
    Invite(InviteArgs),
    /// Let the broker issue by itself for leave that another administrator gave. For administrators.
    Confirm {
        /// The enrolment.
        enrolment: String,
    },
    /// Show enrolments and requests that wait. For administrators.
    List,
    /// Issue a certificate for every request that waits, and hand it over. For administrators.
    Sign {
        #[command(flatten)]
        authority: AuthorityArgs,
    },
    /// Ask for your next certificate with the one in use, or fetch it when it is issued.
    Renew {
        /// The request with the new key: PKCS #10, PEM or DER.
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// Where the certificate goes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Do nothing while more than a third of the life of this certificate, PEM, is left.
        #[arg(long, value_name = "FILE")]
        when_due: Option<PathBuf>,
    },
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
        Act::Issued => issued(session).await,
        Act::Register { file, replaces } => register(session, &file, replaces.as_deref()).await,
        Act::Announce { file } => announce(session, &file).await,
        Act::Revoke {
            certificate,
            reason,
        } => revoke(session, &certificate, reason).await,
        Act::Invite(args) => invite(session, args).await,
        Act::Confirm { enrolment } => confirm(session, enrolment).await,
        Act::List => {
            let enrolments = waiting(session).await?;
            Ok(session.show(&view::Enrolments::from(enrolments)))
        }
        Act::Sign { authority } => sign(session, &authority).await,
        Act::Renew {
            request,
            out,
            when_due,
        } => renew(session, &request, &out, when_due.as_deref()).await,
    })
}

async fn issued(session: &Session) -> Result<Exit, Failure> {
    let request = v1::ListIssuedCertificatesRequest {};
    let found = session
        .ask(session.client.list_issued_certificates(request))
        .await?;
    Ok(session.show(&view::IssuedCertificates::from(found.certificates)))
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

async fn revoke(session: &Session, certificate: &str, reason: Reason) -> Result<Exit, Failure> {
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
                reason: sent(reason).into(),
            };
            session.client.revoke_certificate(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    let said = "The certificate is refused from now on. A broker that keeps the list of its own authority puts it \
                there; any other authority must be told: `schakel pki revoke`.";
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

async fn waiting(session: &Session) -> Result<Vec<v1::Enrolment>, Failure> {
    let request = v1::ListEnrolmentsRequest {};
    let found = session.ask(session.client.list_enrolments(request)).await?;
    Ok(found.enrolments)
}

/// Issues for what waits, one after the other: each certificate stands in the ledger before it is handed over.
async fn sign(session: &Session, args: &AuthorityArgs) -> Result<Exit, Failure> {
    let enrolments = waiting(session).await?;
    let waiting: Vec<_> = enrolments
        .into_iter()
        .filter(|enrolment| enrolment.progress() == v1::EnrolmentProgress::Waiting)
        .collect();
    if waiting.is_empty() {
        return Ok(session.show(&view::Done::new("No request waits.", None)));
    }
    let known = known(session).await?;
    let mut office = Office::open(&args.authority).map_err(refused)?;
    let authority = office.unlock(&args.passphrase.read()?).map_err(refused)?;
    let mut all = Exit::Done;
    for enrolment in waiting {
        let signed = issue(&mut office, &authority, &enrolment, &known);
        let (certificate, name) = match signed {
            Ok(issued) => issued,
            Err(failure) => {
                complain(&format!("{}: {}", enrolment.enrolment_id, failure.message));
                all = Exit::Failed;
                continue;
            }
        };
        let receipt = session
            .write(async |idempotency_key| {
                let request = v1::AnswerEnrolmentRequest {
                    idempotency_key,
                    enrolment_id: enrolment.enrolment_id,
                    certificate: certificate.into(),
                };
                session.client.answer_enrolment(request).await
            })
            .await?
            .receipt;
        session.keep(receipt.as_ref())?;
        session.show_next(&view::Done::new(format!("Issued to {name}."), receipt));
    }
    Ok(all)
}

/// SHA-256 of every certificate that the broker knows.
async fn known(session: &Session) -> Result<BTreeSet<Vec<u8>>, Failure> {
    let request = v1::ListIssuedCertificatesRequest {};
    let found = session
        .ask(session.client.list_issued_certificates(request))
        .await?;
    let certificates = found.certificates.into_iter();
    Ok(certificates.map(|one| one.sha256.to_vec()).collect())
}

fn issue(
    office: &mut Office,
    authority: &schakel_pki::issuing::SigningAuthority,
    enrolment: &v1::Enrolment,
    known: &BTreeSet<Vec<u8>>,
) -> Result<(Vec<u8>, String), Failure> {
    let unreadable = || Failure::new(Exit::Failed, "The broker's answer cannot be read.");
    let wanted = enrolment.holder.as_ref().ok_or_else(unreadable)?;
    let holder = Holder {
        profile: wanted.profile.parse().map_err(|_| unreadable())?,
        oin: wanted.oin.parse().map_err(|_| unreadable())?,
        name: wanted.name.clone(),
        unit: wanted.unit.clone(),
        hosts: Vec::new(),
    };
    let request = enrolment.request.as_deref().ok_or_else(unreadable)?;
    let request = CertificateRequest::read(request).map_err(|_| unreadable())?;
    let name = format!("{} ({})", holder.name, holder.oin);
    // The broker looked at it as well; what signs believes nobody.
    let asked = Asked {
        request: &request,
        holder,
        replaces: enrolment
            .replaces_sha256
            .as_deref()
            .and_then(|sha256| sha256.try_into().ok()),
        days: None,
    };
    let is_known = |issuance: &Issuance| known.contains(issuance.sha256.as_slice());
    let issued = office.answer(authority, asked, is_known, SystemClock.now(), &mut OsRandom);
    Ok((issued.map_err(refused)?.der, name))
}

async fn renew(
    session: &Session,
    request: &Path,
    out: &Path,
    when_due: Option<&Path>,
) -> Result<Exit, Failure> {
    if let Some(current) = when_due
        && !is_due(current)?
    {
        let said = "More than a third of its life is left: nothing was asked for.";
        return Ok(session.show(&view::Done::new(said, None)));
    }
    let request = read_request(request)?;
    let told = session
        .write(async |idempotency_key| {
            let request = v1::RenewCertificateRequest {
                idempotency_key,
                request: request.der().to_vec().into(),
            };
            session.client.renew_certificate(request).await
        })
        .await?;
    let Some(certificate) = told.certificate else {
        let said = "The request waits for the authority: repeat the command later.";
        return Ok(session.show(&view::Done::new(said, None)));
    };
    crate::receipt::create(out, chain_of(&certificate).as_bytes())?;
    let said = format!("The certificate is in `{}`.", out.display());
    Ok(session.show(&view::Done::new(said, None)))
}

/// Whether a certificate should be renewed by now. Its own fingerprint is the chance, so that the moment stays.
fn is_due(file: &Path) -> Result<bool, Failure> {
    let der = der_of(file)?;
    let found = identity::parse_peer(&der)
        .map_err(|error| Failure::usage(format!("`{}`: {error}.", file.display())))?;
    let chance = found.sha256.first_chunk().copied().unwrap_or_default();
    let since =
        |at: schakel_core::time::Timestamp| std::time::Duration::from_millis(at.as_millis());
    let at = renew_at(
        since(found.not_before),
        since(found.not_after),
        u64::from_be_bytes(chance),
    );
    Ok(at <= since(SystemClock.now()))
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

const fn sent(reason: Reason) -> v1::StopReason {
    match reason {
        Reason::AffiliationChanged => v1::StopReason::AffiliationChanged,
        Reason::CessationOfOperation => v1::StopReason::CessationOfOperation,
        Reason::CaCompromise | Reason::KeyCompromise => v1::StopReason::KeyCompromise,
        Reason::PrivilegeWithdrawn => v1::StopReason::PrivilegeWithdrawn,
        Reason::Superseded => v1::StopReason::Superseded,
        Reason::Unspecified => v1::StopReason::Suspicion,
    }
}
