//! Certificates of organisations: who a certificate is for, and the authorities that issue them.
//!
//! An operator may run an authority of its own ([`office`]): an offline root, and below it one that issues
//! certificates for keys which partners made and kept themselves ([`request`]). Or certificates come from
//! elsewhere, such as PKIoverheid, and only their reading is used. The *development* authority
//! ([`authority`], [`develop`]) is for development and tests, and is marked so that a broker outside
//! development refuses it twice over: by the name of the authority and by the test numbers
//! ([`identity::CertificateIdentity::is_for_development`]).
//!
//! Time is a parameter everywhere, and so is the randomness of serial numbers. The randomness of keys is
//! not: the cryptographic library draws it itself and accepts no other source.

pub mod authority;
pub mod check;
pub mod develop;
pub mod identity;
pub mod issuing;
pub mod ledger;
pub mod office;
pub mod organisation;
mod pem;
pub mod profile;
pub mod rehearse;
pub mod request;
pub mod revocation;
pub mod secret;
#[cfg(test)]
mod seeded;
pub mod terms;
pub mod validity;
