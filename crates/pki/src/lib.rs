//! Certificates of organisations: who a certificate is for, and the development authority.
//!
//! Production certificates come from PKIoverheid; nothing here issues one. What is made here is for
//! development and tests, and is marked so that a broker outside development refuses it twice over: by
//! the name of the authority and by the test numbers ([`identity::CertificateIdentity::is_for_development`]).
//!
//! Time is a parameter everywhere, and so is the randomness of serial numbers. The randomness of keys is
//! not: the cryptographic library draws it itself and accepts no other source.

pub mod authority;
pub mod develop;
pub mod identity;
pub mod organisation;
mod pem;
pub mod revocation;
#[cfg(test)]
mod seeded;
pub mod validity;
