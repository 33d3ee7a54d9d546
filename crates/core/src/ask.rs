//! The request to release something about a person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    code::{Condition, Granularity},
    id::PurposeCode,
    person::SubjectRef,
};

/// What a party asks to have disclosed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Whom it is about.
    pub subject: SubjectRef,
    /// What it is for.
    pub purpose: PurposeCode,
    /// A version of the purpose; without one, the version in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The conditions asked for, at least one.
    pub conditions: BTreeSet<Condition>,
    /// The most the caller wants to be told.
    pub granularity: Granularity,
}
