//! Worlds made up at random: any registry, dossier and question, sensible or not.

mod choices;

use proptest::prelude::*;
use schakel_core::{
    ask::Ask,
    code::Role,
    decide::{Denial, Permit, decide},
    dossier::Dossier,
    id::{EntryIndex, PartyId},
    party::Peer,
    purpose::PurposeVersion,
    registry::{Change, Registry},
    time::{Period, Timestamp},
};

use self::choices::Choices;
use super::scene::{at, registered};

/// A question with everything it is decided from.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The parties.
    pub(crate) parties: Vec<(PartyId, Vec<Role>)>,
    /// The one purpose.
    pub(crate) version: PurposeVersion,
    /// The one person.
    pub(crate) dossier: Dossier,
    /// The question.
    pub(crate) ask: Ask,
    /// Who asks.
    pub(crate) asker: PartyId,
    /// When.
    pub(crate) now: Timestamp,
}

/// Any world, at an instant in the middle of things.
pub(crate) fn any_world() -> impl Strategy<Value = World> {
    proptest::collection::vec(any::<u8>(), 700)
        .prop_map(|bytes| Choices::new(bytes, at("2026-06-01T12:00:00Z")).world())
}

impl World {
    pub(crate) fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        for (id, roles) in &self.parties {
            let party = registered(id.as_str(), roles.clone());
            registry.make(&Change::PutParty(party), EntryIndex(0), self.now);
        }
        let put = Change::PutPurpose(self.version.clone());
        registry.make(&put, EntryIndex(0), self.now);
        registry
    }

    pub(crate) fn peer(&self) -> Peer {
        Peer {
            principal: self.asker.clone(),
            transport: self.asker.clone(),
            roles: self.roles(&self.asker).to_vec(),
            unit: None,
        }
    }

    pub(crate) fn roles(&self, id: &PartyId) -> &[Role] {
        let found = self.parties.iter().find(|(known, _)| known == id);
        found.map_or(&[], |(_, roles)| roles)
    }

    pub(crate) fn decide(&self) -> Result<Permit, Denial> {
        decide(
            &self.ask,
            &self.peer(),
            Some(&self.dossier),
            &self.registry(),
            self.now,
        )
    }

    /// The same world with everything some days later.
    pub(crate) fn later(&self, days: u32) -> Self {
        let mut world = self.clone();
        let shift = |at: &mut Timestamp| *at = at.plus_days(days);
        let period = |period: &mut Period| {
            shift(&mut period.from);
            period.until.iter_mut().for_each(shift);
        };
        shift(&mut world.now);
        period(&mut world.version.validity);
        for case in world.dossier.cases.values_mut() {
            shift(&mut case.opened_at);
            case.closed_at.iter_mut().for_each(shift);
            let places = case.returns.iter_mut().chain(&mut case.members);
            places.for_each(|place| period(&mut place.period));
        }
        for consent in world.dossier.consents.values_mut() {
            shift(&mut consent.terms.valid_from);
            shift(&mut consent.terms.valid_until);
            consent
                .history
                .iter_mut()
                .for_each(|step| shift(&mut step.at));
            consent
                .narrowed
                .iter_mut()
                .for_each(|part| shift(&mut part.at));
        }
        for restriction in world.dossier.restrictions.values_mut() {
            shift(&mut restriction.from);
            restriction.lifted_at.iter_mut().for_each(shift);
        }
        world
    }
}
