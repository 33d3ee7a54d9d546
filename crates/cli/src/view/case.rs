//! A case.

use schakel_api::v1;
use serde::Serialize;

use super::{Period, Receipt, all};
use crate::{instant, output::View, page::Page};

/// A trajectory, as a party with a place in it sees it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Case {
    case_id: String,
    opened_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
    opened_by: String,
    municipalities: Vec<Assignment>,
    members: Vec<Assignment>,
    receipt: Option<Receipt>,
}

/// A party's place in a period.
#[derive(Clone, Debug, Serialize)]
struct Assignment {
    party_id: String,
    period: Option<Period>,
}

impl From<v1::Case> for Case {
    fn from(case: v1::Case) -> Self {
        Self {
            case_id: case.case_id,
            opened_at: instant::shown_if(case.opened_at.as_ref()),
            closed_at: instant::shown_if(case.closed_at.as_ref()),
            opened_by: case.opened_by,
            municipalities: all(case.municipalities),
            members: all(case.members),
            receipt: case.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::Assignment> for Assignment {
    fn from(assignment: v1::Assignment) -> Self {
        Self {
            party_id: assignment.party_id,
            period: assignment.period.map(Period::from),
        }
    }
}

impl Assignment {
    fn spoken(&self) -> String {
        match &self.period {
            Some(period) => format!("{}, {}", self.party_id, period.spoken()),
            None => self.party_id.clone(),
        }
    }
}

impl View for Case {
    fn write(&self, page: &mut Page) {
        page.line(&format!("Case {}", self.case_id));
        page.blank();
        page.indented(|page| {
            let opened = self
                .opened_at
                .as_deref()
                .map(instant::spoken)
                .unwrap_or_default();
            page.pair("opened", &format!("{opened}, by {}", self.opened_by));
            page.pair_if(
                "closed",
                self.closed_at.as_deref().map(instant::spoken).as_deref(),
            );
            for municipality in &self.municipalities {
                page.pair("municipality", &municipality.spoken());
            }
            for member in &self.members {
                page.pair("member", &member.spoken());
            }
        });
        page.blank();
        Receipt::write(self.receipt.as_ref(), page);
    }
}
