//! A breach.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::time::Timestamp;

use super::{PurposeArgs, period, searches};
use crate::{
    exit::{Exit, Failure},
    instant,
    session::Session,
    view,
};

#[derive(Debug, clap::Args)]
pub(super) struct BreachArgs {
    #[command(flatten)]
    by: By,
    /// From this instant on, or from the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    from: Timestamp,
    /// Before this instant, or before the start of a day (UTC).
    #[arg(long, alias = "to", value_name = "INSTANT", value_parser = instant::parse_past)]
    until: Timestamp,
    /// When the breach was discovered: the 72 hours count from it.
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    discovered: Timestamp,
    #[command(flatten)]
    purpose: PurposeArgs,
    #[command(flatten)]
    second: searches::SecondArgs,
}

/// What was compromised.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct By {
    /// A certificate, by the SHA-256 of its DER form in hexadecimal.
    #[arg(long = "certificate-sha256", value_name = "SHA256", value_parser = sha256)]
    certificate: Option<Bytes>,
    /// A number: every party that held it in the period.
    #[arg(long, value_name = "OIN")]
    oin: Option<String>,
    /// A party: what it did, and what was done for others over its connection.
    #[arg(long, value_name = "PARTY")]
    party: Option<String>,
}

pub(super) async fn breach(session: &Session, args: BreachArgs) -> Result<Exit, Failure> {
    use v1::get_breach_request::By as Sent;

    let (propose, search_id) = args.second.taken();
    let by = [
        args.by.certificate.map(Sent::CertificateSha256),
        args.by.oin.map(Sent::Oin),
        args.by.party.map(Sent::PartyId),
    ];
    let mut request = v1::GetBreachRequest {
        actor: session.actor(),
        purpose: args.purpose.purpose,
        by: by.into_iter().flatten().next(),
        period: period(Some(args.from), Some(args.until)),
        discovered_at: Some(instant::sent(args.discovered)),
        page_token: None,
        search_id,
    };
    if propose {
        let question = v1::propose_search_request::Question::Breach(request);
        return searches::propose(session, question).await;
    }
    let mut whole = v1::GetBreachResponse::default();
    loop {
        let page = session
            .ask(session.client.get_breach(request.clone()))
            .await?;
        session.keep(page.receipt.as_ref())?;
        let (mut persons, next) = (whole.persons, page.next_page_token.clone());
        persons.extend(page.persons.iter().cloned());
        whole = v1::GetBreachResponse { persons, ..page };
        if next.is_none() {
            return Ok(session.show(&view::Breach::from(whole)));
        }
        request.page_token = next;
    }
}

fn sha256(text: &str) -> Result<Bytes, String> {
    let plain: String = text.chars().filter(|c| *c != ':').collect();
    let bytes = hex::decode(plain).ok().filter(|bytes| bytes.len() == 32);
    bytes
        .map(Bytes::from)
        .ok_or_else(|| "must be a SHA-256: 64 hexadecimal digits, with or without colons".into())
}
