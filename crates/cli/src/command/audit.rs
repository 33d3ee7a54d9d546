//! `schakel audit`.

use std::path::{Path, PathBuf};

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::time::Timestamp;

use crate::{
    code, connection,
    exit::{Exit, Failure},
    instant, receipt,
    session::{self, Session, SessionArgs},
    subject::MaybeSubjectArgs,
    view::{self, Outcome},
};

/// What `audit` does.
#[derive(Debug, clap::Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Find the entries that concern your controller, newest first. For a privacy officer.
    ///
    /// The search is an entry itself.
    Search(SearchArgs),
    /// Show one entry with its proof. For a privacy officer and an auditor.
    Show {
        /// The number of the entry.
        entry: u64,
    },
    /// Say why an entry was decided as it was. For a privacy officer.
    Explain {
        /// The number of the entry.
        entry: u64,
    },
    /// Give the newest signed head of the log, verified: keep it to hold the log to it later.
    Checkpoint,
    /// Prove that the log has only grown since a checkpoint that was kept.
    Consistency {
        /// The kept checkpoint.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Keep the proof in this file and the newest checkpoint beside it, as FILE.checkpoint, for
        /// `schakel verify consistency`.
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
struct SearchArgs {
    #[command(flatten)]
    subject: MaybeSubjectArgs,
    /// What the search is for: a registered purpose about no condition.
    #[arg(long, value_name = "CODE", default_value = "P-ACCOUNTABILITY")]
    purpose: String,
    /// Only entries in which this party acted.
    #[arg(long, value_name = "PARTY")]
    party: Option<String>,
    /// Only entries for this purpose.
    #[arg(long, value_name = "CODE")]
    disclosure_purpose: Option<String>,
    /// Only entries about this condition.
    #[arg(long, value_parser = code::parser::<v1::Condition>())]
    condition: Option<v1::Condition>,
    /// Only entries from this instant on, or from the start of a day.
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
    from: Option<Timestamp>,
    /// Only entries before this instant, or before the start of a day.
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
    until: Option<Timestamp>,
    /// Only entries with this outcome.
    #[arg(long, value_parser = code::parser::<v1::Outcome>())]
    outcome: Option<v1::Outcome>,
    /// At most this many entries.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    max: u32,
    /// Go on where a search ended.
    #[arg(long, value_name = "HEX", value_parser = page_token)]
    page_token: Option<Bytes>,
}

pub(super) fn run(args: AuditArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Search(args) => search(session, args).await,
        Act::Show { entry } => show(session, entry).await,
        Act::Explain { entry } => explain(session, entry).await,
        Act::Checkpoint => checkpoint(session).await,
        Act::Consistency { from, proof } => {
            consistency(session, &connection::read(&from)?, proof.as_deref()).await
        }
    })
}

async fn search(session: &Session, args: SearchArgs) -> Result<Exit, Failure> {
    let SearchArgs { from, until, .. } = args;
    // A period has a beginning: without one, the first instant there is.
    let period = (from.is_some() || until.is_some()).then(|| v1::Period {
        from: Some(from.map_or_else(prost_types::Timestamp::default, instant::sent)),
        until: until.map(instant::sent),
    });
    let request = v1::SearchEntriesRequest {
        actor: session.actor(),
        purpose: args.purpose,
        subject: args.subject.reference()?,
        party_id: args.party,
        disclosure_purpose: args.disclosure_purpose,
        condition: args.condition.map(Into::into),
        period,
        outcome: args.outcome.unwrap_or_default().into(),
        page_size: args.max,
        page_token: args.page_token,
    };
    let response = session.ask(session.client.search_entries(request)).await?;
    session.keep(response.receipt.as_ref())?;
    Ok(session.show(&view::Entries::from(response)))
}

async fn show(session: &Session, index: u64) -> Result<Exit, Failure> {
    let request = v1::GetEntryRequest {
        actor: session.actor(),
        index,
    };
    let response = session.ask(session.client.get_entry(request)).await?;
    session.keep(response.proof.as_ref())?;
    session.keep(response.receipt.as_ref())?;
    Ok(session.show(&view::EntryWithProof::from(response)))
}

async fn explain(session: &Session, index: u64) -> Result<Exit, Failure> {
    use v1::explain_entry_response::Outcome as Sent;

    let request = v1::ExplainEntryRequest {
        actor: session.actor(),
        index,
    };
    let response = session.ask(session.client.explain_entry(request)).await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Explanation(explanation)) => {
            session.keep(explanation.receipt.as_ref())?;
            Some(Outcome::Told(
                "explanation",
                view::Explanation::from(explanation),
            ))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}

async fn checkpoint(session: &Session) -> Result<Exit, Failure> {
    let request = v1::GetCheckpointRequest {};
    session.ask(session.client.get_checkpoint(request)).await?;
    match session.client.trail().newest() {
        Some(head) => Ok(session.show(&view::Checkpoint::from(&*head))),
        None => Err(Failure::new(
            Exit::Unproved,
            "The broker gave no checkpoint.",
        )),
    }
}

async fn consistency(session: &Session, kept: &str, proof: Option<&Path>) -> Result<Exit, Failure> {
    let proved = session
        .ask(session.client.check_consistency_from(kept))
        .await?;
    if let Some(path) = proof {
        let hashes = proved
            .proof
            .iter()
            .map(|hash| format!("{}\n", hash.to_base64()));
        receipt::create(path, hashes.collect::<String>().as_bytes())?;
        receipt::create(
            &receipt::beside(path, "checkpoint"),
            proved.to.note.as_bytes(),
        )?;
    }
    Ok(session.show(&view::Consistency::from(&proved)))
}

fn page_token(text: &str) -> Result<Bytes, String> {
    hex::decode(text)
        .map(Bytes::from)
        .map_err(|_| "must be a page token as it was shown".into())
}
