//! What parties may receive beside what they received.

use schakel_api::v1;
use schakel_core::time::Timestamp;

use super::{PurposeArgs, period};
use crate::{
    exit::{Exit, Failure},
    instant,
    session::Session,
    view,
};

#[derive(Debug, clap::Args)]
pub(super) struct UsageArgs {
    /// A party; may be repeated. Without one: the controller of a privacy officer.
    #[arg(long = "party", value_name = "PARTY", conflicts_with = "all")]
    parties: Vec<String>,
    /// Every party that takes part in the exchange. For an administrator.
    #[arg(long)]
    all: bool,
    /// From this instant on, or from the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    from: Timestamp,
    /// Before this instant, or before the start of a day (UTC) [default: until now].
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    until: Option<Timestamp>,
    #[command(flatten)]
    purpose: PurposeArgs,
}

pub(super) async fn usage(session: &Session, args: UsageArgs) -> Result<Exit, Failure> {
    let parties: Vec<Option<String>> = if args.all {
        partners(session).await?.into_iter().map(Some).collect()
    } else if args.parties.is_empty() {
        vec![None]
    } else {
        args.parties.into_iter().map(Some).collect()
    };
    let mut whole = view::Usages::default();
    for party_id in parties {
        let mut request = v1::GetUsageRequest {
            actor: session.actor(),
            purpose: args.purpose.purpose.clone(),
            period: period(Some(args.from), args.until),
            party_id,
            page_token: None,
        };
        loop {
            let page = session
                .ask(session.client.get_usage(request.clone()))
                .await?;
            session.keep(page.receipt.as_ref())?;
            request.page_token.clone_from(&page.next_page_token);
            whole.add(page);
            if request.page_token.is_none() {
                break;
            }
        }
    }
    Ok(session.show(&whole))
}

/// The parties that take part in the exchange, by id.
async fn partners(session: &Session) -> Result<Vec<String>, Failure> {
    use v1::Role::{Administrator, Auditor, Broker, PrivacyOfficer, Unspecified};
    let request = v1::ListPartiesRequest::default();
    let listed = session.ask(session.client.list_parties(request)).await?;
    let overseers = [Administrator, Auditor, Broker, PrivacyOfficer, Unspecified];
    let mut parties = listed.parties;
    parties.retain(|party| party.roles().any(|role| !overseers.contains(&role)));
    Ok(parties.into_iter().map(|party| party.party_id).collect())
}
