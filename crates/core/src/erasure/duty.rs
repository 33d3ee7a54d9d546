//! How long the law has a controller keep what it asks to be erased.

use crate::{
    consent::Consent,
    event::{Delivered, Event},
    id::PartyId,
    time::Timestamp,
};

/// A legal duty to keep something until an instant (AVG 17(3)(b)).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Duty {
    /// A code.
    pub code: String,
    /// Where it stands in the law.
    pub law: String,
    /// When it ends.
    pub until: Timestamp,
}

/// Four years in days, a leap day among them: what is documented of a disclosure of criminal data.
const DISCLOSURE_DAYS: u32 = 1461;
/// Five years in days, with two leap days: the log of care, and what shows that there was a consent.
const CARE_DAYS: u32 = 1827;

impl Duty {
    /// The duty to keep an entry of this event; `care` when its class is that of care. `None` when there is none.
    #[must_use]
    pub fn of_entry(event: &Event, care: bool, at: Timestamp) -> Option<Self> {
        if care {
            let until = at.plus_days(CARE_DAYS);
            return Some(Self::new("CARE_LOG", "Stcrt 2019, 38007", until));
        }
        match event {
            Event::Disclosed(_)
            | Event::Delivered(Delivered {
                disclosed: Some(_), ..
            }) => {
                let until = at.plus_days(DISCLOSURE_DAYS);
                Some(Self::new("DISCLOSURE_RECORD", "Wjsg 51c(4)", until))
            }
            _ => None,
        }
    }

    /// The duty of a controller to be able to show a consent. `None` when it is not concerned.
    #[must_use]
    pub fn of_consent(consent: &Consent, controller: &PartyId) -> Option<Self> {
        let terms = &consent.terms;
        let concerned = terms.collected_by == *controller
            || terms.providers.contains(controller)
            || terms.recipients.contains(controller);
        let until = terms.valid_until.plus_days(CARE_DAYS);
        concerned.then(|| Self::new("CONSENT_RECORD", "AVG 7(1)", until))
    }

    fn new(code: &str, law: &str, until: Timestamp) -> Self {
        Self {
            code: code.to_owned(),
            law: law.to_owned(),
            until,
        }
    }
}
