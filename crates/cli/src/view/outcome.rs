//! Outcomes: what was wanted, or the uniform denial.

use schakel_api::v1;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::Receipt;
use crate::{
    exit::{Exit, Failure},
    output::View,
    page::Page,
    session::Session,
};

/// What came of a call: under its name in `proto/`, or `not_disclosed`.
#[derive(Clone, Debug)]
pub(crate) enum Outcome<V> {
    /// What was wanted.
    Told(&'static str, V),
    /// Nothing may be told.
    NotDisclosed(String),
}

/// A change that was made, and nothing more to tell.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Done {
    #[serde(skip)]
    said: String,
    receipt: Option<Receipt>,
}

/// Something new with its id.
#[derive(Clone, Debug)]
pub(crate) struct Confirmed {
    said: String,
    field: &'static str,
    id: String,
    receipt: Option<Receipt>,
}

/// Several answers in the order of the questions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answers<V: Serialize> {
    pub(crate) answers: Vec<Outcome<V>>,
}

impl<V> Outcome<V> {
    /// The uniform denial.
    pub(crate) fn denied(denial: &v1::NotDisclosed) -> Self {
        Self::NotDisclosed(hex::encode(&denial.reference))
    }

    /// The part that the client has made sure is there.
    pub(crate) fn of(outcome: Option<Self>) -> Result<Self, Failure> {
        let said = "The answer of the broker is incomplete: it has no outcome.";
        outcome.ok_or_else(|| Failure::new(Exit::Unproved, said))
    }
}

impl<V: View> Outcome<V> {
    /// Shows it and says how the command ends.
    pub(crate) fn show(&self, session: &Session) -> Exit {
        session.show(self);
        match self {
            Self::Told(..) => Exit::Done,
            Self::NotDisclosed(_) => Exit::NotDisclosed,
        }
    }
}

impl<V: Serialize> Serialize for Outcome<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Denial<'a> {
            reference: &'a str,
        }
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Told(name, told) => map.serialize_entry(name, told)?,
            Self::NotDisclosed(reference) => {
                map.serialize_entry("not_disclosed", &Denial { reference })?;
            }
        }
        map.end()
    }
}

impl<V: View> View for Outcome<V> {
    fn write(&self, page: &mut Page) {
        match self {
            Self::Told(_, told) => told.write(page),
            Self::NotDisclosed(reference) => {
                page.line("Not disclosed.");
                page.line(&format!(
                    "Quote reference {reference} to the privacy officer who asks why."
                ));
            }
        }
    }
}

impl Done {
    /// Says what was done.
    pub(crate) fn new(said: impl Into<String>, receipt: Option<v1::Receipt>) -> Self {
        Self {
            said: said.into(),
            receipt: receipt.map(Receipt::from),
        }
    }
}

impl View for Done {
    fn write(&self, page: &mut Page) {
        page.line(&self.said);
        Receipt::write(self.receipt.as_ref(), page);
    }
}

impl Confirmed {
    /// Says what is new, with its id under this field.
    pub(crate) fn new(
        said: impl Into<String>,
        (field, id): (&'static str, String),
        receipt: Option<v1::Receipt>,
    ) -> Self {
        Self {
            said: said.into(),
            field,
            id,
            receipt: receipt.map(Receipt::from),
        }
    }
}

impl Serialize for Confirmed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.field, &self.id)?;
        map.serialize_entry("receipt", &self.receipt)?;
        map.end()
    }
}

impl View for Confirmed {
    fn write(&self, page: &mut Page) {
        page.line(&self.said);
        Receipt::write(self.receipt.as_ref(), page);
    }
}

impl<V: View> View for Answers<V> {
    fn write(&self, page: &mut Page) {
        for (at, answer) in self.answers.iter().enumerate() {
            if at > 0 {
                page.blank();
            }
            page.line(&format!("Question {}:", at + 1));
            page.indented(|page| answer.write(page));
        }
    }
}
