//! What a party may be told.

use schakel_api::v1;
use serde::Serialize;

use super::{LegalBasis, Receipt, all};
use crate::{
    code::{short, spoken},
    instant,
    output::View,
    page::Page,
};

/// What a party may be told about a person.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rights {
    rights: Vec<Right>,
    receipt: Option<Receipt>,
}

/// What may be told of one condition for one purpose.
#[derive(Clone, Debug, Serialize)]
struct Right {
    purpose: String,
    purpose_version: u32,
    condition: String,
    granularity: String,
    counterpart_party_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_basis: Option<LegalBasis>,
    recipient_basis: Option<LegalBasis>,
    retention_days: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl From<v1::Rights> for Rights {
    fn from(rights: v1::Rights) -> Self {
        Self {
            rights: all(rights.rights),
            receipt: rights.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::Right> for Right {
    fn from(right: v1::Right) -> Self {
        Self {
            purpose: right.purpose,
            purpose_version: right.purpose_version,
            condition: short::<v1::Condition>(right.condition),
            granularity: short::<v1::Granularity>(right.granularity),
            counterpart_party_id: right.counterpart_party_id,
            provider_basis: right.provider_basis.map(LegalBasis::from),
            recipient_basis: right.recipient_basis.map(LegalBasis::from),
            retention_days: right.retention_days,
            until: instant::shown_if(right.until.as_ref()),
        }
    }
}

impl View for Rights {
    fn write(&self, page: &mut Page) {
        page.line("You may ask now:");
        page.blank();
        let mut purpose = None;
        page.indented(|page| {
            for right in &self.rights {
                let of = (&right.purpose, right.purpose_version);
                if purpose.replace(of) != Some(of) {
                    page.line(&format!("for {}, version {}", of.0, of.1));
                }
                page.indented(|page| right.write(page));
                page.blank();
            }
        });
        page.line("Every ask is decided anew: a withdrawal, a restriction or a closed case ends this sooner.");
        Receipt::write(self.receipt.as_ref(), page);
    }
}

impl Right {
    fn write(&self, page: &mut Page) {
        page.pair(&spoken(&self.condition), &spoken(&self.granularity));
        page.indented(|page| {
            page.pair("talk to", &self.counterpart_party_id);
            let basis = |basis: &Option<LegalBasis>| basis.as_ref().map(LegalBasis::spoken);
            page.pair_if("provided under", basis(&self.provider_basis).as_deref());
            page.pair_if("received under", basis(&self.recipient_basis).as_deref());
            let until = self.until.as_deref().map(instant::spoken);
            page.pair("until", until.as_deref().unwrap_or("no end is set"));
        });
    }
}
