//! One line of plain English about an entry. It says what was done, never how a condition stands.

use std::collections::BTreeSet;

use schakel_core::{
    code::{Condition, Granularity},
    erasure::{Covers, Erased},
    event::{Asked, Delivered, Denied, Disclosed, Event, RefusalReason},
    inbox::Topic,
    registry::Change,
};

use super::{terms::texts, veil::Veil};

/// The line.
pub(crate) fn summary(event: &Event, veil: &Veil) -> String {
    match event {
        Event::Disclosed(disclosed) => told(disclosed),
        Event::Denied(denied) => denied_line(denied),
        Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        }) => {
            format!("message from the inbox: {}", told(disclosed))
        }
        Event::Delivered(Delivered {
            disclosed: None, ..
        }) => "notice handed over".to_owned(),
        Event::Acknowledged {
            notice: Some(_), ..
        } => "notice acknowledged".to_owned(),
        Event::Acknowledged { notice: None, .. } => "message acknowledged".to_owned(),
        Event::CertificatesUsed { used } => count(used.len(), "certificate") + " used",
        Event::LookedUp(_)
        | Event::Withheld(_)
        | Event::SearchProposed(_)
        | Event::SearchDecided(_)
        | Event::TrailVerified(_)
        | Event::ReplayDiffered(_) => of_the_trail(event),
        Event::Refused { counts, .. } => refused(counts),
        Event::Started { version, .. } => format!("broker {version} started"),
        Event::Stopped => "broker stopped in order".to_owned(),
        Event::CheckpointKey { key, in_use, .. } => key_turned(key, *in_use),
        Event::ClockJumped { clock } => format!("the broker's clock jumped to {clock}"),
        Event::SigningResumed { why, ground, .. } => {
            format!("signing resumed after it was stopped ({why}): {ground}")
        }
        Event::ClockAcknowledged { .. }
        | Event::Erased(_)
        | Event::ErasureProposed(_)
        | Event::ErasureApproved { .. }
        | Event::ErasureRejected { .. }
        | Event::KekRotated => of_erasure(event),
        Event::Issuance(_)
        | Event::Proposed(_)
        | Event::Changed { .. }
        | Event::Rejected { .. } => of_the_registry(event),
        Event::CaseOpened { .. }
        | Event::MunicipalityAssigned { .. }
        | Event::MemberAdded { .. }
        | Event::MemberRemoved { .. }
        | Event::CaseClosed { .. }
        | Event::StatusReported { .. }
        | Event::Introduced { .. }
        | Event::Redeemed { .. } => in_case(event, veil),
        Event::ConsentRecorded { .. }
        | Event::ConsentEnded(_)
        | Event::Restricted { .. }
        | Event::RestrictionLifted { .. } => of_the_person(event, veil),
    }
}

fn refused(counts: &[(RefusalReason, u64)]) -> String {
    let times = counts.iter().map(|(_, times)| times).sum::<u64>();
    format!("{times} calls refused before anything was decided, within one minute")
}

fn key_turned(key: &str, in_use: bool) -> String {
    let turn = if in_use { "taken into use" } else { "retired" };
    format!("checkpoint key {key} {turn}")
}

fn of_the_trail(event: &Event) -> String {
    match event {
        Event::LookedUp(looked) => {
            let shown = count(looked.results as usize, "result");
            let question = if looked.question.is_empty() {
                "no filter"
            } else {
                &looked.question
            };
            format!("looked up by {}: {question}; {shown}", looked.method)
        }
        Event::Withheld(withheld) => format!(
            "entries withheld from what the person is told: {}, on {}, until {}",
            withheld.entries.len(),
            withheld.ground,
            withheld.until
        ),
        Event::SearchProposed(proposed) => {
            let what = match proposed.export {
                Some(_) => "export",
                None => "wide search",
            };
            format!(
                "{what} proposed, by {}: {}",
                proposed.method, proposed.question
            )
        }
        Event::SearchDecided(decided) => match decided.until {
            Some(until) => format!("wide search or export approved, to be made before {until}"),
            None => "wide search or export rejected".to_owned(),
        },
        Event::TrailVerified(verified) => format!(
            "trail verified up to {} entries: {}",
            verified.size,
            if verified.sound { "sound" } else { "not sound" }
        ),
        Event::ReplayDiffered(differed) => {
            let ways: Vec<_> = differed
                .differences
                .iter()
                .map(|way| way.as_str())
                .collect();
            format!(
                "replay of entry {} came out otherwise: {}",
                differed.entry.0,
                ways.join(", ")
            )
        }
        _ => String::new(),
    }
}

fn of_the_registry(event: &Event) -> String {
    match event {
        Event::Issuance(event) => super::enrolment::summary(event),
        Event::Proposed(proposal) => format!("proposed: {}", change(&proposal.change)),
        Event::Changed {
            change: made,
            reason: Some(reason),
            ..
        } => format!("made at once for {reason}: {}", change(made)),
        Event::Changed { change: made, .. } => format!("made: {}", change(made)),
        _ => "proposed change rejected".to_owned(),
    }
}

fn told(disclosed: &Disclosed) -> String {
    let conditions: BTreeSet<Condition> = disclosed
        .grants
        .iter()
        .map(|grant| grant.condition)
        .collect();
    let detail = match disclosed.granularity {
        Granularity::Signal => "whether help is needed",
        Granularity::Status => "the status",
        Granularity::StatusWithDates => "the status, with its days",
    };
    format!("told of {}: {detail}", about(&conditions))
}

fn denied_line(denied: &Denied) -> String {
    match &denied.asked {
        Asked::Disclosure(ask) => format!("not told of {}", about(&ask.conditions)),
        Asked::Message { message, .. } => match &message.topic {
            Topic::Status { condition, .. } => {
                format!("waiting message about {condition} dropped: it may not be read")
            }
            Topic::Notice(_) => "waiting notice dropped".to_owned(),
        },
        Asked::Call { method, .. } => format!("{method} denied"),
    }
}

fn in_case(event: &Event, veil: &Veil) -> String {
    let named = |party| match veil.who(party) {
        name if name.is_empty() => "a party".to_owned(),
        name => name,
    };
    match event {
        Event::CaseOpened {
            municipality: Some(town),
            ..
        } => {
            format!("case opened, returning to {}", named(town))
        }
        Event::MunicipalityAssigned { municipality, .. } => {
            format!(
                "municipality of return is {} from now on",
                named(municipality)
            )
        }
        Event::MemberAdded { party, .. } => format!("{} got a place in the case", named(party)),
        Event::MemberRemoved { party, .. } => {
            format!("{} lost its place in the case", named(party))
        }
        Event::CaseClosed { reason, .. } => format!("case closed: {reason}"),
        Event::StatusReported {
            condition,
            messages,
            notices,
            ..
        } => {
            let kind = if notices.is_empty() {
                "reported"
            } else {
                "corrected"
            };
            let sent = count(messages.len(), "message");
            let wait = format!("{sent} and {} wait", count(notices.len(), "notice"));
            if veil.is_drawn() {
                return format!("status of {condition} reported");
            }
            format!("status of {condition} {kind}; {wait}")
        }
        Event::Introduced {
            partner, condition, ..
        } => {
            format!("{} introduced for {condition}", named(partner))
        }
        Event::Redeemed { .. } => "introduction redeemed".to_owned(),
        _ => "case opened".to_owned(),
    }
}

fn of_the_person(event: &Event, veil: &Veil) -> String {
    match event {
        Event::ConsentRecorded { state, terms, .. } => {
            let by = &terms.collected_by;
            let conditions = veil.conditions(terms);
            format!(
                "{} recorded as {state}: {} for {} to {}",
                terms.kind,
                about(&conditions.into_iter().copied().collect()),
                texts(veil.purposes(terms)).join(", "),
                texts(veil.parties(by, &terms.recipients)).join(", ")
            )
        }
        // How many consents ended and who was told of it would say to whoever passed it on that the person is known. Each
        // is told what concerns itself by its own consents and notices.
        Event::ConsentEnded(ended) => format!("consent {}", ended.state),
        Event::Restricted {
            restriction,
            kind,
            conditions,
            ..
        } => {
            let conditions = if conditions.is_empty() {
                "every condition".to_owned()
            } else {
                about(conditions)
            };
            format!("{kind} {restriction} recorded for {conditions}")
        }
        Event::RestrictionLifted {
            restriction,
            // For whom, whole or for one controller, follows from who recorded it. Nobody recorded one about somebody
            // unknown, so it would tell that the person is known.
            controller: _,
        } => format!("restriction or objection {restriction} lifted"),
        _ => "restriction or objection lifted".to_owned(),
    }
}

fn of_erasure(event: &Event) -> String {
    match event {
        Event::ClockAcknowledged { clock } => {
            format!("the broker's clock, at {clock}, was said to be right")
        }
        Event::Erased(erased) => erasure(erased),
        Event::ErasureProposed(proposal) => format!(
            "erasure proposed for {}: {}",
            proposal.controller, proposal.ground
        ),
        Event::ErasureApproved { ground, .. } => format!("erasure approved: {ground}"),
        Event::KekRotated => "keyring written again under a new key".to_owned(),
        _ => "proposed erasure rejected".to_owned(),
    }
}

fn erasure(erased: &Erased) -> String {
    let what = match &erased.covers {
        Covers::Entries(_) => match erased.covers.count() {
            Some(1) => "1 entry".to_owned(),
            number => format!("{} entries", number.unwrap_or_default()),
        },
        Covers::Month(due) => format!("the entries due in {}", due.month),
    };
    format!(
        "{what} erased by {} ({})",
        erased.rule.code, erased.rule.law
    )
}

fn change(change: &Change) -> String {
    match change {
        Change::PutParty(party) => format!("party {} registered", party.id),
        Change::SuspendParty(id) => format!("party {id} suspended"),
        Change::ReinstateParty(id) => format!("suspension of party {id} ended"),
        Change::PutPurpose(version) => {
            format!(
                "purpose {} version {} registered",
                version.code, version.version
            )
        }
        Change::WithdrawPurpose(code, version) => {
            format!("purpose {code} version {version} withdrawn")
        }
        Change::BlockCertificate(certificate, reason) => {
            format!("certificate {certificate} blocked: {reason}")
        }
        Change::UnblockCertificate(certificate) => {
            format!("certificate {certificate} no longer blocked")
        }
    }
}

fn about(conditions: &BTreeSet<Condition>) -> String {
    let names: Vec<_> = conditions
        .iter()
        .map(|condition| condition.as_str())
        .collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
