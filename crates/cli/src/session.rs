//! One conversation with the broker: a client, who acts, and what becomes of receipts.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::Arc,
};

use schakel_api::v1;
use schakel_client::{Client, ClientConfig, ClientError, Register};

use crate::{
    connection::ConnectionArgs,
    exit::{Exit, Failure, chain, sentence},
    output::{self, Output, View},
    receipt,
};

/// What every command that talks to a broker takes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Answers")]
pub(crate) struct SessionArgs {
    /// Print JSON for machines: fields as in proto/, bytes in hexadecimal, times in RFC 3339.
    #[arg(id = "session-json", long = "json", global = true)]
    json: bool,
    /// Keep the receipt in this file, as a C2SP tlog-proof, and what it proves beside it: FILE.leaf, and for
    /// a disclosure FILE.disclosure and FILE.salt. A second receipt goes to FILE.2, and so on.
    #[arg(
        id = "session-receipt",
        long = "receipt",
        global = true,
        hide_short_help = true,
        value_name = "FILE"
    )]
    receipt: Option<PathBuf>,
    /// Keep every receipt in this register too, for `schakel reconcile`: one file that only grows.
    #[arg(
        id = "session-receipts",
        long = "receipts",
        global = true,
        hide_short_help = true,
        value_name = "REGISTER"
    )]
    register: Option<PathBuf>,
    /// The key of a write that is repeated: a UUID. Without it, a new one.
    #[arg(
        id = "session-key",
        long = "idempotency-key",
        global = true,
        hide_short_help = true,
        value_name = "UUID"
    )]
    idempotency_key: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// A conversation.
pub(crate) struct Session {
    /// The client.
    pub(crate) client: Client,
    config: ClientConfig,
    actor: Option<v1::Actor>,
    output: Output,
    key: Option<String>,
    receipts: Option<PathBuf>,
    kept: Cell<usize>,
    /// Whether a receipt found no place.
    unkept: Cell<bool>,
}

impl SessionArgs {
    /// The register in which receipts are kept.
    pub(crate) fn register(&self) -> Option<&Path> {
        self.register.as_deref()
    }
}

/// Connects, and does what is to be done.
pub(crate) fn run<F>(args: SessionArgs, act: F) -> Result<Exit, Failure>
where
    F: AsyncFnOnce(&Session) -> Result<Exit, Failure>,
{
    let mut connection = args.connection.resolve()?;
    if let Some(path) = &args.receipt {
        receipt::check_place(path)?;
    }
    if let Some(path) = args.register {
        let opened = Register::open(path);
        let opened = opened.map_err(|error| Failure::usage(sentence(&chain(&error))))?;
        connection.config.register = Some(Arc::new(opened));
    }
    block_on(async {
        let config = named(connection.config).await?;
        let session = Session {
            client: Client::connect(config.clone()).await?,
            config,
            actor: connection.actor,
            output: Output::new(args.json),
            key: args.idempotency_key,
            receipts: args.receipt,
            kept: Cell::new(0),
            unkept: Cell::new(false),
        };
        let exit = act(&session).await?;
        // The answer was shown all the same.
        Ok(if session.unkept.get() {
            Exit::Failed
        } else {
            exit
        })
    })
}

/// The configuration with the party, which receipts are held to: of whoever did not say it, the one whose number the
/// certificate has.
async fn named(mut config: ClientConfig) -> Result<ClientConfig, Failure> {
    if config.identity.party.is_empty() {
        let as_itself = ClientConfig {
            principal: None,
            unit: None,
            ..config.clone()
        };
        let client = Client::connect(as_itself).await?;
        let own = client.get_my_certificate(v1::GetMyCertificateRequest {});
        config.identity.party = own.await?.party_id;
    }
    Ok(config)
}

/// Runs something that waits for the network.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("The program cannot be started: {error}."),
        )
    })?;
    runtime.block_on(work)
}

impl Session {
    /// Who acts, as it is sent: a call that needs it is refused when it is not said.
    pub(crate) fn actor(&self) -> Option<v1::Actor> {
        self.actor.clone()
    }

    /// Makes a write with its key. When it is not certain whether it was made, the failure says how to
    /// repeat it.
    pub(crate) async fn write<A>(
        &self,
        call: impl AsyncFnOnce(String) -> Result<A, ClientError>,
    ) -> Result<A, Failure> {
        let key = match &self.key {
            Some(key) => key.clone(),
            None => self.client.idempotency_key().map_err(ClientError::from)?,
        };
        call(key.clone()).await.map_err(|error| {
            self.show_fork(&error);
            let failure = Failure::from(error);
            if failure.is_uncertain() {
                failure.and(&format!(
                    "It may have been done: repeat the command with --idempotency-key {key} to be certain."
                ))
            } else {
                failure
            }
        })
    }

    /// Makes a call that writes nothing but its own entry.
    pub(crate) async fn ask<A>(
        &self,
        call: impl Future<Output = Result<A, ClientError>>,
    ) -> Result<A, Failure> {
        call.await.map_err(|error| {
            self.show_fork(&error);
            error.into()
        })
    }

    /// Shows an answer.
    pub(crate) fn show(&self, view: &impl View) -> Exit {
        self.output.show(view);
        Exit::Done
    }

    /// Shows one of many answers.
    pub(crate) fn show_next(&self, view: &impl View) {
        self.output.show_next(view);
    }

    /// Whom the client calls, and as whom.
    pub(crate) const fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Keeps a receipt when that is wanted. One that finds no place is told at once and makes the command fail, and keeps
    /// nobody from the answer: the call was made.
    pub(crate) fn keep(&self, receipt: Option<&v1::Receipt>) -> Result<(), Failure> {
        self.keep_with(receipt, None)
    }

    /// Keeps the receipt of a disclosure, and what was disclosed, when that is wanted.
    pub(crate) fn keep_disclosed(&self, disclosed: &v1::Disclosed) -> Result<(), Failure> {
        self.keep_with(disclosed.receipt.as_ref(), Some(disclosed))
    }

    fn keep_with(
        &self,
        receipt: Option<&v1::Receipt>,
        disclosed: Option<&v1::Disclosed>,
    ) -> Result<(), Failure> {
        let (Some(path), Some(receipt)) = (&self.receipts, receipt) else {
            return Ok(());
        };
        let number = self.kept.get() + 1;
        self.kept.set(number);
        let path = match number {
            1 => path.clone(),
            _ => receipt::beside(path, &number.to_string()),
        };
        let proof = schakel_client::proof(receipt)?;
        if let Err(failure) = receipt::keep(&path, &proof.to_string(), receipt, disclosed) {
            output::complain(&failure.message);
            self.unkept.set(true);
        }
        Ok(())
    }

    /// The two notes of a fork are evidence, so they are shown as they are.
    fn show_fork(&self, error: &ClientError) {
        let found = matches!(error, ClientError::Head(_) | ClientError::Receipt(_));
        if let Some(fork) = self.client.trail().fork().filter(|_| found) {
            output::complain(&format!("{}\n{}", fork.first.note, fork.second.note));
        }
    }
}
