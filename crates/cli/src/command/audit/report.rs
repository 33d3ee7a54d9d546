//! The standing questions of a privacy officer.

use schakel_api::v1;
use schakel_core::time::Timestamp;

use super::{PurposeArgs, period, searches};
use crate::{
    code,
    exit::{Exit, Failure},
    instant,
    session::Session,
    subject::MaybeSubjectArgs,
    view,
};

#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// Which question. CHECK: is there a disclosure without a basis that held? DENIALS: who is told nothing, and
    /// why? WITHDRAWALS: was anything disclosed after one? RECIPIENTS: who got what, on consent or not?
    /// PURPOSES: what is used, beside what is registered? CONSENTS: which need attention, what share is
    /// refused? READERS: who read the trail? NOTICES: who must be told about a person, and who was?
    #[arg(value_parser = code::parser::<v1::Report>())]
    report: v1::Report,
    #[command(flatten)]
    subject: MaybeSubjectArgs,
    /// Only what this party did.
    #[arg(long, value_name = "PARTY")]
    party: Option<String>,
    /// Only about this condition.
    #[arg(long, value_parser = code::parser::<v1::Condition>())]
    condition: Option<v1::Condition>,
    /// Only from this instant on, or from the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    from: Option<Timestamp>,
    /// Only before this instant, or before the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    until: Option<Timestamp>,
    #[command(flatten)]
    purpose: PurposeArgs,
    #[command(flatten)]
    second: searches::SecondArgs,
}

pub(super) async fn report(session: &Session, args: ReportArgs) -> Result<Exit, Failure> {
    let (propose, search_id) = args.second.taken();
    let mut request = v1::GetReportRequest {
        actor: session.actor(),
        purpose: args.purpose.purpose,
        report: args.report.into(),
        period: period(args.from, args.until),
        subject: args.subject.reference()?,
        party_id: args.party,
        condition: args.condition.map(Into::into),
        page_token: None,
        search_id,
    };
    if propose {
        let question = v1::propose_search_request::Question::Report(request);
        return searches::propose(session, question).await;
    }
    let mut whole = view::Report::new(args.report);
    loop {
        let page = session
            .ask(session.client.get_report(request.clone()))
            .await?;
        session.keep(page.receipt.as_ref())?;
        request.page_token.clone_from(&page.next_page_token);
        whole.add(page);
        if request.page_token.is_none() {
            let exit = session.show(&whole);
            return Ok(if whole.finds_fault() {
                Exit::Failed
            } else {
                exit
            });
        }
    }
}
