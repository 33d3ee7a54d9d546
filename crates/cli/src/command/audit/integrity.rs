//! How the trail stands, and who verified it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use schakel_api::v1;
use schakel_client::{ClientError, Head, HeadError};

use crate::{
    connection,
    exit::{Exit, Failure},
    session::Session,
    view::{self, Done},
};

#[derive(Debug, clap::Args)]
pub(super) struct VerifiedArgs {
    /// The checkpoint up to which you verified, such as `schakel verify log` was given.
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// Not everything was as it should be.
    #[arg(long)]
    unsound: bool,
}

pub(super) async fn integrity(session: &Session) -> Result<Exit, Failure> {
    let request = v1::GetIntegrityRequest {
        actor: session.actor(),
    };
    let response = session.ask(session.client.get_integrity(request)).await?;
    session.keep(response.receipt.as_ref())?;
    Ok(session.show(&view::Integrity::from(response)))
}

pub(super) async fn verified(session: &Session, args: &VerifiedArgs) -> Result<Exit, Failure> {
    let note = connection::read(&args.checkpoint)?;
    let head = admitted(session, &args.checkpoint, &note)?;
    let request = v1::RecordVerificationRequest {
        idempotency_key: String::new(),
        actor: session.actor(),
        size: head.checkpoint.size,
        root: head.checkpoint.root.as_bytes().to_vec().into(),
        sound: !args.unsound,
    };
    let response = session
        .write(async |idempotency_key| {
            let request = v1::RecordVerificationRequest {
                idempotency_key,
                ..request
            };
            session.client.record_verification(request).await
        })
        .await?;
    session.keep(response.receipt.as_ref())?;
    let said = if response.matches {
        "Recorded. The broker's log has this root at this size."
    } else {
        "Recorded. The broker's log has ANOTHER root at this size: keep the checkpoint, it is evidence."
    };
    Ok(session.show(&Done::new(said, response.receipt)))
}

/// The head that a note of this log signs.
pub(super) fn admitted(session: &Session, path: &Path, note: &str) -> Result<Arc<Head>, Failure> {
    session.client.trail().admit(note).map_err(|error| {
        if matches!(error, HeadError::Fork(_)) {
            return ClientError::from(error).into();
        }
        let path = path.display();
        Failure::usage(format!(
            "`{path}` is not a checkpoint of this log: {error}."
        ))
    })
}
