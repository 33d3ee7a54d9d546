//! The key of a request, and the proof that its sender has the private half.

use x509_parser::{
    asn1_rs::Tag,
    certification_request::X509CertificationRequest,
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
        OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
        OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384,
    },
    public_key::{PublicKey, RSAPublicKey},
    x509::SubjectPublicKeyInfo,
};

use super::refusal::{Refusal, name_of};

const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
const RSA_EXPONENT_LEAST: u64 = 65_537;

/// Whether certificates are issued for keys of this kind and size.
pub(super) fn check(spki: &SubjectPublicKeyInfo<'_>, refused: &mut Vec<Refusal>) {
    let algorithm = &spki.algorithm.algorithm;
    if *algorithm == OID_PKCS1_RSAENCRYPTION {
        match spki.parsed() {
            Ok(PublicKey::RSA(key)) => check_rsa(&key, refused),
            _ => refused.push(Refusal::Key {
                kind: "RSA that cannot be read".to_owned(),
            }),
        }
        return;
    }
    if *algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY {
        let kind = name_of(algorithm);
        return refused.push(Refusal::Key { kind });
    }
    let parameters = spki.algorithm.parameters.as_ref();
    // The parser takes the bytes of anything for an identifier.
    let named = parameters.filter(|curve| curve.tag() == Tag::Oid);
    let Some(curve) = named.and_then(|curve| curve.as_oid().ok()) else {
        let kind = "EC with a curve of its own".to_owned();
        return refused.push(Refusal::Key { kind });
    };
    let length = if curve == OID_EC_P256 {
        65
    } else if curve == OID_NIST_EC_P384 {
        97
    } else {
        let kind = format!("EC {}", name_of(&curve));
        return refused.push(Refusal::Key { kind });
    };
    let point = &spki.subject_public_key.data;
    if point.len() != length || point.first() != Some(&4) {
        refused.push(Refusal::KeyPoint);
    }
}

fn check_rsa(key: &RSAPublicKey<'_>, refused: &mut Vec<Refusal>) {
    let bits = bits(key.modulus);
    if !RSA_BITS.contains(&bits) {
        refused.push(Refusal::KeySize { bits });
    }
    let exponent = key.try_exponent().ok();
    if exponent.is_none_or(|exponent| exponent < RSA_EXPONENT_LEAST || exponent % 2 == 0) {
        let exponent = exponent.map_or_else(|| "of over 64 bits".to_owned(), |e| e.to_string());
        refused.push(Refusal::KeyExponent { exponent });
    }
    if key.modulus.last().is_none_or(|last| last % 2 == 0) {
        refused.push(Refusal::Key {
            kind: "RSA with an even modulus".to_owned(),
        });
    }
}

/// The size of a number, leading zeros not counted: the parser's own count takes the first byte for one.
fn bits(number: &[u8]) -> usize {
    let mut bytes = number.iter().skip_while(|byte| **byte == 0);
    let first = bytes.next().map_or(0, |byte| 8 - byte.leading_zeros());
    bytes.count() * 8 + usize::try_from(first).unwrap_or(0)
}

/// Whether the request is signed by its own key with an algorithm that proves something.
pub(super) fn check_signature(request: &X509CertificationRequest<'_>, refused: &mut Vec<Refusal>) {
    let algorithm = &request.signature_algorithm.algorithm;
    let accepted = [
        OID_PKCS1_SHA256WITHRSA,
        OID_PKCS1_SHA384WITHRSA,
        OID_PKCS1_SHA512WITHRSA,
        OID_SIG_ECDSA_WITH_SHA256,
        OID_SIG_ECDSA_WITH_SHA384,
    ];
    if !accepted.contains(algorithm) {
        let name = name_of(algorithm);
        return refused.push(Refusal::SignatureAlgorithm { name });
    }
    // Of a key that is refused nothing can be proved.
    if refused.is_empty() && request.verify_signature().is_err() {
        refused.push(Refusal::Proof);
    }
}
