//! What a request asked for and does not get, by name.

use std::fmt;

use x509_parser::oid_registry::Oid;

/// One thing for which a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A name the certificate is not going to have.
    #[error("asks for the alternative name `{name}`, which is not to be in the certificate")]
    AlternativeName {
        /// The name.
        name: String,
    },
    /// An attribute that means nothing here.
    #[error("has the attribute {name}: leave it out")]
    Attribute {
        /// The attribute.
        name: String,
    },
    /// More than the one attribute that is looked at.
    #[error("has several attributes: one, with the extensions, is all there may be")]
    Attributes,
    /// To be an authority.
    #[error(
        "asks to be an authority (basicConstraints CA:true): nobody below this authority is one"
    )]
    Authority,
    /// An extension that the certificate is not going to have.
    #[error("asks for the extension {name}: leave it out")]
    Extension {
        /// The extension.
        name: String,
    },
    /// An extension that cannot be read.
    #[error("asks for the extension {name} in a form that cannot be read")]
    ExtensionMalformed {
        /// The extension.
        name: String,
    },
    /// One extension twice.
    #[error("asks for the extension {name} twice")]
    ExtensionTwice {
        /// The extension.
        name: String,
    },
    /// A key of a kind, or with parameters, that is not accepted.
    #[error("has a key of kind {kind}: use P-256, P-384, or RSA of 2048 to 4096 bits")]
    Key {
        /// Its kind.
        kind: String,
    },
    /// An RSA key with a weak exponent.
    #[error("has an RSA key with exponent {exponent}: it must be odd and at least 65537")]
    KeyExponent {
        /// The exponent.
        exponent: String,
    },
    /// A key whose point is not in the form certificates have.
    #[error("has an elliptic-curve key that is not one uncompressed point")]
    KeyPoint,
    /// A key too small or too large.
    #[error("has an RSA key of {bits} bits: use 2048 to 4096")]
    KeySize {
        /// Its size.
        bits: usize,
    },
    /// The number of another organisation.
    #[error(
        "names OIN `{found}` in Subject.serialNumber, and is to be issued for {wanted}: is this the right partner's request?"
    )]
    OtherOin {
        /// What it names.
        found: String,
        /// For whom it is to be issued.
        wanted: String,
    },
    /// The signature does not prove possession of the private key.
    #[error(
        "is not signed by the private key of its public key: it was altered on the way, or copied from somebody"
    )]
    Proof,
    /// A name other than the holder's.
    #[error(
        "says {attribute} `{found}`, and the certificate is to say {wanted}: leave it out, or say the same"
    )]
    Subject {
        /// The attribute of the subject.
        attribute: &'static str,
        /// What it says.
        found: String,
        /// What the certificate is to say.
        wanted: String,
    },
    /// An attribute of the subject that the certificate is not going to have.
    #[error("has {name} in its subject, which is not to be in the certificate: leave it out")]
    SubjectAttribute {
        /// The attribute.
        name: String,
    },
    /// A signature algorithm that is not accepted.
    #[error("is signed with {name}: sign it with SHA-256 or SHA-384 and an ECDSA or RSA key")]
    SignatureAlgorithm {
        /// The algorithm.
        name: String,
    },
    /// A usage that the certificate is not going to have.
    #[error("asks for the usage {usage}, which is not that of profile `{profile}`")]
    Usage {
        /// The usage.
        usage: String,
        /// The profile.
        profile: &'static str,
    },
}

/// Everything for which a request is refused: at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals(Vec<Refusal>);

impl Refusals {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Refusal> {
        self.0.iter()
    }
}

impl FromIterator<Refusal> for Refusals {
    fn from_iter<I: IntoIterator<Item = Refusal>>(refusals: I) -> Self {
        Self(refusals.into_iter().collect())
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request ")?;
        for (at, refusal) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { "; it " };
            write!(f, "{between}{refusal}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusals {}

/// Extensions, attributes, algorithms and curves that partners' tools put into requests.
const KNOWN: [(&str, &str); 33] = [
    ("1.2.840.10045.2.1", "EC"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.2.840.113549.1.9.2", "unstructuredName"),
    ("1.2.840.113549.1.9.7", "challengePassword"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.3.6.1.5.5.7.1.1", "authorityInfoAccess"),
    ("1.3.6.1.5.5.7.1.24", "tlsfeature"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.132.0.35", "P-521"),
    ("2.5.4.4", "surname"),
    ("2.5.4.7", "localityName"),
    ("2.5.4.8", "stateOrProvinceName"),
    ("2.5.4.9", "streetAddress"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "givenName"),
    ("2.5.4.97", "organizationIdentifier"),
    ("2.5.29.14", "subjectKeyIdentifier"),
    ("2.5.29.15", "keyUsage"),
    ("2.5.29.17", "subjectAltName"),
    ("2.5.29.19", "basicConstraints"),
    ("2.5.29.30", "nameConstraints"),
    ("2.5.29.31", "cRLDistributionPoints"),
    ("2.5.29.32", "certificatePolicies"),
    ("2.5.29.35", "authorityKeyIdentifier"),
    ("2.5.29.37", "extKeyUsage"),
    ("2.16.840.1.113730.1.1", "nsCertType"),
];

/// What people call it, with the number by which it stands in the request.
pub(super) fn name_of(oid: &Oid<'_>) -> String {
    let number = oid.to_id_string();
    let known = KNOWN.iter().find(|(known, _)| *known == number);
    match known {
        Some((_, name)) => format!("{name} ({number})"),
        None => number,
    }
}
