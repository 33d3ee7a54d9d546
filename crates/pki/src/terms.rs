//! What a certificate says it may be used for, and when.

use x509_parser::extensions::{ExtendedKeyUsage, ParsedExtension};

use crate::{
    identity::{self, IdentityError},
    validity::Validity,
};

/// The terms of a certificate. They are claims of whoever signed it: verify that first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTerms {
    /// When it holds.
    pub validity: Validity,
    /// The policies under which it was issued, as object identifiers with dots.
    pub policies: Vec<String>,
    /// Whether it has the extension that limits what it may be used for.
    pub has_usages: bool,
    /// Whom it is for, for people to read.
    pub subject: String,
    /// Who issued it, for people to read.
    pub issuer: String,
}

impl CertificateTerms {
    /// Reads the terms of a certificate.
    ///
    /// # Errors
    /// When the bytes are not one certificate.
    pub fn parse(der: &[u8]) -> Result<Self, IdentityError> {
        let certificate = identity::parse(der)?;
        let (mut policies, mut has_usages) = (Vec::new(), false);
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::CertificatePolicies(found) => {
                    policies.extend(found.iter().map(|policy| policy.policy_id.to_id_string()));
                }
                ParsedExtension::ExtendedKeyUsage(ExtendedKeyUsage { .. }) => has_usages = true,
                _ => {}
            }
        }
        Ok(Self {
            validity: identity::validity_of(&certificate)?,
            policies,
            has_usages,
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
        })
    }
}
