//! `schakel case`.

use schakel_api::v1;
use schakel_core::time::Timestamp;

use crate::{
    code,
    exit::{Exit, Failure},
    instant,
    session::{self, Session, SessionArgs},
    subject::{self, SubjectArgs},
    view::{self, Outcome},
};

/// What `case` does.
#[derive(Debug, clap::Args)]
pub(crate) struct CaseArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Open a case for a person. For a PI.
    Open(OpenArgs),
    /// Name the municipality of return from now on; the one before loses its place at once.
    AssignMunicipality {
        /// The case.
        case: String,
        /// The municipality.
        party: String,
    },
    /// Give a party a place in a case.
    AddMember {
        /// The case.
        case: String,
        /// The party.
        party: String,
        /// When its place ends: an instant, or a day for its start.
        #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
        until: Option<Timestamp>,
    },
    /// Take a party's place in a case away from now on.
    RemoveMember {
        /// The case.
        case: String,
        /// The party.
        party: String,
    },
    /// Close a case.
    Close {
        /// The case.
        case: String,
        /// Why it is closed.
        #[arg(long, value_parser = code::parser::<v1::ClosingReason>())]
        reason: v1::ClosingReason,
    },
    /// Show a case in which you have a place.
    Show(SubjectArgs),
    /// Show what you may ask about a person now, for which purposes, on which basis and until when.
    Rights(SubjectArgs),
}

#[derive(Debug, clap::Args)]
struct OpenArgs {
    #[command(flatten)]
    person: PersonArgs,
    /// The municipality of return, when it is known already.
    #[arg(long, value_name = "PARTY")]
    municipality: Option<String>,
}

/// By what the person is known from now on.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct PersonArgs {
    /// The person's criminal justice number; `-` reads it from standard input.
    #[arg(long, value_name = "NUMBER")]
    skn: Option<String>,
    /// The person's citizen service number; `-` reads it from standard input.
    #[arg(long, value_name = "NUMBER")]
    bsn: Option<String>,
}

pub(super) fn run(args: CaseArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Open(args) => open(session, args).await,
        Act::AssignMunicipality { case, party } => assign(session, case, party).await,
        Act::AddMember { case, party, until } => add(session, case, party, until).await,
        Act::RemoveMember { case, party } => remove(session, case, party).await,
        Act::Close { case, reason } => close(session, case, reason).await,
        Act::Show(args) => show(session, args).await,
        Act::Rights(args) => rights(session, args).await,
    })
}

async fn open(session: &Session, args: OpenArgs) -> Result<Exit, Failure> {
    use v1::open_case_response::Outcome as Sent;

    let PersonArgs { skn, bsn } = args.person;
    let skn = skn.map(subject::typed).transpose()?;
    let bsn = bsn.map(subject::typed).transpose()?;
    let response = session
        .write(async |idempotency_key| {
            let request = v1::OpenCaseRequest {
                idempotency_key,
                actor: session.actor(),
                skn,
                bsn,
                municipality_party_id: args.municipality,
            };
            session.client.open_case(request).await
        })
        .await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Opened(opened)) => {
            session.keep(opened.receipt.as_ref())?;
            let said = format!("Opened case {}.", opened.case_id);
            let opened = view::Confirmed::new(said, ("case_id", opened.case_id), opened.receipt);
            Some(Outcome::Told("opened", opened))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}

/// What the changes of a case answer, which all do alike.
macro_rules! changed {
    ($session:ident, $response:expr, $outcome:ident, $said:expr) => {{
        use v1::$outcome::Outcome as Sent;
        let outcome = Outcome::of(match $response.outcome {
            Some(Sent::Changed(changed)) => {
                $session.keep(changed.receipt.as_ref())?;
                Some(Outcome::Told(
                    "changed",
                    view::Done::new($said, changed.receipt),
                ))
            }
            Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
            None => None,
        })?;
        Ok(outcome.show($session))
    }};
}

async fn assign(session: &Session, case_id: String, party: String) -> Result<Exit, Failure> {
    let said = format!("{party} is the municipality of return from now on.");
    let response = session
        .write(async |idempotency_key| {
            let request = v1::AssignMunicipalityRequest {
                idempotency_key,
                actor: session.actor(),
                case_id,
                municipality_party_id: party,
            };
            session.client.assign_municipality(request).await
        })
        .await?;
    changed!(session, response, assign_municipality_response, said)
}

async fn add(
    session: &Session,
    case_id: String,
    party_id: String,
    until: Option<Timestamp>,
) -> Result<Exit, Failure> {
    let said = format!("{party_id} has a place in the case.");
    let response = session
        .write(async |idempotency_key| {
            let request = v1::AddMemberRequest {
                idempotency_key,
                actor: session.actor(),
                case_id,
                party_id,
                until: until.map(instant::sent),
            };
            session.client.add_member(request).await
        })
        .await?;
    changed!(session, response, add_member_response, said)
}

async fn remove(session: &Session, case_id: String, party_id: String) -> Result<Exit, Failure> {
    let said = format!("{party_id} has no place in the case any more.");
    let response = session
        .write(async |idempotency_key| {
            let request = v1::RemoveMemberRequest {
                idempotency_key,
                actor: session.actor(),
                case_id,
                party_id,
            };
            session.client.remove_member(request).await
        })
        .await?;
    changed!(session, response, remove_member_response, said)
}

async fn close(
    session: &Session,
    case_id: String,
    reason: v1::ClosingReason,
) -> Result<Exit, Failure> {
    let response = session
        .write(async |idempotency_key| {
            let request = v1::CloseCaseRequest {
                idempotency_key,
                actor: session.actor(),
                case_id,
                reason: reason.into(),
            };
            session.client.close_case(request).await
        })
        .await?;
    changed!(
        session,
        response,
        close_case_response,
        "The case is closed."
    )
}

async fn show(session: &Session, args: SubjectArgs) -> Result<Exit, Failure> {
    use v1::get_case_response::Outcome as Sent;

    let request = v1::GetCaseRequest {
        actor: session.actor(),
        subject: Some(args.reference()?),
    };
    let response = session.ask(session.client.get_case(request)).await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Case(case)) => {
            session.keep(case.receipt.as_ref())?;
            Some(Outcome::Told("case", view::Case::from(case)))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}

async fn rights(session: &Session, args: SubjectArgs) -> Result<Exit, Failure> {
    use v1::get_my_rights_response::Outcome as Sent;

    let request = v1::GetMyRightsRequest {
        actor: session.actor(),
        subject: Some(args.reference()?),
    };
    let response = session.ask(session.client.get_my_rights(request)).await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Rights(rights)) => {
            session.keep(rights.receipt.as_ref())?;
            Some(Outcome::Told("rights", view::Rights::from(rights)))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}
