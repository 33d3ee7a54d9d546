//! Parties, both ways.

use schakel_api::v1;
use schakel_core::party::{
    Contact, DatedOin, Delegation, MOST_PERIODS, MOST_UNITS, Party, Succession, Unit,
};

use super::{
    Fields,
    code::to_wire,
    disclosure,
    time::{instant, period},
};

/// Reads a party that is to be registered, within its field.
pub(crate) fn read(message: v1::Party, fields: &mut Fields) -> Option<Party> {
    let v1::Party {
        party_id,
        name,
        roles,
        oins,
        contact,
        officer_for_party_id,
        delegates,
        suspensions,
        succession,
        units,
    } = message;
    let id = fields.text("party_id", &party_id);
    let name = fields.line("name", 1..=100, name);
    let roles = fields.set("roles", 1..=8, roles, |role, fields| fields.code("", role));
    let oins = fields.list("oins", 1..=8, oins, read_oin);
    let contact = fields.message("contact", contact, read_contact);
    let officer_for = fields.optional_text("officer_for_party_id", officer_for_party_id);
    let delegates = fields.list("delegates", 0..=MOST_PERIODS, delegates, read_delegation);
    let succession = fields.optional_message("succession", succession, read_succession);
    let units = fields.list("units", 0..=MOST_UNITS, units, read_unit);
    if !suspensions.is_empty() {
        let rule = "must be empty: a party is suspended by suspend_party_id";
        fields.refuse("suspensions", rule);
    }
    let party = Party {
        id: id?,
        name: name?,
        roles: roles?.into_iter().collect(),
        oins: oins?,
        contact: contact?,
        officer_for: officer_for?,
        delegates: delegates?,
        suspensions: Vec::new(),
        succession: succession?,
        units: units?,
    };
    if let Err((field, invalid)) = party.check() {
        let field = if field == "officer_for" {
            "officer_for_party_id"
        } else {
            field
        };
        fields.refuse(field, invalid.rule());
    }
    Some(party)
}

/// A party as it is sent.
pub(crate) fn write(party: &Party) -> v1::Party {
    let Party {
        id,
        name,
        roles,
        oins,
        contact,
        officer_for,
        delegates,
        suspensions,
        succession,
        units,
    } = party;
    v1::Party {
        party_id: id.to_string(),
        name: name.clone(),
        roles: to_wire(roles),
        oins: oins.iter().map(oin).collect(),
        contact: Some(disclosure::contact(contact)),
        officer_for_party_id: officer_for.as_ref().map(ToString::to_string),
        delegates: delegates.iter().map(delegation).collect(),
        suspensions: suspensions.iter().copied().map(period).collect(),
        succession: succession.as_ref().map(|found| {
            let Succession { successor, from } = found;
            v1::Succession {
                successor_party_id: successor.to_string(),
                from: Some(instant(*from)),
            }
        }),
        units: units.iter().map(unit).collect(),
    }
}

fn read_succession(message: v1::Succession, fields: &mut Fields) -> Option<Succession> {
    let v1::Succession {
        successor_party_id,
        from,
    } = message;
    let successor = fields.text("successor_party_id", &successor_party_id);
    let from = fields.instant("from", from);
    Some(Succession {
        successor: successor?,
        from: from?,
    })
}

fn read_oin(message: v1::DatedOin, fields: &mut Fields) -> Option<DatedOin> {
    let v1::DatedOin {
        oin,
        period,
        anchor,
    } = message;
    let oin = fields.text("oin", &oin);
    let period = fields.period("period", period);
    let anchor = fields.optional_text("anchor", anchor);
    Some(DatedOin {
        oin: oin?,
        period: period?,
        anchor: anchor?,
    })
}

fn read_delegation(message: v1::Delegation, fields: &mut Fields) -> Option<Delegation> {
    let v1::Delegation {
        delegate_party_id,
        period,
    } = message;
    let delegate = fields.text("delegate_party_id", &delegate_party_id);
    let period = fields.period("period", period);
    Some(Delegation {
        delegate: delegate?,
        period: period?,
    })
}

fn read_unit(message: v1::Unit, fields: &mut Fields) -> Option<Unit> {
    let v1::Unit {
        unit_id,
        name,
        period,
        oin,
    } = message;
    let id = fields.text("unit_id", &unit_id);
    let name = fields.line("name", 1..=100, name);
    let period = fields.period("period", period);
    let oin = fields.optional_text("oin", oin);
    Some(Unit {
        id: id?,
        name: name?,
        period: period?,
        oin: oin?,
    })
}

fn read_contact(message: v1::Contact, fields: &mut Fields) -> Option<Contact> {
    let v1::Contact {
        team,
        email,
        telephone,
    } = message;
    let team = fields.line("team", 1..=100, team);
    let email = fields.line("email", 0..=100, email);
    let telephone = fields.line("telephone", 0..=30, telephone);
    Some(Contact {
        team: team?,
        email: email?,
        telephone: telephone?,
    })
}

fn oin(dated: &DatedOin) -> v1::DatedOin {
    let DatedOin {
        oin,
        period: held,
        anchor,
    } = dated;
    v1::DatedOin {
        oin: oin.to_string(),
        period: Some(period(*held)),
        anchor: anchor.as_ref().map(ToString::to_string),
    }
}

fn unit(unit: &Unit) -> v1::Unit {
    let Unit {
        id,
        name,
        period: held,
        oin,
    } = unit;
    v1::Unit {
        unit_id: id.to_string(),
        name: name.clone(),
        period: Some(period(*held)),
        oin: oin.as_ref().map(ToString::to_string),
    }
}

fn delegation(delegation: &Delegation) -> v1::Delegation {
    let Delegation {
        delegate,
        period: held,
    } = delegation;
    v1::Delegation {
        delegate_party_id: delegate.to_string(),
        period: Some(period(*held)),
    }
}
