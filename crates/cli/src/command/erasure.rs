//! `schakel erasure`.

use schakel_api::v1;

use crate::{
    code,
    exit::{Exit, Failure},
    session::{self, Session, SessionArgs},
    subject::{MaybeSubjectArgs, SubjectArgs},
    view::{self, Outcome},
};

/// What `erasure` does.
#[derive(Debug, clap::Args)]
pub(crate) struct ErasureArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Propose to erase a person for your controller.
    ///
    /// Nothing is erased until a second actor, with another certificate, approves it. While the law has the
    /// controller keep something, the answer names the duty and when it ends.
    Propose {
        #[command(flatten)]
        subject: SubjectArgs,
        /// Why. What is unlawful or was logged wrongly does not wait for a duty to keep.
        #[arg(long, value_parser = code::parser::<v1::ErasureGround>())]
        ground: v1::ErasureGround,
    },
    /// Erase what another actor proposed to. It cannot be undone.
    ///
    /// Name the person as well, so that both mean the same; an administrator, who must not know, does not.
    Approve {
        /// The proposal.
        id: String,
        #[command(flatten)]
        subject: MaybeSubjectArgs,
    },
    /// Drop a proposed erasure.
    Reject {
        /// The proposal.
        id: String,
    },
    /// Show what waits and what was erased; no person is named.
    List {
        /// Only erasures before this entry.
        #[arg(long, value_name = "INDEX")]
        before: Option<u64>,
    },
}

pub(super) fn run(args: ErasureArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Propose { subject, ground } => propose(session, subject, ground).await,
        Act::Approve { id, subject } => approve(session, id, subject).await,
        Act::Reject { id } => reject(session, id).await,
        Act::List { before } => {
            let request = v1::ListErasuresRequest { before };
            let shown = session.ask(session.client.list_erasures(request)).await?;
            Ok(session.show(&view::Erasures::from(shown)))
        }
    })
}

async fn propose(
    session: &Session,
    subject: SubjectArgs,
    ground: v1::ErasureGround,
) -> Result<Exit, Failure> {
    use v1::propose_erasure_response::Outcome as Sent;

    let subject = subject.reference()?;
    let response = session
        .write(async |idempotency_key| {
            let request = v1::ProposeErasureRequest {
                idempotency_key,
                actor: session.actor(),
                subject: Some(subject),
                ground: ground.into(),
            };
            session.client.propose_erasure(request).await
        })
        .await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Proposed(proposed)) => {
            session.keep(proposed.receipt.as_ref())?;
            Some(Outcome::Told("proposed", view::Erasing::from(proposed)))
        }
        Some(Sent::Retained(retained)) => Some(kept(session, retained)?),
        None => None,
    })?;
    Ok(ends(session, &outcome))
}

async fn approve(
    session: &Session,
    proposal_id: String,
    subject: MaybeSubjectArgs,
) -> Result<Exit, Failure> {
    use v1::approve_erasure_response::Outcome as Sent;

    let subject = subject.reference()?;
    let response = session
        .write(async |idempotency_key| {
            let request = v1::ApproveErasureRequest {
                idempotency_key,
                actor: session.actor(),
                proposal_id,
                subject,
            };
            session.client.approve_erasure(request).await
        })
        .await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Erased(erased)) => {
            session.keep(erased.receipt.as_ref())?;
            Some(Outcome::Told("erased", view::Erasing::from(erased)))
        }
        Some(Sent::Retained(retained)) => Some(kept(session, retained)?),
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(ends(session, &outcome))
}

async fn reject(session: &Session, proposal_id: String) -> Result<Exit, Failure> {
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::RejectErasureRequest {
                idempotency_key,
                actor: session.actor(),
                proposal_id,
            };
            session.client.reject_erasure(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    Ok(session.show(&view::Done::new("Rejected; nothing was erased.", receipt)))
}

fn kept(session: &Session, retained: v1::Retained) -> Result<Outcome<view::Erasing>, Failure> {
    session.keep(retained.receipt.as_ref())?;
    Ok(Outcome::Told("retained", view::Erasing::from(retained)))
}

/// Shows what came of it. What the law has kept was not done.
fn ends(session: &Session, outcome: &Outcome<view::Erasing>) -> Exit {
    let exit = outcome.show(session);
    match outcome {
        Outcome::Told(_, view::Erasing::Retained { .. }) => Exit::Failed,
        _ => exit,
    }
}
