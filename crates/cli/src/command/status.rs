//! `schakel status`.

use std::path::PathBuf;

use schakel_api::v1;
use schakel_server::clock::{Clock as _, SystemClock};

use crate::{
    code, document,
    exit::{Exit, Failure},
    instant,
    session::{self, Session, SessionArgs},
    subject::SubjectArgs,
    view::{self, Outcome},
};

/// What `status` does.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Report how a condition stands; it replaces your last report.
    Report(ReportArgs),
    /// Introduce a partner: gives a code that the person hands over.
    Introduce {
        /// The case.
        #[arg(long, value_name = "ID")]
        case: String,
        /// The partner.
        #[arg(long, value_name = "PARTY")]
        partner: String,
        /// What it is to help with.
        #[arg(long, value_parser = code::parser::<v1::Condition>())]
        condition: v1::Condition,
    },
    /// Redeem a code: from then on you can name the person by your own mark.
    Redeem {
        /// The code; case, spaces and hyphens do not matter. `-` reads it from standard input.
        code: String,
        /// Your own mark of the person: 1 to 64 characters without spaces, never a name.
        #[arg(long, value_name = "MARK")]
        client_ref: String,
    },
    /// Ask what may be told about conditions of a person. Every ask is a decision of its own.
    Ask(AskArgs),
    /// Ask about several persons at once, from a TOML file with an `[[item]]` for each.
    ///
    /// An item names the person by `bsn`, `skn`, `client_ref` or `case_id`. Its purpose, conditions and granularity
    /// may also stand above the items, for all of them; the granularity is SIGNAL unless said.
    AskBatch {
        /// The file; `-` is standard input.
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct ReportArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// What it is about.
    #[arg(long, value_parser = code::parser::<v1::Condition>())]
    condition: v1::Condition,
    /// How it stands.
    #[arg(long, value_parser = code::parser::<v1::ConditionStatus>())]
    status: v1::ConditionStatus,
    /// The day on which it stood so [default: today].
    #[arg(long, value_name = "DAY", value_parser = instant::parse_day)]
    as_of: Option<String>,
    /// The day by which it should be settled.
    #[arg(long, value_name = "DAY", value_parser = instant::parse_day)]
    expected: Option<String>,
    /// The moment in the trajectory.
    #[arg(long, default_value = "interim", value_parser = code::parser::<v1::Moment>())]
    moment: v1::Moment,
    /// The role of the party the information stems from, when it is not your own.
    #[arg(long, value_parser = code::parser::<v1::Role>())]
    origin: Option<v1::Role>,
    /// The party whose help was declined; with help-declined, and only then.
    #[arg(long, value_name = "PARTY")]
    offered_by: Option<String>,
    /// Your last report was wrong: everyone who received it is told.
    #[arg(long)]
    correction: bool,
}

#[derive(Debug, clap::Args)]
struct AskArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// What for: a registered purpose.
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// Which version of it [default: the one in force].
    #[arg(long, value_name = "N")]
    purpose_version: Option<u32>,
    /// A condition; may be repeated.
    #[arg(long = "condition", value_name = "CONDITION", required = true, value_parser = code::parser::<v1::Condition>())]
    conditions: Vec<v1::Condition>,
    /// The most you want to be told.
    #[arg(long, default_value = "signal", value_parser = code::parser::<v1::Granularity>())]
    granularity: v1::Granularity,
}

pub(super) fn run(args: StatusArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Report(args) => report(session, args).await,
        Act::Introduce {
            case,
            partner,
            condition,
        } => introduce(session, case, partner, condition).await,
        Act::Redeem { code, client_ref } => redeem(session, code, client_ref).await,
        Act::Ask(args) => ask(session, args).await,
        Act::AskBatch { file } => ask_batch(session, document::items(&file)?).await,
    })
}

async fn report(session: &Session, args: ReportArgs) -> Result<Exit, Failure> {
    use v1::report_status_response::Outcome as Sent;

    let subject = args.subject.reference()?;
    let today = || SystemClock.now().in_the_netherlands().date().to_string();
    let response = session
        .write(async |idempotency_key| {
            let request = v1::ReportStatusRequest {
                idempotency_key,
                actor: session.actor(),
                subject: Some(subject),
                condition: args.condition.into(),
                status: args.status.into(),
                as_of: args.as_of.unwrap_or_else(today),
                expected: args.expected,
                moment: args.moment.into(),
                origin: args.origin.map(Into::into),
                offered_by_party_id: args.offered_by,
                correction: args.correction,
            };
            session.client.report_status(request).await
        })
        .await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Reported(reported)) => {
            session.keep(reported.receipt.as_ref())?;
            Some(Outcome::Told(
                "reported",
                view::Done::new("Reported.", reported.receipt),
            ))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}

async fn introduce(
    session: &Session,
    case_id: String,
    partner_party_id: String,
    condition: v1::Condition,
) -> Result<Exit, Failure> {
    use v1::introduce_response::Outcome as Sent;

    let response = session
        .write(async |idempotency_key| {
            let request = v1::IntroduceRequest {
                idempotency_key,
                actor: session.actor(),
                case_id,
                partner_party_id,
                condition: condition.into(),
            };
            session.client.introduce(request).await
        })
        .await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Introduction(introduction)) => {
            session.keep(introduction.receipt.as_ref())?;
            let introduction = view::Introduction::from(introduction);
            Some(Outcome::Told("introduction", introduction))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}

async fn redeem(session: &Session, code: String, client_ref: String) -> Result<Exit, Failure> {
    let code = crate::subject::typed(code)?;
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::RedeemRequest {
                idempotency_key,
                actor: session.actor(),
                code,
                client_ref,
            };
            session.client.redeem(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    let said = "Redeemed, if the code works: the answer is the same when it does not.";
    Ok(session.show(&view::Done::new(said, receipt)))
}

async fn ask(session: &Session, args: AskArgs) -> Result<Exit, Failure> {
    let item = v1::AskItem {
        subject: Some(args.subject.reference()?),
        purpose: args.purpose,
        purpose_version: args.purpose_version,
        conditions: code::numbers(&args.conditions),
        granularity: args.granularity.into(),
    };
    let request = v1::AskRequest {
        actor: session.actor(),
        item: Some(item),
    };
    let response = session.ask(session.client.ask(request)).await?;
    Ok(answer(session, response)?.show(session))
}

/// Exits with 3 only when nothing was told to any question.
async fn ask_batch(session: &Session, items: Vec<v1::AskItem>) -> Result<Exit, Failure> {
    let request = v1::AskBatchRequest {
        actor: session.actor(),
        items,
    };
    let response = session.ask(session.client.ask_batch(request)).await?;
    let answers = response.answers.into_iter().map(|one| answer(session, one));
    let answers: Vec<_> = answers.collect::<Result<_, _>>()?;
    let denied = answers
        .iter()
        .all(|one| matches!(one, Outcome::NotDisclosed(_)));
    session.show(&view::Answers { answers });
    Ok(if denied {
        Exit::NotDisclosed
    } else {
        Exit::Done
    })
}

fn answer(
    session: &Session,
    response: v1::AskResponse,
) -> Result<Outcome<view::Disclosed>, Failure> {
    use v1::ask_response::Outcome as Sent;
    Outcome::of(match response.outcome {
        Some(Sent::Disclosed(disclosed)) => {
            session.keep_disclosed(&disclosed)?;
            Some(Outcome::Told("disclosed", disclosed.try_into()?))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })
}
