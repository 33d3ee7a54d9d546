//! `schakel certificate`.

mod foresee;

use std::path::{Path, PathBuf};

use schakel_api::v1::{self, change::Change, stop_request::What};
use schakel_core::time::Timestamp;
use schakel_pki::identity;

use super::proposal::{propose, stop};
use crate::{
    code,
    exit::{Exit, Failure},
    instant,
    session::{self, SessionArgs},
    view,
};

/// What `certificate` does.
#[derive(Debug, clap::Args)]
pub(crate) struct CertificateArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show what the broker makes of your certificate, and until when it holds.
    Mine,
    /// Show the certificates with which parties called, and those that are blocked.
    List,
    /// Say what the broker would make of a certificate, with its authorities, lists and registry. For
    /// administrators.
    Check {
        /// The certificate, PEM, with what its holder sends along below it.
        file: PathBuf,
        /// The instant at which it is to be used [default: now].
        #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
        at: Option<Timestamp>,
    },
    /// Say who could not come in at the broker: as `schakel pki rehearse`, by what the broker goes by. For
    /// administrators.
    Rehearse(foresee::RehearseArgs),
    /// Block a certificate at once, on open connections too, whatever its authority says of it.
    Block {
        /// The certificate, PEM, or its SHA-256 in hexadecimal.
        certificate: String,
        /// Why it is blocked.
        #[arg(long, value_parser = code::parser::<v1::StopReason>())]
        reason: v1::StopReason,
    },
    /// Propose to let a blocked certificate count again.
    Unblock {
        /// The certificate, PEM, or its SHA-256 in hexadecimal.
        certificate: String,
    },
}

pub(super) fn run(args: CertificateArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Mine => {
            let request = v1::GetMyCertificateRequest {};
            let own = session
                .ask(session.client.get_my_certificate(request))
                .await?;
            Ok(session.show(&view::OwnCertificate::from(own)))
        }
        Act::List => {
            let request = v1::ListCertificatesRequest {};
            let all = session
                .ask(session.client.list_certificates(request))
                .await?;
            Ok(session.show(&view::Certificates::from(all)))
        }
        Act::Check { file, at } => foresee::check(session, &file, at).await,
        Act::Rehearse(args) => foresee::rehearse(session, &args).await,
        Act::Block {
            certificate,
            reason,
        } => {
            let certificate = thumbprint(certificate)?;
            stop(session, What::Certificate(certificate), reason).await
        }
        Act::Unblock { certificate } => {
            let change = Change::UnblockCertificate(thumbprint(certificate)?);
            propose(session, vec![change]).await
        }
    })
}

/// SHA-256 of a certificate, in hexadecimal: of the one in a file of this name, if there is one.
fn thumbprint(named: String) -> Result<String, Failure> {
    let path = Path::new(&named);
    if !path.exists() {
        return Ok(named);
    }
    let chain = super::pki::look::read_chain(path)?;
    Ok(hex::encode(identity::sha256(chain.own())))
}
