//! What a person agreed to.

use schakel_api::v1;
use schakel_core::{
    consent::{Attestations, ConsentTerms, GivenBy, NoticeText},
    id::CaseId,
    party::Peer,
};

use super::{
    Fields,
    code::{Coded as _, to_wire},
    consent::code,
    time::instant,
    veil::Veil,
};

/// Reads the terms of a consent that this caller collected, within their field. The rules between fields
/// are looked at once every field by itself holds.
pub(crate) fn read(
    message: v1::ConsentTerms,
    peer: &Peer,
    case: Option<CaseId>,
    fields: &mut Fields,
) -> Option<ConsentTerms> {
    let v1::ConsentTerms {
        kind,
        explicit,
        conditions,
        purposes,
        provider_party_ids,
        recipient_party_ids,
        granularity,
        valid_from,
        valid_until,
        notice,
        method,
        collected_at,
        representative_mandate_sha256,
        interpreter,
        attestations,
    } = message;
    let kind = fields.code("kind", kind);
    let conditions = fields.set("conditions", 1..=6, conditions, code);
    let purposes = fields.set("purposes", 1..=8, purposes, |text, fields| {
        fields.text("", &text)
    });
    let providers = parties("provider_party_ids", provider_party_ids, fields);
    let recipients = parties("recipient_party_ids", recipient_party_ids, fields);
    let granularity = fields.code("granularity", granularity);
    let valid_from = fields.instant("valid_from", valid_from);
    let valid_until = fields.instant("valid_until", valid_until);
    let notice = fields.message("notice", notice, read_notice);
    let method = fields.code("method", method);
    let collected_at = fields.instant("collected_at", collected_at);
    let given_by = read_giver(representative_mandate_sha256.as_deref(), fields);
    let attestations = fields.message("attestations", attestations, |message, _| {
        Some(read_attestations(message))
    });
    let terms = ConsentTerms {
        kind: kind?,
        explicit,
        case,
        conditions: conditions?,
        purposes: purposes?,
        providers: providers?,
        recipients: recipients?,
        granularity: granularity?,
        valid_from: valid_from?,
        valid_until: valid_until?,
        notice: notice?,
        collected_by: peer.principal.clone(),
        method: method?,
        collected_at: collected_at?,
        given_by: given_by?,
        interpreter,
        attestations: attestations?,
    };
    if let Err((field, invalid)) = terms.check(&peer.roles) {
        fields.refuse(on_the_wire(field), invalid.rule());
        return None;
    }
    Some(terms)
}

/// The terms as they are sent. The case is not among them: a consent is shown within its person.
pub(crate) fn write(terms: ConsentTerms, veil: &Veil) -> v1::ConsentTerms {
    let conditions = to_wire(veil.conditions(&terms));
    let purposes = texts(veil.purposes(&terms));
    let ConsentTerms {
        kind,
        explicit,
        case: _,
        conditions: _,
        purposes: _,
        providers,
        recipients,
        granularity,
        valid_from,
        valid_until,
        notice,
        collected_by,
        method,
        collected_at,
        given_by,
        interpreter,
        attestations,
    } = terms;
    v1::ConsentTerms {
        kind: kind.to_wire(),
        explicit,
        conditions,
        purposes,
        provider_party_ids: texts(veil.parties(&collected_by, &providers)),
        recipient_party_ids: texts(veil.parties(&collected_by, &recipients)),
        granularity: granularity.to_wire(),
        valid_from: Some(instant(valid_from)),
        valid_until: Some(instant(valid_until)),
        // Which text was shown tells who showed it.
        notice: veil
            .shows_whole(&collected_by)
            .then(|| write_notice(notice)),
        method: method.to_wire(),
        collected_at: Some(instant(collected_at)),
        representative_mandate_sha256: match given_by {
            GivenBy::Subject => None,
            GivenBy::Representative { mandate_sha256 } => Some(mandate_sha256.to_vec().into()),
        },
        interpreter,
        attestations: Some(write_attestations(attestations)),
    }
}

/// Identifiers as they are sent.
pub(crate) fn texts<T: ToString>(ids: impl IntoIterator<Item = T>) -> Vec<String> {
    ids.into_iter().map(|id| id.to_string()).collect()
}

/// The name on the wire of a field that the rules know by another.
pub(crate) fn on_the_wire(field: &str) -> &str {
    match field {
        "providers" => "provider_party_ids",
        "recipients" => "recipient_party_ids",
        same => same,
    }
}

fn parties(
    field: &str,
    list: Vec<String>,
    fields: &mut Fields,
) -> Option<std::collections::BTreeSet<schakel_core::id::PartyId>> {
    fields.set(field, 1..=16, list, |text, fields| fields.text("", &text))
}

fn read_notice(message: v1::NoticeText, fields: &mut Fields) -> Option<NoticeText> {
    let v1::NoticeText {
        version,
        language,
        sha256,
    } = message;
    let version = fields.line("version", 1..=40, version);
    let language = fields.line("language", 2..=35, language);
    let sha256 = fields.sha256("sha256", &sha256);
    Some(NoticeText {
        version: version?,
        language: language?,
        sha256: sha256?,
    })
}

fn write_notice(notice: NoticeText) -> v1::NoticeText {
    let NoticeText {
        version,
        language,
        sha256,
    } = notice;
    v1::NoticeText {
        version,
        language,
        sha256: sha256.to_vec().into(),
    }
}

fn read_giver(mandate: Option<&[u8]>, fields: &mut Fields) -> Option<GivenBy> {
    let Some(mandate) = mandate else {
        return Some(GivenBy::Subject);
    };
    fields
        .sha256("representative_mandate_sha256", mandate)
        .map(|mandate_sha256| GivenBy::Representative { mandate_sha256 })
}

fn read_attestations(message: v1::Attestations) -> Attestations {
    let v1::Attestations {
        own_interest,
        help_question,
        refusal_without_detriment,
        alternative_offered,
    } = message;
    Attestations {
        own_interest,
        help_question,
        refusal_without_detriment,
        alternative_offered,
    }
}

fn write_attestations(attestations: Attestations) -> v1::Attestations {
    let Attestations {
        own_interest,
        help_question,
        refusal_without_detriment,
        alternative_offered,
    } = attestations;
    v1::Attestations {
        own_interest,
        help_question,
        refusal_without_detriment,
        alternative_offered,
    }
}
