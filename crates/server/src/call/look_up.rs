//! Looking into the trail.

use schakel_core::{
    id::{EntryIndex, PurposeCode},
    person::SubjectRef,
};

/// A look into the trail that is about to be shown.
#[derive(Debug)]
pub struct LookUp {
    /// What for.
    pub purpose: Option<PurposeCode>,
    /// Whom it was about.
    pub subject: Option<SubjectRef>,
    /// Which entry it was about.
    pub entry: Option<EntryIndex>,
    /// The rest of the question in words: filters and their values.
    pub question: String,
    /// How many results are shown.
    pub results: u32,
    /// Whether the answer is a denial: shown as the uniform one.
    pub denied: bool,
}
