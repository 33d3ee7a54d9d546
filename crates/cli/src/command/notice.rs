//! `schakel notice`.

use schakel_api::v1;

use crate::{
    exit::{Exit, Failure},
    session::{self, Session, SessionArgs},
    subject::SubjectArgs,
    view::{self, Outcome},
};

/// What `notice` does.
#[derive(Debug, clap::Args)]
pub(crate) struct NoticeArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show the notices that one write of yours caused: who must acknowledge, by when, and who has.
    Show {
        /// The number of the entry in the receipt of the write.
        entry: u64,
        #[command(flatten)]
        subject: SubjectArgs,
    },
}

pub(super) fn run(args: NoticeArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| {
        let Act::Show { entry, subject } = args.act;
        show(session, entry, subject).await
    })
}

async fn show(session: &Session, entry: u64, subject: SubjectArgs) -> Result<Exit, Failure> {
    use v1::get_notice_response::Outcome as Sent;

    let request = v1::GetNoticeRequest {
        actor: session.actor(),
        subject: Some(subject.reference()?),
        entry_index: entry,
    };
    let response = session.ask(session.client.get_notice(request)).await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Notices(notices)) => {
            session.keep(notices.receipt.as_ref())?;
            Some(Outcome::Told("notices", view::Notices::from(notices)))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}
