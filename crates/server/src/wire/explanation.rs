//! Why an entry was decided as it was, for the officer of one controller.

use std::borrow::Cow;

use schakel_api::v1;
use schakel_core::{
    decide::Reason,
    erasure::Done,
    event::{Denied, Event},
    explain::{Explained, Explanation, explain},
    id::EntryIndex,
    purpose::Wjsg51cChecklist,
    registry::Registry,
    time::Timestamp,
};

use super::{
    code::Coded,
    disclosure::basis,
    entry::{Viewer, findings},
    terms::texts,
    time::instant,
    veil::Veil,
};

/// The explanation as it is sent, without the receipt of the look-up.
pub(crate) fn explanation(
    event: &Event,
    registry: &Registry,
    (entry, at): (EntryIndex, Timestamp),
    viewer: &Viewer,
) -> v1::Explanation {
    let explained = explain(&veiled(event, viewer.veil()), registry, entry, at);
    let Explanation {
        decision,
        summary: _,
        purpose,
        version,
        reasons,
        wjsg_51c,
    } = explained;
    let mut reasons: Vec<_> = reasons
        .into_iter()
        .map(|one| explained_reason(one, viewer))
        .collect();
    reasons.dedup();
    v1::Explanation {
        decision: decision.to_string(),
        purpose: purpose.map(|purpose| purpose.to_string()),
        purpose_version: version,
        at: Some(instant(at)),
        reasons,
        wjsg_51c: wjsg_51c
            .filter(|_| !viewer.veil().is_drawn())
            .map(five_steps),
        receipt: None,
        index: entry.0,
    }
}

/// What is sent in the place of an explanation of what was erased.
pub(crate) fn explained_away(by: &Done, (entry, at): (EntryIndex, Timestamp)) -> v1::Explanation {
    let rule = &by.erased.rule;
    let text = format!(
        "Erased by entry {}, on {}: the details can no longer be read by anybody for this controller.",
        by.entry.0, rule.law
    );
    v1::Explanation {
        index: entry.0,
        decision: "REDACTED".to_owned(),
        at: Some(instant(at)),
        reasons: vec![v1::ExplainedReason {
            code: rule.code.clone(),
            text,
            ..v1::ExplainedReason::default()
        }],
        ..v1::Explanation::default()
    }
}

/// What outsiders are told of whatever stood in the way, whether or not anybody is known.
const NOTHING_FOUND: &str = "Nothing that may be told was found by the reference that was given. More is not said of it here.";

/// The event without what outsiders are not told: that the data reveal detention, and who holds them.
fn veiled<'e>(event: &'e Event, veil: &Veil) -> Cow<'e, Event> {
    match event {
        Event::Denied(denied) if veil.is_drawn() => Cow::Owned(Event::Denied(Denied {
            findings: findings(denied, veil),
            ..denied.clone()
        })),
        event => Cow::Borrowed(event),
    }
}

fn explained_reason(explained: Explained, viewer: &Viewer) -> v1::ExplainedReason {
    let Explained {
        reason,
        text,
        condition,
        provider,
        route: _,
        provider_basis,
        recipient_basis,
        consents,
    } = explained;
    let own = provider.as_ref() == Some(viewer.controller());
    let whole = own || !viewer.veil().is_drawn();
    let text = match (&recipient_basis, reason) {
        // The whole text names the provider and its basis.
        (Some(basis), None) if !whole => {
            format!("Granted: received on {} ({}).", basis.basis, basis.law_ref)
        }
        (None, Some(Reason::NoBasis)) if viewer.veil().is_drawn() => NOTHING_FOUND.to_owned(),
        _ => text,
    };
    v1::ExplainedReason {
        code: reason.map_or("GRANTED", Reason::as_str).to_owned(),
        text,
        condition: condition.map(Coded::to_wire),
        provider_party_id: provider.filter(|_| whole).map(|party| party.to_string()),
        provider_basis: provider_basis.filter(|_| whole).as_ref().map(basis),
        recipient_basis: recipient_basis.as_ref().map(basis),
        consent_ids: texts(consents),
    }
}

fn five_steps(checklist: Wjsg51cChecklist) -> String {
    let Wjsg51cChecklist {
        no_specific_basis,
        public_interest,
        purpose,
        necessity,
        documentation,
    } = checklist;
    format!(
        "1. No more specific basis: {no_specific_basis}\n2. Weighty public interest: {public_interest}\n\
         3. Purpose of 51c(2): {purpose}\n4. Necessity: {necessity}\n5. Documentation: {documentation}"
    )
}
