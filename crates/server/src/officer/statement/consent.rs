//! The consents of the person, each with its ends.

use schakel_api::v1;
use schakel_core::{
    consent::{Consent, ConsentState},
    dossier::Dossier,
    id::PartyId,
};

use super::{super::held, Maker};
use crate::{
    trail::TrailError,
    wire::{
        code::{Coded as _, to_wire},
        terms::texts,
        time::instant,
    },
};

impl Maker<'_> {
    pub(super) fn consents(
        &self,
        dossier: &Dossier,
    ) -> Result<Vec<v1::StatementConsent>, TrailError> {
        let involved = held::involved(self.trail, dossier, self.viewer.controller())?;
        let told = involved.into_iter().filter_map(|consent| {
            let terms = &consent.terms;
            let (by, veil) = (&terms.collected_by, self.viewer.veil());
            let purposes = veil.purposes(terms);
            let titles = purposes.iter();
            let titles = titles.map(|code| self.title(code).unwrap_or_else(|| code.to_string()));
            Some(v1::StatementConsent {
                consent_id: consent.id.to_string(),
                state: consent.state(self.now)?.to_wire(),
                kind: terms.kind.to_wire(),
                conditions: to_wire(veil.conditions(terms)),
                purpose_titles: titles.collect(),
                purposes: texts(&purposes),
                providers: self.all_named(veil.parties(by, &terms.providers)),
                recipients: self.all_named(veil.parties(by, &terms.recipients)),
                valid_from: Some(instant(terms.valid_from)),
                valid_until: Some(instant(terms.valid_until)),
                collected_by: self.unveiled(by),
                narrowed: veil.is_narrowed(consent, self.now),
                ended: self.ends(consent),
            })
        });
        Ok(told.collect())
    }

    /// Its ends so far, in the order in which they were recorded: those of parts as far as they are shown.
    fn ends(&self, consent: &Consent) -> Vec<v1::StatementConsentEnd> {
        let veil = self.viewer.veil();
        let whole = consent.history.iter().filter(|step| step.at <= self.now);
        let whole = whole.filter(|step| ends(step.state)).map(|step| {
            let end = v1::StatementConsentEnd {
                state: step.state.to_wire(),
                at: Some(instant(step.at)),
                party: self.unveiled(&step.by),
                ..v1::StatementConsentEnd::default()
            };
            (step.entry, end)
        });
        let parts = consent.narrowed.iter().filter(|part| part.at <= self.now);
        let parts = parts.filter_map(|part| {
            let conditions = veil.ended(&consent.terms, part)?;
            let end = v1::StatementConsentEnd {
                state: part.state.to_wire(),
                at: Some(instant(part.at)),
                party: self.unveiled(&part.by),
                conditions: to_wire(conditions),
                recipient: part.recipient.as_ref().map(|party| self.named(party)),
            };
            Some((part.entry, end))
        });
        let mut ended: Vec<_> = whole.chain(parts).collect();
        ended.sort_by_key(|(entry, _)| *entry);
        ended.into_iter().map(|(_, end)| end).collect()
    }

    /// Who did something with a consent, where that is told.
    fn unveiled(&self, party: &PartyId) -> Option<v1::NamedParty> {
        self.viewer
            .veil()
            .names(party)
            .map(|party| self.named(party))
    }
}

/// Whether a consent that comes to a state has ended by that.
const fn ends(state: ConsentState) -> bool {
    match state {
        ConsentState::Withdrawn | ConsentState::Revoked | ConsentState::Invalidated => true,
        ConsentState::Requested
        | ConsentState::Deferred
        | ConsentState::Refused
        | ConsentState::Given
        | ConsentState::Renewed
        | ConsentState::Expired => false,
    }
}
