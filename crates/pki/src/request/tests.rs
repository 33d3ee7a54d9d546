//! Requests as partners' tools make them, and as attackers would. The files come from `openssl req` and
//! `keytool -certreq`; their private keys were thrown away.

use proptest::prelude::*;

use super::*;
use crate::profile::Profile;

macro_rules! request {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/requests/", $name, ".csr.pem")).as_slice()
    };
}

fn holder() -> Holder {
    Holder {
        profile: Profile::Party,
        oin: "00000099000000020000".parse().unwrap(),
        name: "Testgemeente Oost".to_owned(),
        unit: None,
        hosts: Vec::new(),
    }
}

fn admit(bytes: &[u8]) -> Result<AdmittedKey, String> {
    let request = CertificateRequest::read(bytes).unwrap();
    request.admit(&holder()).map_err(|error| error.to_string())
}

fn refused(bytes: &[u8]) -> String {
    admit(bytes).unwrap_err()
}

#[test]
fn what_the_common_tools_make_is_admitted() {
    for bytes in [
        request!("p256"),
        request!("p384"),
        request!("rsa2048"),
        request!("rsa4096-number-only"),
        request!("keytool"),
    ] {
        admit(bytes).unwrap();
    }
}

#[test]
fn only_the_public_key_is_taken() {
    let key = admit(request!("p256")).unwrap();
    let request = CertificateRequest::read(request!("p256")).unwrap();
    let parsed = parse(request.der()).unwrap();
    assert_eq!(key.spki, parsed.certification_request_info.subject_pki.raw);
}

#[test]
fn der_is_read_as_well_and_the_older_label() {
    let request = CertificateRequest::read(request!("p256")).unwrap();
    assert_eq!(CertificateRequest::read(request.der()).unwrap(), request);
    let older = String::from_utf8_lossy(request!("p256"))
        .replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    assert_eq!(CertificateRequest::read(older.as_bytes()).unwrap(), request);
}

#[test]
fn who_asks_to_be_an_authority_is_told_so() {
    let told = refused(request!("authority"));
    assert!(told.contains("basicConstraints CA:true"), "{told}");
    assert!(told.contains("the usage keyCertSign"), "{told}");
    assert!(!told.contains("digitalSignature"), "{told}");
}

#[test]
fn every_usage_beyond_the_profile_is_named() {
    let told = refused(request!("usages"));
    for usage in ["serverAuth", "codeSigning", "1.2.3.4"] {
        assert!(told.contains(&format!("the usage {usage}")), "{told}");
    }
    assert!(!told.contains("clientAuth"), "{told}");
    let mut broker = holder();
    broker.profile = Profile::Broker;
    let request = CertificateRequest::read(request!("usages")).unwrap();
    let told = request.admit(&broker).unwrap_err().to_string();
    assert!(!told.contains("serverAuth"), "{told}");
}

#[test]
fn names_are_granted_to_whom_they_were_promised_and_to_nobody_else() {
    let told = refused(request!("names"));
    for name in ["broker.example", "127.0.0.1", "spiffe://x/y"] {
        assert!(told.contains(name), "{told}");
    }
    let mut broker = holder();
    broker.profile = Profile::Broker;
    broker.hosts = vec!["broker.example".to_owned(), "127.0.0.1".to_owned()];
    let request = CertificateRequest::read(request!("names")).unwrap();
    let refusals = request.admit(&broker).unwrap_err();
    assert_eq!(refusals.iter().count(), 1, "{refusals}");
    assert!(refusals.to_string().contains("spiffe://x/y"), "{refusals}");
}

#[test]
fn unknown_extensions_and_attributes_are_named() {
    let told = refused(request!("extensions"));
    assert!(told.contains("the extension 1.2.3.4.5"), "{told}");
    assert!(told.contains("nameConstraints (2.5.29.30)"), "{told}");
    let told = refused(request!("attributes"));
    for name in ["challengePassword", "unstructuredName"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(!told.contains("geheim"), "a password is told: {told}");
}

#[test]
fn a_request_for_another_organisation_is_refused_with_both_numbers() {
    let told = refused(request!("other-organisation"));
    assert!(
        told.contains("`00000099000000030000`") && told.contains("00000099000000020000"),
        "{told}"
    );
    assert!(told.contains("organisation `Testgemeente West`"), "{told}");
    let told = refused(request!("subject"));
    for found in [
        "country `BE`",
        "unit `ICT`",
        "localityName",
        "emailAddress",
        "several",
    ] {
        assert!(told.contains(found), "{found}: {told}");
    }
}

#[test]
fn keys_and_signatures_that_prove_too_little_are_named() {
    for (bytes, found) in [
        (request!("rsa1024"), "RSA key of 1024 bits"),
        (request!("rsa-exponent-3"), "exponent 3"),
        (request!("sha1"), "sha1WithRSAEncryption"),
        (request!("ecdsa-sha1"), "ecdsa-with-SHA1"),
        (request!("ed25519"), "kind Ed25519"),
        (request!("p521"), "EC P-521"),
        (request!("secp256k1"), "EC secp256k1"),
        (request!("explicit-curve"), "a curve of its own"),
        (request!("compressed-point"), "uncompressed point"),
    ] {
        let told = refused(bytes);
        assert!(told.contains(found), "{found}: {told}");
    }
}

#[test]
fn a_request_that_was_altered_proves_nothing() {
    let der = CertificateRequest::read(request!("p256")).unwrap().der;
    let from = b"Testgemeente Oost";
    let at = der.windows(from.len()).position(|w| w == from).unwrap();
    let mut altered = der.clone();
    altered[at..at + from.len()].copy_from_slice(b"Testgemeente West");
    let mut holder = holder();
    let read = CertificateRequest::read(&altered).unwrap();
    let told = read.admit(&holder).unwrap_err().to_string();
    assert!(told.contains("not signed by the private key"), "{told}");
    holder.name = "Testgemeente West".to_owned();
    assert!(read.admit(&holder).is_err());
    // Another's public key under one's own signature.
    let other = CertificateRequest::read(request!("keytool")).unwrap().der;
    let point = |der: &[u8]| der.windows(2).position(|w| w == [0, 4]).unwrap() + 1;
    let (own, theirs) = (point(&der), point(&other));
    let mut stolen = der.clone();
    stolen[own..own + 65].copy_from_slice(&other[theirs..theirs + 65]);
    let told = refused(&stolen);
    assert!(told.contains("not signed by the private key"), "{told}");
}

#[test]
fn what_is_no_request_is_refused_before_anything_else() {
    let huge = vec![b'a'; REQUEST_MAX + 1];
    let bytes = REQUEST_MAX + 1;
    assert_eq!(
        CertificateRequest::read(&huge),
        Err(RequestError::TooLarge { bytes })
    );
    let two = [request!("p256"), request!("p384")].concat();
    let with_key = [
        request!("p256"),
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ]
    .concat();
    assert_eq!(
        CertificateRequest::read(&with_key),
        Err(RequestError::PrivateKey)
    );
    for bytes in [
        &two[..],
        b"",
        b"nothing",
        b"-----BEGIN CERTIFICATE REQUEST-----",
    ] {
        assert_eq!(
            CertificateRequest::read(bytes),
            Err(RequestError::Malformed)
        );
    }
}

proptest! {
    #[test]
    fn no_change_of_what_is_signed_is_admitted_or_makes_the_reader_panic(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut der = CertificateRequest::read(request!("p256")).unwrap().der;
        let signed = parse(&der).unwrap().certification_request_info.raw.len();
        // After the header of four bytes.
        let at = 4 + at.index(signed);
        let same = der[at] == byte;
        der[at] = byte;
        if let Ok(request) = CertificateRequest::read(&der) {
            prop_assert_eq!(request.admit(&holder()).is_ok(), same);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(request) = CertificateRequest::read(&bytes) {
            let _ = request.admit(&holder());
        }
    }
}
