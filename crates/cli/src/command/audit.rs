//! `schakel audit`.

mod breach;
mod entry;
mod integrity;
mod kept;
mod person;
mod report;
pub(super) mod searches;
mod usage;

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
    view,
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
    Explain(entry::NamedArgs),
    /// Decide again what an entry decided, from what stood then, and say whether it comes out the same. For a
    /// privacy officer.
    Replay(entry::NamedArgs),
    /// Say what had been disclosed about a person by an instant, and how consents stood then. For a privacy
    /// officer.
    AsOf(person::AsOfArgs),
    /// Make the statement for the person: who supplied, received, asked and looked. For a privacy officer.
    Statement(person::StatementArgs),
    /// Record your decision to withhold entries from the statement for the person (UAVG 41). For a controller.
    Withhold(person::WithholdArgs),
    /// Say whom a compromised certificate, number or party touched, with the 72 hours of AVG 33. For a privacy
    /// officer; an auditor and an administrator see numbers only.
    Breach(breach::BreachArgs),
    /// Answer one of the standing questions of a privacy officer.
    Report(report::ReportArgs),
    /// Say what parties may receive beside what they received, and name what was never used. For a privacy officer;
    /// an administrator sees every party.
    Usage(usage::UsageArgs),
    /// Say how the trail stands, and who verified it when. For a privacy officer, auditor or administrator.
    Integrity,
    /// Record that you verified the trail up to a checkpoint. For an auditor or privacy officer.
    Verified(integrity::VerifiedArgs),
    /// Show the searches and exports that wait for a second officer, or may be made.
    Pending,
    /// Approve a search or export that another officer proposed.
    Approve(searches::DecideArgs),
    /// Reject a search or export that waits, or end its approval.
    Reject(searches::DecideArgs),
    /// Fetch the receipt of an entry of your own again, as strong as it has become, and keep it.
    Receipt(kept::ReceiptArgs),
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
    #[arg(long, value_name = "CODE", default_value = PURPOSE)]
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
    /// Only entries from this instant on, or from the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    from: Option<Timestamp>,
    /// Only entries before this instant, or before the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
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
    #[command(flatten)]
    second: searches::SecondArgs,
}

/// What a look is for.
#[derive(Debug, clap::Args)]
struct PurposeArgs {
    /// What the look is for: a registered purpose about no condition.
    #[arg(long, value_name = "CODE", default_value = PURPOSE)]
    purpose: String,
}

/// What officers look for most.
const PURPOSE: &str = "P-ACCOUNTABILITY";

pub(super) fn run(args: AuditArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Search(args) => search(session, args).await,
        Act::Show { entry } => show(session, entry).await,
        Act::Explain(args) => entry::explain(session, args).await,
        Act::Replay(args) => entry::replay(session, args).await,
        Act::AsOf(args) => person::as_of(session, args).await,
        Act::Statement(args) => person::statement(session, args).await,
        Act::Withhold(args) => person::withhold(session, args).await,
        Act::Breach(args) => breach::breach(session, args).await,
        Act::Report(args) => report::report(session, args).await,
        Act::Usage(args) => usage::usage(session, args).await,
        Act::Integrity => integrity::integrity(session).await,
        Act::Verified(args) => integrity::verified(session, &args).await,
        Act::Pending => searches::pending(session).await,
        Act::Approve(args) => searches::decide(session, args, true).await,
        Act::Reject(args) => searches::decide(session, args, false).await,
        Act::Receipt(args) => kept::receipt(session, &args).await,
        Act::Checkpoint => checkpoint(session).await,
        Act::Consistency { from, proof } => consistency(session, &from, proof.as_deref()).await,
    })
}

async fn search(session: &Session, args: SearchArgs) -> Result<Exit, Failure> {
    let (propose, search_id) = args.second.taken();
    let request = v1::SearchEntriesRequest {
        actor: session.actor(),
        purpose: args.purpose,
        subject: args.subject.reference()?,
        party_id: args.party,
        disclosure_purpose: args.disclosure_purpose,
        condition: args.condition.map(Into::into),
        period: period(args.from, args.until),
        outcome: args.outcome.unwrap_or_default().into(),
        page_size: args.max,
        page_token: args.page_token,
        search_id,
    };
    if propose {
        let question = v1::propose_search_request::Question::Search(request);
        return searches::propose(session, question).await;
    }
    let response = session.ask(session.client.search_entries(request)).await?;
    session.keep(response.receipt.as_ref())?;
    Ok(session.show(&view::Entries::from(response)))
}

async fn show(session: &Session, index: u64) -> Result<Exit, Failure> {
    let request = v1::GetEntryRequest {
        actor: session.actor(),
        index,
        purpose: Some(PURPOSE.to_owned()),
    };
    let response = session.ask(session.client.get_entry(request)).await?;
    session.keep(response.proof.as_ref())?;
    session.keep(response.receipt.as_ref())?;
    Ok(session.show(&view::EntryWithProof::from(response)))
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

async fn consistency(
    session: &Session,
    from: &Path,
    proof: Option<&Path>,
) -> Result<Exit, Failure> {
    let kept = connection::read(from)?;
    // A wrong file is no finding about the log.
    integrity::admitted(session, from, &kept)?;
    if let Some(path) = proof {
        receipt::check_place(path)?;
        receipt::check_place(&receipt::beside(path, "checkpoint"))?;
    }
    let proved = session
        .ask(session.client.check_consistency_from(&kept))
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

/// A period, when it has a beginning or an end. Without a beginning: from the first instant there is.
pub(super) fn period(from: Option<Timestamp>, until: Option<Timestamp>) -> Option<v1::Period> {
    (from.is_some() || until.is_some()).then(|| v1::Period {
        from: Some(from.map_or_else(prost_types::Timestamp::default, instant::sent)),
        until: until.map(instant::sent),
    })
}

fn sixteen_bytes(text: &str) -> Result<Bytes, String> {
    let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == 16);
    bytes
        .map(Bytes::from)
        .ok_or_else(|| "must be 16 bytes in hexadecimal, as they were shown".into())
}

fn page_token(text: &str) -> Result<Bytes, String> {
    hex::decode(text)
        .map(Bytes::from)
        .map_err(|_| "must be a page token as it was shown".into())
}
