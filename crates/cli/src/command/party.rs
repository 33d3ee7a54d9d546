//! `schakel party`.

mod unit;

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

/// What `party` does.
#[derive(Debug, clap::Args)]
pub(crate) struct PartyArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show all parties.
    List,
    /// Show one party.
    Show {
        /// The party.
        party: String,
    },
    /// Propose parties for registration, or in place of what is registered of them.
    ///
    /// The file is TOML with a `[[party]]` for each, as the broker reads it at its first start.
    Propose {
        /// The file; `-` is standard input.
        file: PathBuf,
    },
    /// Suspend a party: nothing may be done by or for it any more.
    ///
    /// With a reason this counts at once; without, it is proposed, and another administrator approves it.
    Suspend {
        /// The party.
        party: String,
        /// Stop it at once, for this reason.
        #[arg(long, value_name = "REASON", value_parser = code::parser::<v1::StopReason>())]
        at_once: Option<v1::StopReason>,
    },
    /// Propose to end a party's suspension.
    Reinstate {
        /// The party.
        party: String,
    },
    /// Propose a party's units, or their end.
    #[command(subcommand)]
    Unit(unit::Unit),
}

pub(super) fn run(args: PartyArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::List => list(session).await,
        Act::Show { party } => show(session, &party).await,
        Act::Propose { file } => {
            let catalogue: Catalogue = document::read(&file)?;
            let changes = catalogue.parties.into_iter().map(document::party);
            propose(session, changes.map(Change::PutParty).collect()).await
        }
        Act::Suspend {
            party,
            at_once: Some(reason),
        } => stop(session, What::PartyId(party), reason).await,
        Act::Suspend {
            party,
            at_once: None,
        } => propose(session, vec![Change::SuspendPartyId(party)]).await,
        Act::Reinstate { party } => propose(session, vec![Change::ReinstatePartyId(party)]).await,
        Act::Unit(change) => unit::change(session, change).await,
    })
}

async fn parties(session: &Session) -> Result<Vec<v1::Party>, Failure> {
    let request = v1::ListPartiesRequest {};
    Ok(session
        .ask(session.client.list_parties(request))
        .await?
        .parties)
}

async fn list(session: &Session) -> Result<Exit, Failure> {
    Ok(session.show(&view::Parties::from(parties(session).await?)))
}

/// A party as it is registered.
async fn registered(session: &Session, id: &str) -> Result<v1::Party, Failure> {
    let party = parties(session)
        .await?
        .into_iter()
        .find(|party| party.party_id == id);
    party.ok_or_else(|| {
        Failure::new(
            Exit::Failed,
            format!("No party is registered as `{id}`: see `schakel party list`."),
        )
    })
}

async fn show(session: &Session, id: &str) -> Result<Exit, Failure> {
    let party = registered(session, id).await?;
    Ok(session.show(&view::Party::from(party)))
}
