//! `schakel retention` and `schakel keyring`.

use schakel_api::v1;

use crate::{
    exit::{Exit, Failure},
    session::{self, Session, SessionArgs},
    view,
};

/// What `retention` does.
#[derive(Debug, clap::Args)]
pub(crate) struct RetentionArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show how long details of each class are kept, and what stands in the way of destroying them.
    Show,
    /// Show what will be destroyed when.
    Due,
    /// Show what should have been destroyed by now, and what was, by rule. Ends with 1 when something was not, or when
    /// the old key-encryption key opens what was erased for more than a day.
    Check,
    /// Say that the clock is right by which the broker was down for more than a day.
    ///
    /// Until then nothing is destroyed because its time is over. Look at the clock first.
    AcknowledgeClock,
}

/// What `keyring` does.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyringArgs {
    #[command(subcommand)]
    act: KeyringAct,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum KeyringAct {
    /// Write the keyring again under a new key-encryption key, and destroy the old one.
    ///
    /// The broker does so by itself after every erasure. Backups of the keyring from before open with the old
    /// key only: make a new one.
    RotateKek,
}

pub(super) fn run(args: RetentionArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Show | Act::Due => {
            let request = v1::GetRetentionRequest {};
            let shown = session.ask(session.client.get_retention(request)).await?;
            let shown = view::Retention::from(shown);
            Ok(match args.act {
                Act::Due => session.show(&shown.due()),
                _ => session.show(&shown),
            })
        }
        Act::Check => check(session).await,
        Act::AcknowledgeClock => {
            let receipt = session
                .write(async |idempotency_key| {
                    let request = v1::AcknowledgeClockRequest { idempotency_key };
                    session.client.acknowledge_clock(request).await
                })
                .await?
                .receipt;
            session.keep(receipt.as_ref())?;
            let said = "Recorded: what waited for it, if anything did, is destroyed.";
            Ok(session.show(&view::Done::new(said, receipt)))
        }
    })
}

async fn check(session: &Session) -> Result<Exit, Failure> {
    let request = v1::GetRetentionRequest {};
    let kept = session.ask(session.client.get_retention(request)).await?;
    let mut erased = Vec::new();
    let mut before = None;
    loop {
        let request = v1::ListErasuresRequest { before };
        let page = session.ask(session.client.list_erasures(request)).await?;
        let Some(last) = page.done.last() else { break };
        before = Some(last.index);
        erased.extend(page.done);
    }
    let check = view::RetentionCheck::new(kept, erased);
    let shown = session.show(&check);
    Ok(if check.is_done() { shown } else { Exit::Failed })
}

pub(super) fn run_keyring(args: KeyringArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        KeyringAct::RotateKek => {
            let receipt = session
                .write(async |idempotency_key| {
                    let request = v1::RotateKekRequest { idempotency_key };
                    session.client.rotate_kek(request).await
                })
                .await?
                .receipt;
            session.keep(receipt.as_ref())?;
            let said =
                "The keyring stands under a new key-encryption key; the old one is destroyed.";
            Ok(session.show(&view::Done::new(said, receipt)))
        }
    })
}
