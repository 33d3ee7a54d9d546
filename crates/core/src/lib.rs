//! The rules of Schakel as plain values: parties, purposes, bases, consents, cases, and the decision
//! whether something about a person may be disclosed.
//!
//! Nothing here knows a clock, a disk, a socket or a runtime: time and randomness are parameters.
//! The journey of a disclosure is a chain of values that cannot be forged: an [`ask::Ask`] is decided by
//! [`decide::decide`] into a [`decide::Permit`] or a [`decide::Denial`]; the permit is spent by
//! [`minimise::minimise`]; and what that yields opens only for whoever proves, with
//! [`minimise::Durable`], that the audit trail already holds the entry.

pub mod ask;
pub mod case;
pub mod catalogue;
pub mod certificate;
pub mod code;
pub mod consent;
pub mod correction;
pub mod decide;
pub mod deliver;
pub mod dossier;
pub mod enrolment;
pub mod erasure;
pub mod event;
pub mod explain;
pub mod id;
pub mod inbox;
pub mod invalid;
pub mod minimise;
pub mod notice;
pub mod party;
pub mod person;
pub mod purpose;
pub mod random;
pub mod registry;
pub mod replay;
pub mod restriction;
pub mod right;
pub mod status;
pub mod text;
pub mod time;
pub mod withdrawal;
