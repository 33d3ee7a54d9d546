//! One entry: why it was decided so, and whether it is decided so again.

use prost::bytes::Bytes;
use schakel_api::v1;

use super::{PurposeArgs, sixteen_bytes};
use crate::{
    exit::{Exit, Failure},
    session::Session,
    view::{self, Outcome},
};

/// An entry by its number, or by what whoever was denied something quotes.
#[derive(Debug, clap::Args)]
pub(super) struct NamedArgs {
    /// The number of the entry; or say --reference.
    #[arg(required_unless_present = "reference", conflicts_with = "reference")]
    entry: Option<u64>,
    /// The reference that a partner who was told nothing quotes, in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = sixteen_bytes)]
    reference: Option<Bytes>,
    #[command(flatten)]
    purpose: PurposeArgs,
}

pub(super) async fn explain(session: &Session, args: NamedArgs) -> Result<Exit, Failure> {
    use v1::explain_entry_response::Outcome as Sent;

    let request = v1::ExplainEntryRequest {
        actor: session.actor(),
        index: args.entry.unwrap_or_default(),
        reference: args.reference,
        purpose: args.purpose.purpose,
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

pub(super) async fn replay(session: &Session, args: NamedArgs) -> Result<Exit, Failure> {
    use v1::replay_entry_response::Outcome as Sent;

    let request = v1::ReplayEntryRequest {
        actor: session.actor(),
        index: args.entry.unwrap_or_default(),
        reference: args.reference,
        purpose: args.purpose.purpose,
    };
    let response = session.ask(session.client.replay_entry(request)).await?;
    let (outcome, differs) = match response.outcome {
        Some(Sent::Replayed(replayed)) => {
            session.keep(replayed.receipt.as_ref())?;
            let differs = replayed.result() == v1::ReplayResult::Different;
            let view = view::Replayed::from(replayed);
            (Some(Outcome::Told("replayed", view)), differs)
        }
        Some(Sent::NotDisclosed(denial)) => (Some(Outcome::denied(&denial)), false),
        None => (None, false),
    };
    let exit = Outcome::of(outcome)?.show(session);
    Ok(if differs { Exit::Failed } else { exit })
}
