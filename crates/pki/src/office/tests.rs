//! A root and an authority below it, from their beginning to their lists, and after every kind of crash.

mod answer;
mod compromised;
mod ledger;
mod renewed;

use std::fs;

use tempfile::TempDir;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{DistributionPointName, GeneralName, ParsedExtension},
    prelude::FromDer as _,
};

use super::*;
use crate::{
    issuing::{AuthorityName, Curve, Reason},
    profile::{Holder, Profile},
    request::CertificateRequest,
    revocation::RevocationList,
    secret::SecretError,
    seeded::Seeded,
};

const ROOT_PHRASE: &str = "wachtzin van de wortel";
const ISSUING_PHRASE: &str = "wachtzin van de uitgever";

fn now() -> Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

fn phrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

struct Pki {
    dir: TempDir,
    random: Seeded,
}

impl Pki {
    fn new() -> Self {
        let mut pki = Self {
            dir: tempfile::tempdir().unwrap(),
            random: Seeded(7),
        };
        pki.found().unwrap();
        pki
    }

    fn found(&mut self) -> Result<Founded, OfficeError> {
        let name = |common_name: &str| AuthorityName {
            organisation: "Testbeheer".to_owned(),
            common_name: common_name.to_owned(),
        };
        let founding = Founding {
            root: name("Testbeheer Root CA"),
            issuing: name("Testbeheer Issuing CA"),
            curve: Curve::P384,
            root_days: 3650,
            issuing_days: 1095,
            publish_url: "http://pki.example/".to_owned(),
            policy: Some("2.999.1".parse().unwrap()),
            root_list_days: 180,
            issuing_list_days: 7,
        };
        found(
            &self.places(),
            &founding,
            &phrase(ROOT_PHRASE),
            &phrase(ISSUING_PHRASE),
            now(),
            &mut self.random,
        )
    }

    fn places(&self) -> Places {
        Places {
            root: self.dir.path().join("root"),
            issuing: self.dir.path().join("issuing"),
            public: self.dir.path().join("public"),
        }
    }

    fn issuing(&self) -> Office {
        Office::open(&self.places().issuing).unwrap()
    }

    fn public(&self, file: &str) -> String {
        fs::read_to_string(self.places().public.join(file)).unwrap()
    }

    fn root_der(&self) -> Vec<u8> {
        pem::only_block(&self.public("root.cert.pem"), "CERTIFICATE").unwrap()
    }
}

fn order(profile: Profile) -> Order {
    let hosts = if profile.serves() {
        vec!["broker.example".to_owned()]
    } else {
        Vec::new()
    };
    Order {
        holder: Holder {
            profile,
            oin: "00000099000000020000".parse().unwrap(),
            name: "Testgemeente Oost".to_owned(),
            unit: None,
            hosts,
        },
        days: None,
        replaces: None,
    }
}

fn key(order: &Order) -> AdmittedKey {
    let request = include_bytes!("../../tests/requests/p256.csr.pem");
    let request = CertificateRequest::read(request).unwrap();
    request.admit(&order.holder).unwrap()
}

fn issue(office: &mut Office, order: &Order, random: &mut Seeded) -> Issuance {
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    office
        .issue(&authority, &key(order), order, now(), random)
        .unwrap()
}

fn read(der: &[u8]) -> X509Certificate<'_> {
    X509Certificate::from_der(der).unwrap().1
}

#[test]
fn the_chain_holds_from_the_root_to_every_profile() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let (root, issuing) = (pki.root_der(), office.certificate().to_vec());
    let (root, issuing) = (read(&root), read(&issuing));
    root.verify_signature(None).unwrap();
    issuing.verify_signature(Some(root.public_key())).unwrap();
    for (authority, below) in [(&root, 1), (&issuing, 0)] {
        let constraints = authority.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, Some(below));
        let usage = authority.key_usage().unwrap().unwrap();
        assert!(usage.critical);
        assert_eq!(usage.value.flags, 1 << 5 | 1 << 6);
    }
    for profile in Profile::ALL {
        let issued = issue(&mut office, &order(profile), &mut pki.random);
        let certificate = read(&issued.der);
        certificate
            .verify_signature(Some(issuing.public_key()))
            .unwrap();
        let constraints = certificate.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && !constraints.value.ca);
        assert_eq!(certificate.key_usage().unwrap().unwrap().value.flags, 1);
        let extended = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(extended.client_auth && !extended.any);
        assert_eq!(extended.server_auth, profile == Profile::Broker);
        assert_eq!(issued.validity, Validity::days(90, now()));
        assert_eq!(issued.kind, Kind::Holder(profile));
    }
}

#[test]
fn certificates_point_at_the_list_the_policy_and_the_key_above_them() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let issued = issue(&mut office, &order(Profile::Party), &mut pki.random);
    let issuing = office.certificate().to_vec();
    let list_of = |der: &[u8]| {
        let certificate = read(der);
        certificate
            .iter_extensions()
            .find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::CRLDistributionPoints(points) => {
                    let point = points.first()?.distribution_point.clone()?;
                    let DistributionPointName::FullName(names) = point else {
                        return None;
                    };
                    let GeneralName::URI(uri) = names.first()? else {
                        return None;
                    };
                    Some((*uri).to_owned())
                }
                _ => None,
            })
    };
    assert_eq!(
        list_of(&issued.der).as_deref(),
        Some("http://pki.example/issuing.crl")
    );
    assert_eq!(
        list_of(&issuing).as_deref(),
        Some("http://pki.example/root.crl")
    );
    assert_eq!(list_of(&pki.root_der()), None);
    let key_ids = |der: &[u8]| {
        let certificate = read(der);
        let mut ids = (None, None);
        for extension in certificate.iter_extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => ids.0 = Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    ids.1 = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                ParsedExtension::CertificatePolicies(policies) => {
                    // 2.999.1, which the library would print wrongly.
                    assert_eq!(policies[0].policy_id.as_bytes(), [0x88, 0x37, 1]);
                }
                _ => {}
            }
        }
        ids
    };
    let (leaf, middle, root) = (
        key_ids(&issued.der),
        key_ids(&issuing),
        key_ids(&pki.root_der()),
    );
    assert!(leaf.0.is_some() && leaf.1 == middle.0 && middle.1 == root.0);
}

#[test]
fn lists_are_numbered_upward_and_name_what_was_revoked_and_why() {
    let mut pki = Pki::new();
    let first =
        RevocationList::parse(&pki.public("issuing.crl.pem"), pki.issuing().certificate()).unwrap();
    assert_eq!((first.number(), first.revoked().count()), (Some(1), 0));
    let root = RevocationList::parse(&pki.public("root.crl.pem"), &pki.root_der()).unwrap();
    assert_eq!(root.number(), Some(1));

    let mut office = pki.issuing();
    let issued = issue(&mut office, &order(Profile::Party), &mut pki.random);
    office
        .revoke(&issued.serial, Reason::KeyCompromise, now())
        .unwrap();
    let again = office.revoke(&issued.serial, Reason::Unspecified, now());
    assert!(again.is_err(), "a second revocation would hide the first");
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let later = now().plus_days(1);
    let list = office.list(&authority, 7, later).unwrap();
    assert_eq!((list.number, list.revoked), (2, 1));
    assert_eq!(list.validity.not_before(), later);
    publish(&office, Some(&list), &pki.places().public).unwrap();
    let read = RevocationList::parse(&pki.public("issuing.crl.pem"), office.certificate());
    let read = read.unwrap();
    assert_eq!(read.number(), Some(2));
    assert!(read.revoked().eq([&issued.serial]));
    // keyCompromise stands on the list: ENUMERATED 1.
    assert!(list.der.windows(3).any(|bytes| bytes == [0x0a, 0x01, 0x01]));
}

#[test]
fn what_expired_stands_on_one_more_list_and_then_on_none() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let issued = issue(&mut office, &order(Profile::Party), &mut pki.random);
    office
        .revoke(&issued.serial, Reason::Superseded, now())
        .unwrap();
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let mut listed = |days| office.list(&authority, 30, now().plus_days(days)).unwrap();
    assert_eq!(listed(89).revoked, 1);
    assert_eq!(listed(95).revoked, 1, "expired since the list before");
    let next = listed(96);
    assert_eq!((next.number, next.revoked), (4, 0));
}

#[test]
fn each_key_has_its_passphrase_and_each_authority_its_task() {
    let mut pki = Pki::new();
    let mut root = Office::open(&pki.places().root).unwrap();
    let wrong = root.unlock(&phrase(ISSUING_PHRASE)).unwrap_err();
    assert!(
        matches!(
            wrong,
            OfficeError::Key {
                source: SecretError::Passphrase,
                ..
            }
        ),
        "{wrong}"
    );
    let authority = root.unlock(&phrase(ROOT_PHRASE)).unwrap();
    let order = order(Profile::Party);
    let error = root
        .issue(&authority, &key(&order), &order, now(), &mut pki.random)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is a root, not an issuing authority: name the other directory"),
        "{error}"
    );
    for file in ["root/authority.key.pem", "issuing/authority.key.pem"] {
        let text = fs::read_to_string(pki.dir.path().join(file)).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    }
}

#[test]
fn nothing_begins_where_something_is() {
    let mut pki = Pki::new();
    let ledger = fs::read(pki.places().root.join(LEDGER)).unwrap();
    assert!(matches!(pki.found(), Err(OfficeError::NotEmpty { .. })));
    assert_eq!(fs::read(pki.places().root.join(LEDGER)).unwrap(), ledger);
}

#[test]
fn a_certificate_never_outlives_its_authority_and_none_comes_from_an_expired_one() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let order = order(Profile::Party);
    let late = now().plus_days(1095 - 10);
    let issued = office
        .issue(&authority, &key(&order), &order, late, &mut pki.random)
        .unwrap();
    assert_eq!(
        issued.validity.not_after(),
        authority.validity().not_after()
    );
    let past = now().plus_days(1096);
    let error = office
        .issue(&authority, &key(&order), &order, past, &mut pki.random)
        .unwrap_err();
    assert!(matches!(error, OfficeError::Expired { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn private_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let pki = Pki::new();
    for dir in [pki.places().root, pki.places().issuing] {
        for (path, mode) in [(dir.join(KEY), 0o600), (dir, 0o700)] {
            let found = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode, "{}", path.display());
        }
    }
}
