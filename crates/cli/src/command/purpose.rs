//! `schakel purpose`.

use std::path::PathBuf;

use schakel_api::v1::{self, change::Change, stop_request::What};
use schakel_core::catalogue::Catalogue;

use super::proposal::{propose, stop};
use crate::{
    code, document,
    exit::{Exit, Failure},
    session::{self, Session, SessionArgs},
    view,
};

/// What `purpose` does.
#[derive(Debug, clap::Args)]
pub(crate) struct PurposeArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show all purposes, every version.
    List,
    /// Show one purpose.
    Show {
        /// The purpose, such as P-PLAN.
        code: String,
        /// Which version [default: the newest].
        #[arg(long, value_name = "N")]
        version: Option<u32>,
    },
    /// Propose purpose versions for registration.
    ///
    /// The file is TOML with a `[[purpose]]` for each, as in deploy/purposes.toml.
    Propose {
        /// The file; `-` is standard input.
        file: PathBuf,
    },
    /// Withdraw a version: nothing is told under it any more.
    ///
    /// With a reason this counts at once; without, it is proposed, and another administrator approves it.
    Withdraw {
        /// The purpose.
        code: String,
        /// Which version.
        #[arg(long, value_name = "N")]
        version: u32,
        /// Stop it at once, for this reason.
        #[arg(long, value_name = "REASON", value_parser = code::parser::<v1::StopReason>())]
        at_once: Option<v1::StopReason>,
    },
}

pub(super) fn run(args: PurposeArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::List => {
            let purposes = purposes(session).await?;
            Ok(session.show(&view::Purposes::from(purposes)))
        }
        Act::Show { code, version } => show(session, &code, version).await,
        Act::Propose { file } => {
            let catalogue: Catalogue = document::read(&file)?;
            let changes = catalogue.purposes.into_iter().map(document::purpose);
            propose(session, changes.map(Change::PutPurpose).collect()).await
        }
        Act::Withdraw {
            code,
            version,
            at_once,
        } => {
            let name = v1::PurposeName { code, version };
            match at_once {
                Some(reason) => stop(session, What::Purpose(name), reason).await,
                None => propose(session, vec![Change::WithdrawPurpose(name)]).await,
            }
        }
    })
}

async fn purposes(session: &Session) -> Result<Vec<v1::PurposeVersion>, Failure> {
    let request = v1::ListPurposesRequest {};
    Ok(session
        .ask(session.client.list_purposes(request))
        .await?
        .purposes)
}

async fn show(session: &Session, code: &str, version: Option<u32>) -> Result<Exit, Failure> {
    let wanted = |found: &v1::PurposeVersion| {
        found.code == code && version.is_none_or(|version| found.version == version)
    };
    let newest = purposes(session)
        .await?
        .into_iter()
        .filter(wanted)
        .max_by_key(|found| found.version);
    let found = newest.ok_or_else(|| {
        let said = format!(
            "No such purpose or version is registered as `{code}`: see `schakel purpose list`."
        );
        Failure::new(Exit::Failed, said)
    })?;
    Ok(session.show(&view::PurposeVersion::from(found)))
}
