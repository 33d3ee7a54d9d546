//! What a certificate says it may be used for, and when.

use x509_parser::{
    asn1_rs::Oid,
    extensions::{ExtendedKeyUsage, ParsedExtension},
};

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
    /// What that names, as object identifiers with dots.
    pub usages: Vec<String>,
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
        let (mut policies, mut usages) = (Vec::new(), None);
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::CertificatePolicies(found) => {
                    policies.extend(found.iter().map(|policy| policy.policy_id.to_id_string()));
                }
                ParsedExtension::ExtendedKeyUsage(found) => usages = Some(named(found)),
                _ => {}
            }
        }
        Ok(Self {
            validity: identity::validity_of(&certificate)?,
            policies,
            has_usages: usages.is_some(),
            usages: usages.unwrap_or_default(),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
        })
    }
}

/// The usages by their object identifiers (RFC 5280 section 4.2.1.12).
fn named(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (usage.any, "2.5.29.37.0"),
        (usage.server_auth, "1.3.6.1.5.5.7.3.1"),
        (usage.client_auth, "1.3.6.1.5.5.7.3.2"),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    let known = known.into_iter().filter(|(has, _)| *has);
    known
        .map(|(_, oid)| oid.to_owned())
        .chain(usage.other.iter().map(Oid::to_id_string))
        .collect()
}
