//! What may be registered.

use super::{Change, Registry};
use crate::{id::PartyId, invalid::Invalid, party::Party, purpose::PurposeVersion};

impl Registry {
    /// Checks a change against what is registered, before it is proposed and again before it is made.
    ///
    /// # Errors
    /// The first rule that is broken, with the field it is about.
    pub fn check(&self, change: &Change) -> Result<(), (&'static str, Invalid)> {
        match change {
            Change::PutParty(party) => self.check_party(party),
            Change::SuspendParty(id) | Change::ReinstateParty(id) => self
                .party(id)
                .map(|_| ())
                .ok_or(("party", Invalid::new("must be a registered party"))),
            Change::PutPurpose(version) => self.check_purpose(version),
            Change::WithdrawPurpose(code, version) => {
                let registered = self.purposes.get(code).and_then(|all| all.get(version));
                match registered {
                    Some(found) if found.withdrawn_at.is_none() => Ok(()),
                    Some(_) => Err(("version", Invalid::new("must not be withdrawn already"))),
                    None => Err((
                        "version",
                        Invalid::new("must be a registered purpose version"),
                    )),
                }
            }
        }
    }

    fn check_party(&self, party: &Party) -> Result<(), (&'static str, Invalid)> {
        party.check()?;
        let taken =
            self.parties()
                .filter(|other| other.id != party.id)
                .any(|other| {
                    other.oins.iter().any(|theirs| {
                        party.oins.iter().any(|ours| {
                            ours.oin == theirs.oin && ours.period.overlaps(&theirs.period)
                        })
                    })
                });
        if taken {
            let rule = "must not be another party's number in the same period";
            return Err(("oins", Invalid::new(rule)));
        }
        let known = |id: &PartyId| *id == party.id || self.party(id).is_some();
        if party.officer_for.as_ref().is_some_and(|id| !known(id)) {
            return Err(("officer_for", Invalid::new("must be a registered party")));
        }
        if !party.delegates.iter().all(|given| known(&given.delegate)) {
            return Err(("delegates", Invalid::new("must be registered parties")));
        }
        Ok(())
    }

    fn check_purpose(&self, version: &PurposeVersion) -> Result<(), (&'static str, Invalid)> {
        version.check()?;
        let newest = self
            .purposes
            .get(&version.code)
            .and_then(|all| all.keys().next_back().copied());
        if newest.unwrap_or(0).checked_add(1) != Some(version.version) {
            let rule =
                "must follow the newest registered version by one; versions are never replaced";
            return Err(("version", Invalid::new(rule)));
        }
        Ok(())
    }
}
