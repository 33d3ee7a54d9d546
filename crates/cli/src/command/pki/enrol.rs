//! `schakel pki enrol`: the first certificate, by a token.

use std::path::PathBuf;

use schakel_client::{EnrolError, Enrolled, EnrolmentAddress, enrol};

use super::chain_of;
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

pub(super) fn run(args: &EnrolArgs) -> Result<Exit, Failure> {
    let token = connection::read(&args.token_file)?;
    let token = hex::decode(token.trim()).ok();
    let token = token.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let token = token.ok_or_else(|| {
        let path = args.token_file.display();
        Failure::usage(format!("`{path}` must hold 64 hexadecimal digits."))
    })?;
    let request = read_request(&args.request)?;
    // Before anything is asked: a token serves once.
    if args.out.exists() {
        let path = args.out.display();
        return Err(Failure::usage(format!(
            "`{path}` exists, and a certificate replaces nothing: give --out another name."
        )));
    }
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
        Enrolled::Waiting => {
            "The request waits for the authority: repeat the command later.".to_owned()
        }
        Enrolled::Certificate(der) => {
            if !request.is_answered_by(&der) {
                let said = "The broker answered with a certificate for another key: it is not kept. \
                            Ask its administrator.";
                return Err(Failure::new(Exit::Failed, said));
            }
            file::create(&args.out, chain_of(&der).as_bytes())
                .map_err(|error| file_failure("written", &args.out, &error))?;
            format!("The certificate is in `{}`.", args.out.display())
        }
    };
    Output::new(args.json).show(&view::Done::new(said, None));
    Ok(Exit::Done)
}
