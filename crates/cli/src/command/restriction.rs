//! `schakel restriction`.

use schakel_api::v1;

use crate::{
    code,
    exit::{Exit, Failure},
    session::{self, Session, SessionArgs},
    subject::SubjectArgs,
    view::{self, Outcome},
};

/// What `restriction` does.
#[derive(Debug, clap::Args)]
pub(crate) struct RestrictionArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Record that the person restricts (AVG 18) or objects to (AVG 21) processing.
    Record {
        #[command(flatten)]
        subject: SubjectArgs,
        /// What the person asks for.
        #[arg(long, value_parser = code::parser::<v1::RestrictionKind>())]
        kind: v1::RestrictionKind,
        /// The controller it is directed at [default: every one].
        #[arg(long, value_name = "PARTY")]
        controller: Option<String>,
        /// A condition it covers; may be repeated [default: all].
        #[arg(long = "condition", value_name = "CONDITION", value_parser = code::parser::<v1::Condition>())]
        conditions: Vec<v1::Condition>,
    },
    /// End a restriction or objection: whole when you recorded it, for your controller alone as its officer.
    Lift {
        /// The restriction.
        restriction: String,
        #[command(flatten)]
        subject: SubjectArgs,
    },
}

pub(super) fn run(args: RestrictionArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Record {
            subject,
            kind,
            controller,
            conditions,
        } => {
            let request = v1::RecordRestrictionRequest {
                idempotency_key: String::new(),
                actor: session.actor(),
                subject: Some(subject.reference()?),
                kind: kind.into(),
                controller_party_id: controller,
                conditions: code::numbers(&conditions),
            };
            record(session, request).await
        }
        Act::Lift {
            restriction,
            subject,
        } => lift(session, restriction, subject).await,
    })
}

async fn record(session: &Session, request: v1::RecordRestrictionRequest) -> Result<Exit, Failure> {
    let response = session
        .write(async |idempotency_key| {
            let request = v1::RecordRestrictionRequest {
                idempotency_key,
                ..request
            };
            session.client.record_restriction(request).await
        })
        .await?;
    session.keep(response.receipt.as_ref())?;
    let said = format!(
        "Recorded as {}: what it covers is not told from now on.",
        response.restriction_id
    );
    let id = ("restriction_id", response.restriction_id);
    Ok(session.show(&view::Confirmed::new(said, id, response.receipt)))
}

async fn lift(
    session: &Session,
    restriction_id: String,
    subject: SubjectArgs,
) -> Result<Exit, Failure> {
    use v1::lift_restriction_response::Outcome as Sent;

    let subject = subject.reference()?;
    let response = session
        .write(async |idempotency_key| {
            let request = v1::LiftRestrictionRequest {
                idempotency_key,
                actor: session.actor(),
                subject: Some(subject),
                restriction_id,
            };
            session.client.lift_restriction(request).await
        })
        .await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Lifted(lifted)) => {
            session.keep(lifted.receipt.as_ref())?;
            Some(Outcome::Told(
                "lifted",
                view::Done::new("Lifted, if it is there and yours to lift.", lifted.receipt),
            ))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}
