//! Whom the records of a person are about, beside the person.
//!
//! A party may name anybody: by looking, by asking, by passing on a withdrawal. That it did says nothing of the
//! person, so it makes no one concerned. Were it otherwise, a party that asks twice would be shown its first
//! question for somebody known to the broker and not for nobody.
//!
//! Whoever asks whether a party has to do with a person asks here: what a call by a name is decided and filed
//! about, whom an officer is shown, and what an erasure is of.

use super::{Dossier, Introduction};
use crate::{case::Case, id::PartyId, person::Identifier};

impl Dossier {
    /// Whether anything held of the person concerns a party, other than that the party, or its privacy officer, named
    /// the person.
    #[must_use]
    pub fn concerns(&self, party: &PartyId) -> bool {
        let Self {
            subject: _,
            identifiers,
            // A party gets a key for a withdrawal or an objection that it passed on as well.
            slots: _,
            cases,
            consents,
            statuses,
            // One is recorded by whoever the person turns to.
            restrictions: _,
            introductions,
            served,
            notices,
        } = self;
        let marks = |id: &Identifier| match id {
            Identifier::ClientRef(of, _) => of == party,
            Identifier::Bsn(_) | Identifier::Skn(_) => false,
        };
        identifiers.keys().any(marks)
            || cases.values().any(|case| case.ever_had(party))
            || consents.values().any(|consent| consent.involves(party))
            || statuses.keys().any(|(_, _, reporter)| reporter == party)
            || introductions.values().any(|code| code.partner == *party)
            || served
                .values()
                .any(|served| served.recipient == *party || served.providers.contains(party))
            || notices.values().any(|notice| notice.recipient == *party)
    }

    /// Whether a party ever had a place in a case of the person, also one to which it was introduced and from which
    /// it was removed since.
    #[must_use]
    pub fn ever_placed(&self, party: &PartyId, case: &Case) -> bool {
        let mut codes = self.introductions.values();
        let introduced =
            |code: &Introduction| code.redeemed && code.case == case.id && code.partner == *party;
        case.ever_had(party) || codes.any(introduced)
    }
}
