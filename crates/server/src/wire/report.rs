//! The standing questions of a privacy officer.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::{
    code::Condition,
    id::{PartyId, PurposeCode, Reference},
    party::Peer,
    person::SubjectRef,
    time::Period,
};

use super::{
    Fields,
    audit::Filter,
    person::{Who, read_subject},
    time::read_period,
};

/// A question as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) who: Who,
    pub(crate) purpose: PurposeCode,
    pub(crate) report: v1::Report,
    pub(crate) period: Option<Period>,
    pub(crate) subject: Option<SubjectRef>,
    pub(crate) party: Option<PartyId>,
    pub(crate) condition: Option<Condition>,
    /// Where it continues, as given: still to be opened.
    pub(crate) page_token: Option<Bytes>,
    /// The approval of a second officer.
    pub(crate) approval: Option<Reference>,
}

impl Asked {
    /// The question in words, for the entry about it.
    pub(crate) fn in_words(&self) -> String {
        let name = self.report.as_str_name();
        let name = name.strip_prefix("REPORT_").unwrap_or(name);
        let filter = Filter {
            party: self.party.clone(),
            purpose: None,
            condition: self.condition,
            period: self.period,
            outcome: None,
        };
        let filter = filter.in_words();
        let between = if filter.is_empty() { "" } else { ", " };
        format!("report {name}{between}{filter}")
    }
}

/// Reads a question.
pub(crate) fn asked(
    message: v1::GetReportRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Asked> {
    let v1::GetReportRequest {
        actor,
        purpose,
        report,
        period,
        subject,
        party_id,
        condition,
        page_token,
        search_id,
    } = message;
    let who = fields.who(actor);
    let purpose = fields.text("purpose", &purpose);
    let report = read_report(report, fields);
    let period = fields.optional_message("period", period, read_period);
    let subject = fields.optional_message("subject", subject, |message, fields| {
        read_subject(message, peer, fields)
    });
    let party = fields.optional_text("party_id", party_id);
    let condition = fields.optional_code("condition", condition);
    let page_token = fields.cursor("page_token", page_token);
    let approval = fields.optional_reference("search_id", search_id.as_deref());
    let asked = Asked {
        who: who?,
        purpose: purpose?,
        report: report?,
        period: period?,
        subject: subject?,
        party: party?,
        condition: condition?,
        page_token: page_token?,
        approval: approval?,
    };
    fits(&asked, fields).then_some(asked)
}

/// Whether the question is narrowed by what it can be narrowed by.
fn fits(asked: &Asked, fields: &mut Fields) -> bool {
    use v1::Report::{Check, Consents, Denials, Notices, Readers, Recipients, Withdrawals};
    let of = |reports: &[v1::Report]| reports.contains(&asked.report);
    let broken = [
        (
            of(&[Notices]) && asked.subject.is_none(),
            "subject",
            "must be set for NOTICES",
        ),
        (
            asked.subject.is_some() && !of(&[Notices, Readers, Check]),
            "subject",
            "must be left out but for NOTICES, READERS and CHECK",
        ),
        (
            asked.party.is_some() && of(&[Withdrawals, Consents, Notices]),
            "party_id",
            "must be left out for WITHDRAWALS, CONSENTS and NOTICES",
        ),
        (
            asked.condition.is_some() && !of(&[Denials, Recipients]),
            "condition",
            "must be left out but for DENIALS and RECIPIENTS",
        ),
        (
            asked.period.is_some() && of(&[Notices]),
            "period",
            "must be left out for NOTICES",
        ),
    ];
    let mut fits = true;
    for (is_broken, field, rule) in broken {
        if is_broken {
            fields.refuse(field, rule);
            fits = false;
        }
    }
    fits
}

fn read_report(report: i32, fields: &mut Fields) -> Option<v1::Report> {
    match v1::Report::try_from(report) {
        Ok(v1::Report::Unspecified) | Err(_) => {
            let rule = "must be one of CHECK, DENIALS, WITHDRAWALS, RECIPIENTS, PURPOSES, CONSENTS, \
                        READERS, NOTICES";
            fields.refuse("report", rule);
            None
        }
        Ok(report) => Some(report),
    }
}
