//! `schakel inbox`.

use prost::bytes::Bytes;
use schakel_api::v1;

use crate::{
    exit::{Exit, Failure},
    session::{self, Session, SessionArgs},
    view,
};

/// What `inbox` does.
#[derive(Debug, clap::Args)]
pub(crate) struct InboxArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Take out what waits: first what you got before and have not acknowledged.
    Pull {
        /// Go on after this cursor.
        #[arg(long, value_name = "HEX", value_parser = cursor)]
        cursor: Option<Bytes>,
        /// At most this many messages.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        max: u32,
    },
    /// Take out what waits and what comes, until Ctrl-C; with --json one message a line.
    Watch {
        /// Go on after this cursor.
        #[arg(long, value_name = "HEX", value_parser = cursor)]
        cursor: Option<Bytes>,
    },
    /// Say that messages arrived; they are not handed over again.
    Acknowledge {
        /// The messages, by their id.
        #[arg(required = true, value_name = "DELIVERY")]
        deliveries: Vec<String>,
    },
}

pub(super) fn run(args: InboxArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Pull { cursor, max } => pull(session, cursor, max).await,
        Act::Watch { cursor } => watch(session, cursor).await,
        Act::Acknowledge { deliveries } => acknowledge(session, deliveries).await,
    })
}

async fn pull(session: &Session, cursor: Option<Bytes>, max: u32) -> Result<Exit, Failure> {
    let request = v1::PullRequest {
        actor: session.actor(),
        cursor,
        max_messages: max,
    };
    let response = session.ask(session.client.pull(request)).await?;
    response
        .messages
        .iter()
        .try_for_each(|message| keep(session, message))?;
    Ok(session.show(&view::Pulled::try_from(response)?))
}

async fn watch(session: &Session, cursor: Option<Bytes>) -> Result<Exit, Failure> {
    let actor = session.actor().unwrap_or_default();
    let mut subscription = session.client.subscribe(actor, cursor);
    loop {
        let message = tokio::select! {
            message = subscription.next() => message?,
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
        };
        keep(session, &message)?;
        session.show_next(&view::Message::try_from(message)?);
    }
}

async fn acknowledge(session: &Session, delivery_ids: Vec<String>) -> Result<Exit, Failure> {
    let response = session
        .write(async |idempotency_key| {
            let request = v1::AcknowledgeRequest {
                idempotency_key,
                actor: session.actor(),
                delivery_ids,
            };
            session.client.acknowledge(request).await
        })
        .await?;
    response
        .receipts
        .iter()
        .try_for_each(|receipt| session.keep(Some(receipt)))?;
    Ok(session.show(&view::Acknowledged::from(response)))
}

fn keep(session: &Session, message: &v1::Message) -> Result<(), Failure> {
    match &message.content {
        Some(v1::message::Content::Disclosed(disclosed)) => session.keep_disclosed(disclosed),
        Some(v1::message::Content::Notice(notice)) => session.keep(notice.receipt.as_ref()),
        None => Ok(()),
    }
}

fn cursor(text: &str) -> Result<Bytes, String> {
    hex::decode(text)
        .map(Bytes::from)
        .map_err(|_| "must be a cursor as it was shown".into())
}
