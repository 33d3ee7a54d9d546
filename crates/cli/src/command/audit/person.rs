//! About one person: what was known at an instant, the statement, and decisions to withhold.

use std::path::PathBuf;

use schakel_api::v1;
use schakel_core::time::Timestamp;

use super::{PurposeArgs, period};
use crate::{
    exit::{Exit, Failure},
    instant, receipt,
    session::Session,
    statement::{self, Language},
    subject::SubjectArgs,
    view::{self, Done},
};

#[derive(Debug, clap::Args)]
pub(super) struct AsOfArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// The instant: what was recorded up to and including it counts. It may be said as `3 March 14:00`, by the clock in
    /// the Netherlands: the latest one that is past.
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    at: Timestamp,
    #[command(flatten)]
    purpose: PurposeArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct StatementArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Only from this instant on, or from the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    from: Option<Timestamp>,
    /// Only before this instant, or before the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    until: Option<Timestamp>,
    /// The language it is written in.
    #[arg(long, value_enum, default_value_t = Language::Nl)]
    language: Language,
    /// Write a page for printing, HTML without anything from elsewhere, into this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    purpose: PurposeArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct WithholdArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// An entry to withhold; once for each.
    #[arg(long = "entry", value_name = "NUMBER", required = true)]
    entries: Vec<u64>,
    /// The interest that weighs more, as UAVG 41(1) names it: from `UAVG_41_1_A` to
    /// `UAVG_41_1_J`.
    #[arg(long, value_name = "GROUND")]
    ground: String,
    /// When it ends, at most 366 days from now; a past instant ends it at once.
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
    until: Timestamp,
    /// Let the statement say how many entries are withheld.
    #[arg(long)]
    counted: bool,
}

/// The same whatever there was to withhold.
const SAID: &str = "Recorded: where these entries are about this person, the statement leaves them out until then.";

pub(super) async fn as_of(session: &Session, args: AsOfArgs) -> Result<Exit, Failure> {
    let request = v1::GetAsOfRequest {
        actor: session.actor(),
        purpose: args.purpose.purpose,
        subject: Some(args.subject.reference()?),
        at: Some(instant::sent(args.at)),
    };
    let response = session.ask(session.client.get_as_of(request)).await?;
    session.keep(response.receipt.as_ref())?;
    Ok(session.show(&view::AsOf::new(response, args.at)))
}

pub(super) async fn statement(session: &Session, args: StatementArgs) -> Result<Exit, Failure> {
    let request = v1::GetStatementRequest {
        actor: session.actor(),
        purpose: args.purpose.purpose,
        subject: Some(args.subject.reference()?),
        period: period(args.from, args.until),
    };
    let response = session.ask(session.client.get_statement(request)).await?;
    session.keep(response.receipt.as_ref())?;
    let statement = statement::Statement::new(&response, args.language);
    if let Some(path) = &args.html {
        receipt::create(path, statement.html().as_bytes())?;
        let said = format!("The statement is in `{}`.", path.display());
        return Ok(session.show(&Done::new(said, response.receipt)));
    }
    Ok(session.show(&statement))
}

pub(super) async fn withhold(session: &Session, args: WithholdArgs) -> Result<Exit, Failure> {
    let request = v1::RecordWithholdingRequest {
        idempotency_key: String::new(),
        actor: session.actor(),
        subject: Some(args.subject.reference()?),
        ground: args.ground.to_ascii_uppercase(),
        entry_indexes: args.entries,
        until: Some(instant::sent(args.until)),
        counted: args.counted,
    };
    let response = session
        .write(async |idempotency_key| {
            let request = v1::RecordWithholdingRequest {
                idempotency_key,
                ..request
            };
            session.client.record_withholding(request).await
        })
        .await?;
    session.keep(response.receipt.as_ref())?;
    Ok(session.show(&Done::new(SAID, response.receipt)))
}
