//! What may be registered.

use super::{Change, Registry, peer::MOST_SUCCESSIONS};
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
            Change::BlockCertificate(certificate, _) if self.blocks(&certificate.0) => {
                Err(("certificate", Invalid::new("must not be blocked already")))
            }
            Change::BlockCertificate(..) => Ok(()),
            Change::UnblockCertificate(certificate) if self.blocks(&certificate.0) => Ok(()),
            Change::UnblockCertificate(_) => {
                Err(("certificate", Invalid::new("must be a blocked certificate")))
            }
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
        self.check_succession(party)
    }

    fn check_succession(&self, party: &Party) -> Result<(), (&'static str, Invalid)> {
        let mut next = party.succession.as_ref();
        for _ in 0..MOST_SUCCESSIONS {
            let Some(succession) = next else {
                return Ok(());
            };
            let Some(successor) = self.party(&succession.successor) else {
                return Err(("succession", Invalid::new("must name a registered party")));
            };
            if successor.id == party.id {
                break;
            }
            next = successor.succession.as_ref();
        }
        let rule = "must not lead back to the party, nor over more than 8 successors";
        Err(("succession", Invalid::new(rule)))
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
