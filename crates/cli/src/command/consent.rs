//! `schakel consent`.

use std::path::PathBuf;

use schakel_api::v1;

use crate::{
    code::{self, Code as _},
    document::{self, Attestations, Consent, Notice},
    exit::{Exit, Failure},
    session::{self, Session, SessionArgs},
    subject::SubjectArgs,
    view::{self, Outcome},
};

/// What `consent` does.
#[derive(Debug, clap::Args)]
pub(crate) struct ConsentArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Record a consent, or that one was asked for, deferred or refused.
    ///
    /// Its terms come from a TOML file with the field names of `ConsentTerms` in proto/, or from options.
    Record(Box<RecordArgs>),
    /// Withdraw consents from this moment on. Never refused.
    Withdraw {
        #[command(flatten)]
        subject: SubjectArgs,
        /// Only for this condition; may be repeated.
        #[arg(long = "condition", value_name = "CONDITION", value_parser = code::parser::<v1::Condition>())]
        conditions: Vec<v1::Condition>,
        /// Only towards this recipient.
        #[arg(long, value_name = "PARTY")]
        recipient: Option<String>,
    },
    /// Show one consent with its history.
    Show {
        /// The consent.
        consent: String,
        #[command(flatten)]
        subject: SubjectArgs,
    },
    /// Show the consents of a person that concern you.
    List(SubjectArgs),
}

#[derive(Debug, clap::Args)]
struct RecordArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// The terms; `-` is standard input.
    #[arg(conflicts_with_all = ["conditions", "purposes", "providers", "recipients"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    terms: TermsArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Terms")]
struct TermsArgs {
    /// How it stands [default: GIVEN].
    #[arg(long, value_parser = code::parser_of(&RECORDABLE))]
    state: Option<v1::ConsentState>,
    #[arg(
        long,
        help = "What kind of yes [default: PROCESSING_BASIS]",
        value_parser = code::parser::<v1::ConsentKind>()
    )]
    kind: Option<v1::ConsentKind>,
    /// It was explicit.
    #[arg(long)]
    explicit: bool,
    /// A condition; may be repeated.
    #[arg(long = "condition", value_name = "CONDITION", value_parser = code::parser::<v1::Condition>(), required_unless_present = "file")]
    conditions: Vec<v1::Condition>,
    /// A purpose; may be repeated.
    #[arg(
        long = "purpose",
        value_name = "CODE",
        required_unless_present = "file"
    )]
    purposes: Vec<String>,
    /// Who may provide; may be repeated.
    #[arg(
        long = "provider",
        value_name = "PARTY",
        required_unless_present = "file"
    )]
    providers: Vec<String>,
    /// Who may receive; may be repeated.
    #[arg(
        long = "recipient",
        value_name = "PARTY",
        required_unless_present = "file"
    )]
    recipients: Vec<String>,
    /// The most that may be told [default: SIGNAL].
    #[arg(long, value_parser = code::parser::<v1::Granularity>())]
    granularity: Option<v1::Granularity>,
    /// From when it holds [default: when it was collected].
    #[arg(long, value_name = "INSTANT")]
    valid_from: Option<String>,
    /// Its hard end, at most two years later.
    #[arg(long, value_name = "INSTANT", required_unless_present = "file")]
    valid_until: Option<String>,
    /// The version of the notice the person was shown.
    #[arg(long, value_name = "VERSION", required_unless_present = "file")]
    notice_version: Option<String>,
    /// Its language.
    #[arg(long, value_name = "TAG", default_value = "nl")]
    notice_language: String,
    /// The SHA-256 of its exact text, in hexadecimal.
    #[arg(long, value_name = "HEX", required_unless_present = "file")]
    notice_sha256: Option<String>,
    /// How it was collected.
    #[arg(long, value_parser = code::parser::<v1::CollectionMethod>(), required_unless_present = "file")]
    method: Option<v1::CollectionMethod>,
    /// When the person spoke.
    #[arg(long, value_name = "INSTANT", required_unless_present = "file")]
    collected_at: Option<String>,
    /// A representative spoke: the SHA-256 of the mandate, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    representative_mandate_sha256: Option<String>,
    /// An interpreter helped.
    #[arg(long)]
    interpreter: bool,
    #[command(flatten)]
    attestations: AttestationArgs,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "four attestations, each a yes or a no"
)]
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What you attest")]
struct AttestationArgs {
    /// The exchange is in the person's own interest.
    #[arg(long)]
    own_interest: bool,
    /// It was asked in answer to a concrete question for help.
    #[arg(long)]
    help_question: bool,
    /// It was explained that refusing does no harm.
    #[arg(long)]
    refusal_without_detriment: bool,
    /// Another way, without the exchange, was offered.
    #[arg(long)]
    alternative_offered: bool,
}

const RECORDABLE: [v1::ConsentState; 5] = [
    v1::ConsentState::Requested,
    v1::ConsentState::Deferred,
    v1::ConsentState::Refused,
    v1::ConsentState::Given,
    v1::ConsentState::Renewed,
];

pub(super) fn run(args: ConsentArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Record(args) => record(session, *args).await,
        Act::Withdraw {
            subject,
            conditions,
            recipient,
        } => withdraw(session, subject, &conditions, recipient).await,
        Act::Show { consent, subject } => show(session, consent, subject).await,
        Act::List(subject) => list(session, subject).await,
    })
}

async fn record(session: &Session, args: RecordArgs) -> Result<Exit, Failure> {
    use v1::record_consent_response::Outcome as Sent;

    let consent: Consent = match &args.file {
        Some(file) => document::read(file)?,
        None => args.terms.consent(),
    };
    let (state, subject) = (consent.state()?, args.subject.reference()?);
    let terms = consent.terms()?;
    let response = session
        .write(async |idempotency_key| {
            let request = v1::RecordConsentRequest {
                idempotency_key,
                actor: session.actor(),
                subject: Some(subject),
                state,
                terms: Some(terms),
            };
            session.client.record_consent(request).await
        })
        .await?;
    let outcome = Outcome::of(match response.outcome {
        Some(Sent::Recorded(recorded)) => {
            session.keep(recorded.receipt.as_ref())?;
            let said = format!("Recorded consent {}.", recorded.consent_id);
            let id = ("consent_id", recorded.consent_id);
            let recorded = view::Confirmed::new(said, id, recorded.receipt);
            Some(Outcome::Told("recorded", recorded))
        }
        Some(Sent::NotDisclosed(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}

impl TermsArgs {
    /// The same as a file would say it.
    fn consent(self) -> Consent {
        let notice = Notice {
            version: self.notice_version.unwrap_or_default(),
            language: self.notice_language,
            sha256: self.notice_sha256.unwrap_or_default(),
        };
        let AttestationArgs {
            own_interest,
            help_question,
            refusal_without_detriment,
            alternative_offered,
        } = self.attestations;
        Consent {
            state: self.state.map(|state| state.short().to_owned()),
            kind: self.kind.map(|kind| kind.short().to_owned()),
            explicit: self.explicit,
            conditions: self
                .conditions
                .iter()
                .map(|one| one.short().to_owned())
                .collect(),
            purposes: self.purposes,
            provider_party_ids: self.providers,
            recipient_party_ids: self.recipients,
            granularity: self.granularity.map(|most| most.short().to_owned()),
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            notice: Some(notice),
            method: self.method.map(|method| method.short().to_owned()),
            collected_at: self.collected_at,
            representative_mandate_sha256: self.representative_mandate_sha256,
            interpreter: self.interpreter,
            attestations: Some(Attestations {
                own_interest,
                help_question,
                refusal_without_detriment,
                alternative_offered,
            }),
        }
    }
}

async fn withdraw(
    session: &Session,
    subject: SubjectArgs,
    conditions: &[v1::Condition],
    recipient_party_id: Option<String>,
) -> Result<Exit, Failure> {
    let subject = subject.reference()?;
    let said = withdrawn(conditions, recipient_party_id.as_deref());
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::WithdrawConsentRequest {
                idempotency_key,
                actor: session.actor(),
                subject: Some(subject),
                conditions: code::numbers(conditions),
                recipient_party_id,
            };
            session.client.withdraw_consent(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    Ok(session.show(&view::Done::new(said, receipt)))
}

/// What was asked, and what comes of it where there was something: the answer is the same where there was nothing.
fn withdrawn(conditions: &[v1::Condition], recipient: Option<&str>) -> String {
    let conditions: Vec<_> = conditions.iter().map(|one| one.short()).collect();
    let about = match conditions[..] {
        [] => String::new(),
        _ => format!(" about {}", conditions.join(", ")),
    };
    let towards = recipient.map(|party| format!(" towards {party}"));
    format!(
        "The withdrawal of every consent of this person{about}{} is recorded. If there was one, nothing is told under it \
         from now on, and everyone who received something under it is told to stop using it; to the members of the \
         case, `schakel notice show` with the number of this entry shows who has acknowledged.",
        towards.unwrap_or_default()
    )
}

async fn show(
    session: &Session,
    consent_id: String,
    subject: SubjectArgs,
) -> Result<Exit, Failure> {
    use v1::get_consent_response::Outcome as Sent;

    let request = v1::GetConsentRequest {
        actor: session.actor(),
        subject: Some(subject.reference()?),
        consent_id,
    };
    let response = session.ask(session.client.get_consent(request)).await?;
    let outcome = match response.outcome {
        Some(Sent::Consents(consents)) => Some(Ok(consents)),
        Some(Sent::NotDisclosed(denial)) => Some(Err(denial)),
        None => None,
    };
    show_consents(session, outcome)
}

async fn list(session: &Session, subject: SubjectArgs) -> Result<Exit, Failure> {
    use v1::list_consents_response::Outcome as Sent;

    let request = v1::ListConsentsRequest {
        actor: session.actor(),
        subject: Some(subject.reference()?),
    };
    let response = session.ask(session.client.list_consents(request)).await?;
    let outcome = match response.outcome {
        Some(Sent::Consents(consents)) => Some(Ok(consents)),
        Some(Sent::NotDisclosed(denial)) => Some(Err(denial)),
        None => None,
    };
    show_consents(session, outcome)
}

fn show_consents(
    session: &Session,
    outcome: Option<Result<v1::Consents, v1::NotDisclosed>>,
) -> Result<Exit, Failure> {
    let outcome = Outcome::of(match outcome {
        Some(Ok(consents)) => {
            session.keep(consents.receipt.as_ref())?;
            Some(Outcome::Told("consents", view::Consents::from(consents)))
        }
        Some(Err(denial)) => Some(Outcome::denied(&denial)),
        None => None,
    })?;
    Ok(outcome.show(session))
}
