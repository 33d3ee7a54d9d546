//! `schakel pki enrol`: the first certificate, by a token.

use std::path::{Path, PathBuf};

use schakel_client::{EnrolError, Enrolled, EnrolmentAddress, enrol};
use schakel_pki::{check::Chain, request::CertificateRequest};

use crate::{
    command::enrolment::read_request,
    connection,
    exit::{Exit, Failure, chain, file_failure, sentence},
    file,
    output::Output,
    session::block_on,
    view,
};

/// What `pki enrol` takes.
#[derive(Debug, clap::Args)]
pub(super) struct EnrolArgs {
    /// Host and port where the broker takes requests.
    address: String,
    /// The root that issued the broker's certificate, PEM: compare its fingerprint by another way first.
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// The name the broker's certificate must be for [default: the host of the address].
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// A file with the token that the administrator gave: 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The request: PKCS #10, PEM or DER.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Where the certificate goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// What is said of a request that nobody answered yet.
pub(in crate::command) const WAITS: &str =
    "The request waits for the authority: repeat the command later.";

pub(super) fn run(args: &EnrolArgs) -> Result<Exit, Failure> {
    let token = connection::read(&args.token_file)?;
    let token = hex::decode(token.trim()).ok();
    let token = token.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let token = token.ok_or_else(|| {
        let path = args.token_file.display();
        Failure::usage(format!("`{path}` must hold 64 hexadecimal digits."))
    })?;
    let request = read_request(&args.request)?;
    check_free(&args.out)?;
    let host = args.address.rsplit_once(':').map(|(host, _)| host);
    let host = host.unwrap_or_default().trim_matches(['[', ']']);
    let at = EnrolmentAddress {
        address: args.address.clone(),
        server_name: args.server_name.clone().unwrap_or_else(|| host.to_owned()),
        ca_pem: connection::read(&args.ca)?,
    };
    let enrolled = block_on(async {
        enrol(&at, &token, request.der())
            .await
            .map_err(|error| match error {
                EnrolError::Connect(error) => error.into(),
                EnrolError::Refused(_) => Failure::new(Exit::Failed, sentence(&chain(&error))),
            })
    })?;
    let said = match enrolled {
        Enrolled::Waiting => WAITS.to_owned(),
        Enrolled::Certificate {
            certificate,
            authorities,
        } => keep(&args.out, &request, &Chain::new(certificate, authorities))?,
    };
    Output::new(args.json).show(&view::Done::new(said, None));
    Ok(Exit::Done)
}

/// Refuses a file that is there, before anything is asked: a token, or a renewal, serves once.
pub(in crate::command) fn check_free(out: &Path) -> Result<(), Failure> {
    if !out.exists() {
        return Ok(());
    }
    let path = out.display();
    Err(Failure::usage(format!(
        "`{path}` exists, and a certificate replaces nothing: give --out another name."
    )))
}

/// Keeps the certificate that answers a request, with the authorities that are sent along, and says where.
pub(in crate::command) fn keep(
    out: &Path,
    request: &CertificateRequest,
    answered: &Chain,
) -> Result<String, Failure> {
    if !request.is_answered_by(answered.own()) {
        let said = "The broker answered with a certificate for another key: it is not kept. \
                    Ask its administrator.";
        return Err(Failure::new(Exit::Failed, said));
    }
    file::create(out, answered.pem().as_bytes())
        .map_err(|error| file_failure("written", out, &error))?;
    Ok(format!("The certificate is in `{}`.", out.display()))
}
