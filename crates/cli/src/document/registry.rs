//! Parties and purposes, in the form of `deploy/purposes.toml`, as they are sent.

use schakel_api::v1;
use schakel_core::{
    party::{Contact, Party, Unit},
    purpose::{LegalBasis, PurposeVersion, Route, Wjsg51cChecklist},
    time::Period,
};

use crate::{code::Code, instant};

/// A party as it is sent. Suspensions are changed by changes of their own.
pub(crate) fn party(party: Party) -> v1::Party {
    let Party {
        id,
        name,
        roles,
        oins,
        contact,
        officer_for,
        delegates,
        suspensions: _,
        succession,
        units,
    } = party;
    let oins = oins.into_iter().map(|dated| v1::DatedOin {
        oin: dated.oin.to_string(),
        period: Some(period(dated.period)),
        anchor: dated.anchor.map(|anchor| anchor.to_string()),
    });
    let delegates = delegates.into_iter().map(|delegation| v1::Delegation {
        delegate_party_id: delegation.delegate.to_string(),
        period: Some(period(delegation.period)),
    });
    v1::Party {
        party_id: id.to_string(),
        name,
        roles: numbers::<v1::Role>(roles.iter().map(|role| role.as_str())),
        oins: oins.collect(),
        contact: Some(send_contact(contact)),
        officer_for_party_id: officer_for.map(|id| id.to_string()),
        delegates: delegates.collect(),
        suspensions: Vec::new(),
        succession: succession.map(|found| v1::Succession {
            successor_party_id: found.successor.to_string(),
            from: Some(instant::sent(found.from)),
        }),
        units: units.into_iter().map(unit).collect(),
    }
}

/// A purpose version as it is sent.
pub(crate) fn purpose(version: PurposeVersion) -> v1::PurposeVersion {
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
        version,
        title,
        conditions: numbers::<v1::Condition>(conditions.iter().map(|one| one.as_str())),
        granularity: number::<v1::Granularity>(granularity.as_str()),
        routes: routes.into_iter().map(route).collect(),
        validity: Some(period(validity)),
        retention_days: retention_days.into(),
        notify_person,
        deliver,
        wjsg_51c: wjsg_51c.map(checklist),
        withdrawn_at: None,
    }
}

fn route(route: Route) -> v1::Route {
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
        from: numbers::<v1::Role>(from.iter().map(|role| role.as_str())),
        to: numbers::<v1::Role>(to.iter().map(|role| role.as_str())),
        conditions: numbers::<v1::Condition>(conditions.iter().map(|one| one.as_str())),
        origins: numbers::<v1::Role>(origins.iter().map(|role| role.as_str())),
        provider_basis: Some(basis(provider_basis)),
        recipient_basis: Some(basis(recipient_basis)),
        regime: number::<v1::Regime>(regime.as_str()),
        criminal_data_ground: criminal_data_ground.map(|ground| ground.as_str().to_owned()),
        art9_ground: art9_ground.map(|ground| ground.as_str().to_owned()),
        secrecy_waiver,
    }
}

fn basis(basis: LegalBasis) -> v1::LegalBasis {
    let LegalBasis { basis, law_ref } = basis;
    v1::LegalBasis {
        basis: basis.as_str().to_owned(),
        law_ref,
    }
}

fn checklist(checklist: Wjsg51cChecklist) -> v1::Wjsg51cChecklist {
    let Wjsg51cChecklist {
        no_specific_basis,
        public_interest,
        purpose,
        necessity,
        documentation,
    } = checklist;
    v1::Wjsg51cChecklist {
        no_specific_basis,
        public_interest,
        purpose,
        necessity,
        documentation,
    }
}

fn unit(unit: Unit) -> v1::Unit {
    let Unit {
        id,
        name,
        period: held,
        oin,
    } = unit;
    v1::Unit {
        unit_id: id.to_string(),
        name,
        period: Some(period(held)),
        oin: oin.map(|oin| oin.to_string()),
    }
}

fn send_contact(contact: Contact) -> v1::Contact {
    let Contact {
        team,
        email,
        telephone,
    } = contact;
    v1::Contact {
        team,
        email,
        telephone,
    }
}

fn period(period: Period) -> v1::Period {
    v1::Period {
        from: Some(instant::sent(period.from)),
        until: period.until.map(instant::sent),
    }
}

/// The numbers of codes of the rules, which have the same names on the wire; a test holds them together.
fn numbers<'a, C: Code + Into<i32>>(texts: impl Iterator<Item = &'a str>) -> Vec<i32> {
    texts.map(number::<C>).collect()
}

/// A code that the wire does not have is sent as unspecified, which the broker refuses.
fn number<C: Code + Into<i32>>(text: &str) -> i32 {
    C::parse(text).map_or(0, Into::into)
}

#[cfg(test)]
mod tests {
    use schakel_core::{catalogue::Catalogue, code};

    use super::*;

    #[test]
    fn every_code_of_the_rules_is_on_the_wire() {
        let all = [
            numbers::<v1::Condition>(code::Condition::ALL.iter().map(|code| code.as_str())),
            numbers::<v1::Granularity>(code::Granularity::ALL.iter().map(|code| code.as_str())),
            numbers::<v1::Regime>(code::Regime::ALL.iter().map(|code| code.as_str())),
            numbers::<v1::Role>(code::Role::ALL.iter().map(|code| code.as_str())),
        ];
        assert!(all.concat().iter().all(|number| *number != 0), "{all:?}");
    }

    #[test]
    fn the_shipped_purposes_can_be_proposed() {
        let text = include_str!("../../../../deploy/purposes.toml");
        let catalogue: Catalogue = toml::from_str(text).unwrap();
        assert!(catalogue.purposes.len() > 5);
        for version in catalogue.purposes {
            let (code, routes) = (version.code.to_string(), version.routes.len());
            let sent = purpose(version);
            assert_eq!((sent.code, sent.routes.len()), (code, routes));
        }
    }
}
