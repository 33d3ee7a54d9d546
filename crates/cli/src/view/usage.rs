//! What parties may receive beside what they received, gathered over the pages of an answer.

use schakel_api::v1;
use serde::Serialize;

use super::{Receipt, all, replay::looked};
use crate::{
    code::{short, shorts, spoken},
    instant,
    output::View,
    page::Page,
};

/// Party by party.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Usages {
    parties: Vec<Usage>,
    receipt: Option<Receipt>,
}

/// One party.
#[derive(Clone, Debug, Serialize)]
struct Usage {
    party_id: String,
    roles: Vec<RoleUse>,
    rights: Vec<RightUse>,
    unreadable: u64,
}

/// What was received in a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct RoleUse {
    role: String,
    #[serde(flatten)]
    used: Used,
}

/// What was received of one condition for one version of a purpose.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct RightUse {
    purpose: String,
    purpose_version: u32,
    condition: String,
    granularity: String,
    roles: Vec<String>,
    granted: bool,
    #[serde(flatten)]
    used: Used,
}

/// How often, and when last.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Used {
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_at: Option<String>,
}

impl Usages {
    /// Adds a page: rows that have everything but their numbers in common become one.
    pub(crate) fn add(&mut self, page: v1::GetUsageResponse) {
        let more = Usage {
            party_id: page.party_id,
            roles: all(page.roles),
            rights: all(page.rights),
            unreadable: page.unreadable,
        };
        match self.parties.last_mut() {
            Some(last) if last.party_id == more.party_id => last.add(more),
            _ => self.parties.push(more),
        }
        self.receipt = page.receipt.map(Receipt::from);
    }
}

impl Usage {
    fn add(&mut self, more: Self) {
        for row in more.roles {
            match self.roles.iter_mut().find(|there| there.role == row.role) {
                Some(there) => there.used.add(row.used),
                None => self.roles.push(row),
            }
        }
        for row in more.rights {
            let same = |there: &&mut RightUse| {
                let of = |right: &RightUse| {
                    let (purpose, condition) = (&right.purpose, &right.condition);
                    (purpose.clone(), right.purpose_version, condition.clone())
                };
                of(there) == of(&row)
            };
            match self.rights.iter_mut().find(same) {
                Some(there) => there.used.add(row.used),
                None => self.rights.push(row),
            }
        }
        self.unreadable += more.unreadable;
    }
}

impl Used {
    fn of(count: u64, last_at: Option<&prost_types::Timestamp>) -> Self {
        Self {
            count,
            last_at: instant::shown_if(last_at),
        }
    }

    /// Later pages tell of what was earlier.
    fn add(&mut self, earlier: Self) {
        self.count += earlier.count;
        self.last_at = self.last_at.take().or(earlier.last_at);
    }

    fn spoken(&self) -> String {
        let last = self.last_at.as_deref().map(instant::spoken);
        match (self.count, last) {
            (0, _) => "never used".to_owned(),
            (1, last) => format!("once, {}", last.unwrap_or_default()),
            (count, last) => format!("{count} times, last {}", last.unwrap_or_default()),
        }
    }
}

impl From<v1::RoleUse> for RoleUse {
    fn from(row: v1::RoleUse) -> Self {
        Self {
            role: short::<v1::Role>(row.role),
            used: Used::of(row.count, row.last_at.as_ref()),
        }
    }
}

impl From<v1::RightUse> for RightUse {
    fn from(row: v1::RightUse) -> Self {
        Self {
            purpose: row.purpose,
            purpose_version: row.purpose_version,
            condition: short::<v1::Condition>(row.condition),
            granularity: short::<v1::Granularity>(row.granularity),
            roles: shorts::<v1::Role>(&row.roles),
            granted: row.granted,
            used: Used::of(row.count, row.last_at.as_ref()),
        }
    }
}

impl View for Usages {
    fn write(&self, page: &mut Page) {
        for (at, party) in self.parties.iter().enumerate() {
            if at > 0 {
                page.blank();
            }
            party.write(page);
        }
        looked(self.receipt.as_ref(), page);
    }
}

impl Usage {
    fn write(&self, page: &mut Page) {
        page.line(&self.party_id);
        page.indented(|page| {
            let roles = self.roles.iter();
            let role = |row: &RoleUse| (format!("as {}", spoken(&row.role)), row.used.spoken());
            page.table(&roles.map(role).collect::<Vec<_>>());
            let of = |row: &RightUse| (row.purpose.clone(), row.purpose_version);
            for rights in self.rights.chunk_by(|one, next| of(one) == of(next)) {
                if let Some((purpose, version)) = rights.first().map(of) {
                    page.line(&format!("for {purpose}, version {version}"));
                }
                let right = |row: &RightUse| (spoken(&row.condition), row.spoken());
                let rows: Vec<_> = rights.iter().map(right).collect();
                page.indented(|page| page.table(&rows));
            }
            if self.rights.is_empty() {
                page.line("no purpose lets it receive anything");
            }
            if self.unreadable > 0 {
                let many = self.unreadable;
                page.line(&format!(
                    "{many} more can no longer be read: what is never used may have been"
                ));
            }
        });
    }
}

impl RightUse {
    fn spoken(&self) -> String {
        let gone = if self.granted {
            ""
        } else {
            "; not granted any more"
        };
        format!("{}{gone}", self.used.spoken())
    }
}
