//! `schakel enrolment renew`.

use std::path::{Path, PathBuf};

use schakel_api::v1;
use schakel_client::renew_at;
use schakel_pki::{check::Chain, identity, request::CertificateRequest};
use schakel_server::clock::{Clock as _, SystemClock};

use super::{der_of, read_request};
use crate::{
    command::pki::enrol,
    exit::{Exit, Failure},
    session::Session,
    view,
};

/// What `enrolment renew` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RenewArgs {
    /// The request with the new key: PKCS #10, PEM or DER.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Where the certificate goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Do nothing while more than a third of the life of this certificate, PEM, is left.
    #[arg(long, value_name = "FILE")]
    when_due: Option<PathBuf>,
}

/// What is said of a request for which nothing is issued.
const CLOSED: &str =
    "The request was closed, and nothing is issued for it: make another with another key.";

pub(super) async fn renew(session: &Session, args: &RenewArgs) -> Result<Exit, Failure> {
    if let Some(current) = &args.when_due
        && !is_due(current)?
    {
        let said = "More than a third of its life is left: nothing was asked for.";
        return Ok(session.show(&view::Done::new(said, None)));
    }
    let request = read_request(&args.request)?;
    if is_fetched(&args.out, &request) {
        let said = format!("The certificate is in `{}` already.", args.out.display());
        return Ok(session.show(&view::Done::new(said, None)));
    }
    enrol::check_free(&args.out)?;
    let told = session
        .write(async |idempotency_key| {
            let request = v1::RenewCertificateRequest {
                idempotency_key,
                request: request.der().to_vec().into(),
            };
            session.client.renew_certificate(request).await
        })
        .await?;
    let progress = told.progress();
    let said = match told.certificate {
        Some(der) => {
            let authorities = told.authorities.into_iter().map(Into::into);
            let answered = Chain::new(der.into(), authorities.collect());
            enrol::keep(&args.out, &request, &answered)?
        }
        None if progress == v1::EnrolmentProgress::Closed => {
            return Err(Failure::new(Exit::Failed, CLOSED));
        }
        None => enrol::WAITS.to_owned(),
    };
    Ok(session.show(&view::Done::new(said, None)))
}

/// Whether the certificate that answers a request is where it goes: a timer comes by again while the old one is due.
fn is_fetched(out: &Path, request: &CertificateRequest) -> bool {
    out.exists() && der_of(out).is_ok_and(|der| request.is_answered_by(&der))
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
