//! Audited disclosures: the calls that are measured.

use anyhow::{Context as _, Result, bail};
use prost::Message as _;
use schakel_api::v1::{self, exchange_service_client::ExchangeServiceClient};
use schakel_client::Client;
use tonic::transport::Channel;

use super::{
    call::{Call, connection, pick},
    people,
};

/// The purpose for which is asked.
pub(super) const PURPOSE: &str = "P-ARRANGE-HOUSING";
/// The condition asked about.
pub(super) const CONDITION: v1::Condition = v1::Condition::Housing;

/// Asks about one person after the other; each answer must be a disclosure.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    by: By,
    requests: Vec<v1::AskRequest>,
}

#[derive(Clone, Debug)]
enum By {
    /// As partners do: what the answer claims is verified.
    Client(Client),
    /// What the answer claims is not looked at.
    Channels(Vec<ExchangeServiceClient<Channel>>),
}

impl Asking {
    /// Asks and verifies every receipt.
    pub(super) fn verifying(client: Client, marks: &[String]) -> Self {
        Self {
            by: By::Client(client),
            requests: marks.iter().map(|mark| request(mark)).collect(),
        }
    }

    /// Asks and takes answers as they come.
    pub(super) fn believing(channels: &[Channel], marks: &[String]) -> Self {
        let clients = channels
            .iter()
            .cloned()
            .map(ExchangeServiceClient::new)
            .collect();
        Self {
            by: By::Channels(clients),
            requests: marks.iter().map(|mark| request(mark)).collect(),
        }
    }

    /// The encoded sizes of a question and of its answer with the receipt, as they are now.
    pub(super) async fn sizes(&self) -> Result<(usize, usize)> {
        let request = self
            .requests
            .first()
            .context("there is nobody to ask about")?;
        let answer = self.ask(0, request).await?;
        Ok((request.encoded_len(), answer.encoded_len()))
    }

    async fn ask(&self, worker: usize, request: &v1::AskRequest) -> Result<v1::AskResponse> {
        let answer = match &self.by {
            By::Client(client) => client.ask(request.clone()).await?,
            By::Channels(clients) => {
                let mut client = connection(clients, worker)
                    .context("there is no connection")?
                    .clone();
                client.ask(request.clone()).await?.into_inner()
            }
        };
        match answer.outcome {
            Some(v1::ask_response::Outcome::Disclosed(_)) => Ok(answer),
            _ => bail!("a disclosure was denied"),
        }
    }
}

impl Call for Asking {
    async fn call(&self, worker: usize, turn: usize) -> Result<()> {
        let request = pick(&self.requests, worker, turn).context("there is nobody to ask about")?;
        self.ask(worker, request).await?;
        Ok(())
    }
}

/// Asks about the person known by a mark.
pub(super) fn request(mark: &str) -> v1::AskRequest {
    v1::AskRequest {
        actor: people::actor(),
        item: Some(v1::AskItem {
            subject: Some(people::subject(v1::subject_ref::Reference::ClientRef(
                mark.to_owned(),
            ))),
            purpose: PURPOSE.to_owned(),
            purpose_version: None,
            conditions: vec![CONDITION.into()],
            granularity: v1::Granularity::Signal.into(),
        }),
    }
}
