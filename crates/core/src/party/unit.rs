//! Units: the parts of an organisation, such as a department or a location, for which its employees act.

use serde::{Deserialize, Serialize};

use super::Party;
use crate::{
    id::{Oin, UnitId},
    invalid::Invalid,
    time::{Period, Timestamp},
};

/// The most units that are kept of a party. Bounds its size on disk and in a list of parties.
pub const MOST_UNITS: usize = 40;

/// A part of an organisation in the period in which it was one. It has the rights of its party and none of its own;
/// that it acted stands in the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its id within the party, stable when its name changes.
    pub id: UnitId,
    /// Its name as people know it, 1 to 100 characters.
    pub name: String,
    /// When it is a unit of the party. The same id may come back later, or under another name.
    pub period: Period,
    /// A number of its own (OIN-Stelsel: a sub-OIN), one of the party's. Whoever connects with it acts for this unit
    /// and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oin: Option<Oin>,
}

impl Unit {
    /// Whether two may stand side by side: neither the id nor the number is another's at one time.
    fn may_stand_beside(&self, other: &Self) -> bool {
        let alike = self.id == other.id || (self.oin.is_some() && self.oin == other.oin);
        !(alike && self.period.overlaps(&other.period))
    }
}

impl Party {
    /// The unit with this id at this instant.
    #[must_use]
    pub fn unit(&self, id: &UnitId, at: Timestamp) -> Option<&Unit> {
        let mut units = self.units.iter();
        units.find(|unit| unit.id == *id && unit.period.contains(at))
    }

    /// Whether the party has, had or will have a unit with this id.
    #[must_use]
    pub fn knows_unit(&self, id: &UnitId) -> bool {
        self.units.iter().any(|unit| unit.id == *id)
    }

    /// The unit whose own number this is at this instant, else the one whose number it was or will be; `None` for
    /// a number of the party as a whole.
    #[must_use]
    pub fn unit_with(&self, oin: &Oin, at: Timestamp) -> Option<&Unit> {
        let units = self.units.iter();
        let own = units.filter(|unit| unit.oin.as_ref() == Some(oin));
        own.max_by_key(|unit| (unit.period.contains(at), unit.period.from))
    }

    pub(super) fn check_units(&self) -> Result<(), (&'static str, Invalid)> {
        if self.units.len() > MOST_UNITS {
            return Err(("units", Invalid::new("must be at most 40")));
        }
        let named = |unit: &Unit| (1..=100).contains(&unit.name.chars().count());
        if !self.units.iter().all(named) {
            let rule = "must each have a name of 1 to 100 characters";
            return Err(("units", Invalid::new(rule)));
        }
        let held = |oin: &Oin| self.oins.iter().any(|dated| dated.oin == *oin);
        if !self
            .units
            .iter()
            .filter_map(|unit| unit.oin.as_ref())
            .all(held)
        {
            let rule = "must each have a number out of the party's `oins`, or none";
            return Err(("units", Invalid::new(rule)));
        }
        let mut rest = self.units.as_slice();
        while let Some((unit, others)) = rest.split_first() {
            if !others.iter().all(|other| unit.may_stand_beside(other)) {
                let rule = "must not have one id or one number twice in the same period";
                return Err(("units", Invalid::new(rule)));
            }
            rest = others;
        }
        Ok(())
    }
}
