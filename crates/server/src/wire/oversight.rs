//! Breaches, verifications, and searches that need a second officer.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::{
    event::{StandingExport, TrailVerified},
    id::{PurposeCode, Reference},
    party::Peer,
    time::{Period, Timestamp},
};

use super::{
    Fields, audit,
    entry::Viewer,
    person::Who,
    report,
    request::{Parsed, body},
    time::read_period,
};
use crate::{
    call::Call,
    officer::{breach::Compromised, wide::LONGEST_TERM_DAYS},
};

/// A question about a breach as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) who: Who,
    pub(crate) purpose: PurposeCode,
    pub(crate) compromised: Compromised,
    pub(crate) period: Period,
    pub(crate) discovered: Timestamp,
    /// Where it continues, as given: still to be opened.
    pub(crate) page_token: Option<Bytes>,
    /// The approval of a second officer.
    pub(crate) approval: Option<Reference>,
}

/// What is proposed, as it was read.
#[derive(Clone, Debug)]
pub(crate) enum Proposed {
    Search(audit::Search),
    Report(report::Asked),
    Breach(Breach),
    Export(Export),
}

impl Proposed {
    /// Who proposes.
    pub(crate) fn who(&self) -> &Who {
        match self {
            Self::Search(search) => &search.who,
            Self::Report(asked) => &asked.who,
            Self::Breach(breach) => &breach.who,
            Self::Export(export) => &export.who,
        }
    }

    /// For an export: what may be handed over, and for how long.
    pub(crate) fn export(&self) -> Option<StandingExport> {
        match self {
            Self::Export(export) => Some(export.standing),
            Self::Search(_) | Self::Report(_) | Self::Breach(_) => None,
        }
    }
}

/// An export for a term, as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    pub(crate) who: Who,
    pub(crate) purpose: PurposeCode,
    pub(crate) kind: v1::ExportKind,
    pub(crate) standing: StandingExport,
}

/// A decision about a search as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) who: Who,
    pub(crate) search: Reference,
    pub(crate) approve: bool,
}

impl Breach {
    /// The question in words, for the entry about it.
    pub(crate) fn in_words(&self) -> String {
        let what = match &self.compromised {
            Compromised::Certificate(sha256) => {
                let hex = sha256.iter().map(|byte| format!("{byte:02x}"));
                format!("certificate {}", hex.collect::<String>())
            }
            Compromised::Number(oin) => format!("number {oin}"),
            Compromised::Party(party) => format!("party {party}"),
        };
        let until = self.period.until.map(|until| format!(", until {until}"));
        let from = self.period.from;
        format!("{what}, from {from}{}", until.unwrap_or_default())
    }
}

impl Export {
    /// Whether it shows anything about anybody: details are never opened to the officer of an outsider.
    pub(crate) fn shows_anybody(&self, viewer: &Viewer) -> bool {
        self.kind == v1::ExportKind::Processings || !viewer.veil().is_drawn()
    }

    /// The export in words, for the entry about it.
    pub(crate) fn in_words(&self) -> String {
        let StandingExport { period, days } = self.standing;
        let what = match self.kind {
            v1::ExportKind::Processings => "lines of",
            v1::ExportKind::Entries | v1::ExportKind::Unspecified => "details of",
        };
        let until = period.until.map(|until| format!(" until {until}"));
        let until = until.unwrap_or_default();
        format!(
            "{what} what was recorded from {}{until}, for {days} days",
            period.from
        )
    }
}

/// Reads a question about a breach.
pub(crate) fn breach(
    message: v1::GetBreachRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Breach> {
    use v1::get_breach_request::By;
    let v1::GetBreachRequest {
        actor,
        purpose,
        by,
        period,
        discovered_at,
        page_token,
        search_id,
    } = message;
    let who = fields.who(actor);
    let purpose = fields.text("purpose", &purpose);
    let compromised = match by {
        Some(By::CertificateSha256(bytes)) => fields
            .sha256("certificate_sha256", &bytes)
            .map(Compromised::Certificate),
        Some(By::Oin(oin)) => fields.text("oin", &oin).map(Compromised::Number),
        Some(By::PartyId(party)) => fields.text("party_id", &party).map(Compromised::Party),
        None => {
            let rule = "must say what was compromised: set certificate_sha256, oin or party_id";
            fields.refuse("by", rule);
            None
        }
    };
    let period = fields.message("period", period, read_period);
    let discovered = fields.instant("discovered_at", discovered_at);
    let page_token = fields.cursor("page_token", page_token);
    let approval = fields.optional_reference("search_id", search_id.as_deref());
    Some(Breach {
        who: who?,
        purpose: purpose?,
        compromised: compromised?,
        period: period?,
        discovered: discovered?,
        page_token: page_token?,
        approval: approval?,
    })
}

/// Reads what somebody found who verified the trail.
pub(crate) fn verification(
    message: v1::RecordVerificationRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RecordVerificationRequest {
        idempotency_key,
        actor,
        size,
        root,
        sound,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    if size == 0 {
        fields.refuse("size", "must be at least 1");
    }
    let root = fields.sha256("root", &root);
    let verified = TrailVerified {
        size,
        root: root?,
        sound,
    };
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::RecordVerification(verified),
    })
}

/// Reads a proposal.
pub(crate) fn propose(
    message: v1::ProposeSearchRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Proposed> {
    use v1::propose_search_request::Question;
    match message.question {
        Some(Question::Search(message)) => fields
            .within("search", |fields| audit::search(message, peer, fields))
            .map(Proposed::Search),
        Some(Question::Report(message)) => fields
            .within("report", |fields| report::asked(message, peer, fields))
            .map(Proposed::Report),
        Some(Question::Breach(message)) => fields
            .within("breach", |fields| breach(message, peer, fields))
            .map(Proposed::Breach),
        Some(Question::Export(message)) => fields
            .within("export", |fields| export(message, fields))
            .map(Proposed::Export),
        None => {
            fields.refuse("question", "must be set: search, report, breach or export");
            None
        }
    }
}

fn export(message: v1::StandingExport, fields: &mut Fields) -> Option<Export> {
    let kind = message.kind();
    let v1::StandingExport {
        actor,
        purpose,
        kind: _,
        period,
        days,
    } = message;
    let who = fields.who(actor);
    let purpose = fields.text("purpose", &purpose);
    if kind == v1::ExportKind::Unspecified {
        fields.refuse(
            "kind",
            "must be EXPORT_KIND_ENTRIES or EXPORT_KIND_PROCESSINGS",
        );
    }
    let period = match period {
        Some(_) => fields.period("period", period),
        None => Some(Period {
            from: Timestamp::EPOCH,
            until: None,
        }),
    };
    let days = fields.number("days", 1..=LONGEST_TERM_DAYS, days);
    Some(Export {
        who: who?,
        purpose: purpose?,
        kind: Some(kind).filter(|kind| *kind != v1::ExportKind::Unspecified)?,
        standing: StandingExport {
            period: period?,
            days: days?,
        },
    })
}

/// Reads a decision about a search.
pub(crate) fn decide(
    message: v1::DecideSearchRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Decision> {
    let v1::DecideSearchRequest {
        actor,
        search_id,
        approve,
    } = message;
    let who = fields.who(actor);
    let search = fields.reference("search_id", &search_id);
    Some(Decision {
        who: who?,
        search: search?,
        approve,
    })
}

/// Reads who asks how the trail stands.
pub(crate) fn integrity(
    message: v1::GetIntegrityRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Who> {
    let v1::GetIntegrityRequest { actor } = message;
    fields.who(actor)
}

/// Reads who asks for the searches that wait.
pub(crate) fn searches(
    message: v1::ListSearchesRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Who> {
    let v1::ListSearchesRequest { actor } = message;
    fields.who(actor)
}
