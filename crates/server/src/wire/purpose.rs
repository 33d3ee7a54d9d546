//! Purpose versions, both ways.

use std::{collections::BTreeSet, str::FromStr};

use schakel_api::v1;
use schakel_core::{
    code::Role,
    invalid::Invalid,
    purpose::{LegalBasis, PurposeVersion, Route, Wjsg51cChecklist},
    registry::Registered,
};

use super::{
    Fields,
    code::{Coded as _, to_wire},
    consent::code,
    disclosure::basis,
    time::{instant, period},
};

/// Reads a purpose version that is to be registered, within its field.
pub(crate) fn read(message: v1::PurposeVersion, fields: &mut Fields) -> Option<PurposeVersion> {
    let v1::PurposeVersion {
        code: purpose,
        version,
        title,
        conditions,
        granularity,
        routes,
        validity,
        retention_days,
        notify_person,
        deliver,
        wjsg_51c,
        withdrawn_at,
    } = message;
    let purpose = fields.text("code", &purpose);
    let version = fields.number("version", 1..=u32::MAX, version);
    let title = fields.line("title", 1..=200, title);
    let conditions = fields.set("conditions", 0..=6, conditions, code);
    let granularity = fields.code("granularity", granularity);
    let routes = fields.list("routes", 0..=8, routes, read_route);
    let validity = fields.period("validity", validity);
    let retention_days = fields
        .number("retention_days", 1..=3650, retention_days)
        .and_then(|days| u16::try_from(days).ok());
    let wjsg_51c = fields.optional_message("wjsg_51c", wjsg_51c, read_checklist);
    if withdrawn_at.is_some() {
        let rule = "must be absent: a version is withdrawn by withdraw_purpose";
        fields.refuse("withdrawn_at", rule);
    }
    let version = PurposeVersion {
        code: purpose?,
        version: version?,
        title: title?,
        conditions: conditions?,
        granularity: granularity?,
        routes: routes?,
        validity: validity?,
        retention_days: retention_days?,
        notify_person,
        deliver,
        wjsg_51c: wjsg_51c?,
    };
    if let Err((field, invalid)) = version.check() {
        fields.refuse(field, invalid.rule());
    }
    Some(version)
}

/// A registered purpose version as it is sent.
pub(crate) fn registered(registered: &Registered) -> v1::PurposeVersion {
    let Registered {
        version,
        entry: _,
        withdrawn_at,
    } = registered;
    v1::PurposeVersion {
        withdrawn_at: withdrawn_at.map(instant),
        ..write(version)
    }
}

/// A purpose version as it is sent.
pub(crate) fn write(version: &PurposeVersion) -> v1::PurposeVersion {
    let PurposeVersion {
        code,
        version,
        title,
        conditions,
        granularity,
        routes,
        validity,
        retention_days,
        notify_person,
        deliver,
        wjsg_51c,
    } = version;
    v1::PurposeVersion {
        code: code.to_string(),
        version: *version,
        title: title.clone(),
        conditions: to_wire(conditions),
        granularity: granularity.to_wire(),
        routes: routes.iter().map(route).collect(),
        validity: Some(period(*validity)),
        retention_days: u32::from(*retention_days),
        notify_person: *notify_person,
        deliver: *deliver,
        wjsg_51c: wjsg_51c.as_ref().map(checklist),
        withdrawn_at: None,
    }
}

fn read_route(message: v1::Route, fields: &mut Fields) -> Option<Route> {
    let v1::Route {
        from,
        to,
        conditions,
        origins,
        provider_basis,
        recipient_basis,
        regime,
        criminal_data_ground,
        art9_ground,
        secrecy_waiver,
    } = message;
    let from = roles("from", from, fields);
    let to = roles("to", to, fields);
    let conditions = fields.set("conditions", 0..=6, conditions, code);
    let origins = roles("origins", origins, fields);
    let provider_basis = fields.message("provider_basis", provider_basis, read_basis);
    let recipient_basis = fields.message("recipient_basis", recipient_basis, read_basis);
    let regime = fields.code("regime", regime);
    let criminal_data_ground = ground("criminal_data_ground", criminal_data_ground, fields);
    let art9_ground = ground("art9_ground", art9_ground, fields);
    Some(Route {
        from: from?,
        to: to?,
        conditions: conditions?,
        origins: origins?,
        provider_basis: provider_basis?,
        recipient_basis: recipient_basis?,
        regime: regime?,
        criminal_data_ground: criminal_data_ground?,
        art9_ground: art9_ground?,
        secrecy_waiver,
    })
}

fn roles(field: &str, list: Vec<i32>, fields: &mut Fields) -> Option<BTreeSet<Role>> {
    fields.set(field, 1..=Role::ALL.len(), list, |role, fields| {
        fields.code("", role)
    })
}

#[expect(
    clippy::option_option,
    reason = "the outer is whether it could be read, the inner whether it was there"
)]
fn ground<T: FromStr<Err = Invalid>>(
    field: &str,
    text: Option<String>,
    fields: &mut Fields,
) -> Option<Option<T>> {
    fields.optional_text(field, text)
}

fn read_basis(message: v1::LegalBasis, fields: &mut Fields) -> Option<LegalBasis> {
    let v1::LegalBasis { basis, law_ref } = message;
    let basis = fields.text("basis", &basis);
    let law_ref = fields.line("law_ref", 1..=100, law_ref);
    Some(LegalBasis {
        basis: basis?,
        law_ref: law_ref?,
    })
}

fn read_checklist(message: v1::Wjsg51cChecklist, fields: &mut Fields) -> Option<Wjsg51cChecklist> {
    let v1::Wjsg51cChecklist {
        no_specific_basis,
        public_interest,
        purpose,
        necessity,
        documentation,
    } = message;
    let no_specific_basis = fields.line("no_specific_basis", 1..=200, no_specific_basis);
    let public_interest = fields.line("public_interest", 1..=200, public_interest);
    let purpose = fields.line("purpose", 1..=200, purpose);
    let necessity = fields.line("necessity", 1..=200, necessity);
    let documentation = fields.line("documentation", 1..=200, documentation);
    Some(Wjsg51cChecklist {
        no_specific_basis: no_specific_basis?,
        public_interest: public_interest?,
        purpose: purpose?,
        necessity: necessity?,
        documentation: documentation?,
    })
}

fn route(route: &Route) -> v1::Route {
    let Route {
        from,
        to,
        conditions,
        origins,
        provider_basis,
        recipient_basis,
        regime,
        criminal_data_ground,
        art9_ground,
        secrecy_waiver,
    } = route;
    v1::Route {
        from: to_wire(from),
        to: to_wire(to),
        conditions: to_wire(conditions),
        origins: to_wire(origins),
        provider_basis: Some(basis(provider_basis)),
        recipient_basis: Some(basis(recipient_basis)),
        regime: regime.to_wire(),
        criminal_data_ground: criminal_data_ground.map(|ground| ground.to_string()),
        art9_ground: art9_ground.map(|ground| ground.to_string()),
        secrecy_waiver: *secrecy_waiver,
    }
}

fn checklist(checklist: &Wjsg51cChecklist) -> v1::Wjsg51cChecklist {
    let Wjsg51cChecklist {
        no_specific_basis,
        public_interest,
        purpose,
        necessity,
        documentation,
    } = checklist;
    v1::Wjsg51cChecklist {
        no_specific_basis: no_specific_basis.clone(),
        public_interest: public_interest.clone(),
        purpose: purpose.clone(),
        necessity: necessity.clone(),
        documentation: documentation.clone(),
    }
}
