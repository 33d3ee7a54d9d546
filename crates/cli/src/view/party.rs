//! Parties.

use schakel_api::v1;
use serde::Serialize;

use super::{Contact, Period, all};
use crate::{code::shorts, instant, output::View, page::Page};

/// The parties.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Parties {
    parties: Vec<Party>,
}

/// An organisation.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Party {
    party_id: String,
    name: String,
    roles: Vec<String>,
    oins: Vec<DatedOin>,
    contact: Option<Contact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    officer_for_party_id: Option<String>,
    delegates: Vec<Delegation>,
    suspensions: Vec<Period>,
    #[serde(skip_serializing_if = "Option::is_none")]
    succession: Option<Succession>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    units: Vec<Unit>,
}

/// A part of an organisation.
#[derive(Clone, Debug, Serialize)]
struct Unit {
    unit_id: String,
    name: String,
    period: Option<Period>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oin: Option<String>,
}

/// Who took a party's place.
#[derive(Clone, Debug, Serialize)]
struct Succession {
    successor_party_id: String,
    from: Option<String>,
}

/// A number in its period.
#[derive(Clone, Debug, Serialize)]
struct DatedOin {
    oin: String,
    period: Option<Period>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<String>,
}

/// Leave to act.
#[derive(Clone, Debug, Serialize)]
struct Delegation {
    delegate_party_id: String,
    period: Option<Period>,
}

impl From<Vec<v1::Party>> for Parties {
    fn from(parties: Vec<v1::Party>) -> Self {
        Self {
            parties: all(parties),
        }
    }
}

impl From<v1::Party> for Party {
    fn from(party: v1::Party) -> Self {
        Self {
            party_id: party.party_id,
            name: party.name,
            roles: shorts::<v1::Role>(&party.roles),
            oins: all(party.oins),
            contact: party.contact.map(Contact::from),
            officer_for_party_id: party.officer_for_party_id,
            delegates: all(party.delegates),
            suspensions: all(party.suspensions),
            succession: party.succession.map(|found| Succession {
                successor_party_id: found.successor_party_id,
                from: instant::shown_if(found.from.as_ref()),
            }),
            units: all(party.units),
        }
    }
}

impl From<v1::DatedOin> for DatedOin {
    fn from(dated: v1::DatedOin) -> Self {
        Self {
            oin: dated.oin,
            period: dated.period.map(Period::from),
            anchor: dated.anchor,
        }
    }
}

impl From<v1::Unit> for Unit {
    fn from(unit: v1::Unit) -> Self {
        Self {
            unit_id: unit.unit_id,
            name: unit.name,
            period: unit.period.map(Period::from),
            oin: unit.oin,
        }
    }
}

impl From<v1::Delegation> for Delegation {
    fn from(delegation: v1::Delegation) -> Self {
        Self {
            delegate_party_id: delegation.delegate_party_id,
            period: delegation.period.map(Period::from),
        }
    }
}

impl View for Parties {
    fn write(&self, page: &mut Page) {
        let rows: Vec<_> = self.parties.iter().map(Party::row).collect();
        page.table(&rows);
    }
}

impl Party {
    fn row(&self) -> (String, String) {
        let last = self.suspensions.last();
        let suspended = last.is_some_and(|period| period.until.is_none());
        let suspended = if suspended { ", suspended" } else { "" };
        let units = match self.units.len() {
            0 => String::new(),
            1 => ", 1 unit".to_owned(),
            many => format!(", {many} units"),
        };
        let told = format!(
            "{} ({}{units}{suspended})",
            self.name,
            self.roles.join(", ")
        );
        (self.party_id.clone(), told)
    }
}

impl View for Party {
    fn write(&self, page: &mut Page) {
        page.line(&format!("{}: {}", self.party_id, self.name));
        page.blank();
        page.indented(|page| {
            page.pairs("roles", &self.roles);
            page.pair_if("officer for", self.officer_for_party_id.as_deref());
            page.pair_if(
                "contact",
                self.contact.as_ref().map(Contact::spoken).as_deref(),
            );
            for dated in &self.oins {
                let under = dated
                    .anchor
                    .as_ref()
                    .map(|anchor| format!(" under {anchor}"));
                let oin = format!("{}{}", dated.oin, under.unwrap_or_default());
                page.pair("OIN", &dated_text(&oin, dated.period.as_ref()));
            }
            for unit in &self.units {
                let oin = unit.oin.as_ref().map(|oin| format!(", OIN {oin}"));
                let told = format!("{}: {}{}", unit.unit_id, unit.name, oin.unwrap_or_default());
                page.pair("unit", &dated_text(&told, unit.period.as_ref()));
            }
            for delegation in &self.delegates {
                let told = dated_text(&delegation.delegate_party_id, delegation.period.as_ref());
                page.pair("delegate", &told);
            }
            for suspension in &self.suspensions {
                page.pair("suspended", &suspension.spoken());
            }
            if let Some(found) = &self.succession {
                let from = found
                    .from
                    .as_deref()
                    .map(instant::spoken)
                    .unwrap_or_default();
                page.pair(
                    "successor",
                    &format!("{} from {from}", found.successor_party_id),
                );
            }
        });
    }
}

fn dated_text(text: &str, period: Option<&Period>) -> String {
    match period {
        Some(period) => format!("{text}, {}", period.spoken()),
        None => text.to_owned(),
    }
}
