//! How long a controller keeps what it asks to be erased: by a duty in law, or by this broker's own term.

use crate::{
    consent::{Consent, ConsentState},
    decide::Grant,
    event::{Delivered, Event},
    id::PartyId,
    time::Timestamp,
};

/// Why something is kept until an instant: a legal duty (AVG 17(3)(b)), or a term that is this broker's own choice,
/// as its code then says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Duty {
    /// A code. One that begins with `OWN_TERM` is no duty in law.
    pub code: String,
    /// Where it stands in the law.
    pub law: String,
    /// The first instant at which it no longer holds.
    pub until: Timestamp,
}

/// Four years in days, a leap day among them (Wjsg 51c(4)).
const DISCLOSURE_DAYS: u32 = 1461;
/// Five years in days, with two leap days (Stcrt 2019, 38007).
const CARE_DAYS: u32 = 1827;

impl Duty {
    /// The duty of a controller to keep an entry of this event; `care` when its class is that of care. `None` when
    /// there is none.
    ///
    /// Whoever provides under Wjsg 51c documents that (51c(4)). It is the provider's duty alone: to others, who
    /// received it or exchanged on another basis, it would name a law on criminal data that is none of theirs.
    #[must_use]
    pub fn of_entry(
        event: &Event,
        controller: &PartyId,
        care: bool,
        at: Timestamp,
    ) -> Option<Self> {
        if care {
            let until = at.plus_days(CARE_DAYS);
            return Some(Self::new("CARE_LOG", "Stcrt 2019, 38007", until));
        }
        let (Event::Disclosed(disclosed)
        | Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        })) = event
        else {
            return None;
        };
        let provided = |grant: &Grant| {
            grant.provider == *controller && grant.provider_basis.basis.is_wjsg_51c()
        };
        let until = at.plus_days(DISCLOSURE_DAYS);
        let documented = disclosed.grants.iter().any(provided);
        documented.then(|| Self::new("DISCLOSURE_RECORD", "Wjsg 51c(4)", until))
    }

    /// For how long a controller keeps what shows that there was a consent. The law asks that it can be shown
    /// (AVG 7(1)) and names no term: this one is the broker's own, in months after the consent ended. `None` when
    /// the controller is not concerned, or the person never agreed.
    #[must_use]
    pub fn of_consent(consent: &Consent, controller: &PartyId, kept_months: u32) -> Option<Self> {
        let mut states = consent.history.iter().map(|step| step.state);
        if !consent.involves(controller) || !states.any(ConsentState::permits) {
            return None;
        }
        let ended = consent.ended_at(Timestamp::MAX)?;
        let until = ended.month_after(kept_months);
        Some(Self::new(
            "OWN_TERM_CONSENT_RECORD",
            "AVG 7(1), which names no term",
            until,
        ))
    }

    fn new(code: &str, law: &str, until: Timestamp) -> Self {
        Self {
            code: code.to_owned(),
            law: law.to_owned(),
            until,
        }
    }
}
