//! Certificates that are accepted, and one refusal for each reason; and rehearsals of what would break.

use schakel_core::party::{Contact, DatedOin};
use schakel_core::{code::Role, time::Period};

use super::*;
use crate::{
    issuing::{AuthorityName, Curve, Reason, Revoked, SigningAuthority, Terms},
    pem,
    profile::{Holder, Profile},
    request::CertificateRequest,
    seeded::Seeded,
    validity::Validity,
};
use rcgen::PublicKeyData as _;

mod lists;
mod rehearsing;

const OIN: &str = "00000001000000010000";

fn now() -> Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

struct World {
    root: SigningAuthority,
    issuing: SigningAuthority,
    random: Seeded,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Seeded(seed);
        let name = |kind: &str| AuthorityName {
            organisation: "Testbeheer".to_owned(),
            common_name: format!("Testbeheer {kind} {seed}"),
        };
        let terms = |name: &str| Terms {
            list_url: format!("http://pki.example/{name}.crl"),
            policy: None,
        };
        let days = |days| Validity::days(days, now());
        let root = SigningAuthority::root(
            &name("Root"),
            Curve::P256,
            days(3650),
            terms("root"),
            &mut random,
        )
        .unwrap();
        let key = Curve::P256.generate().unwrap();
        let spki = key.subject_public_key_info();
        let der = root
            .certify_authority(&name("Issuing"), &spki, days(1095), None, &mut random)
            .unwrap();
        let issuing = SigningAuthority::load(der, key, terms("issuing")).unwrap();
        Self {
            root,
            issuing,
            random,
        }
    }

    fn issue_to(&mut self, oin: &str, profile: Profile, days: u32) -> Vec<u8> {
        let holder = Holder {
            profile,
            oin: oin.parse().unwrap(),
            name: "Gemeente Oost".to_owned(),
            unit: None,
            hosts: Vec::new(),
        };
        let request = crate::request::NewRequest::make(&holder, Curve::P256).unwrap();
        let request = CertificateRequest::read(request.request_pem.as_bytes()).unwrap();
        let key = request.admit(&holder).unwrap();
        self.issuing
            .certify(&key, &holder, Validity::days(days, now()), &mut self.random)
            .unwrap()
    }

    fn chain(&mut self) -> Chain {
        let own = self.issue_to(OIN, Profile::Party, 90);
        Chain::new(own, vec![self.issuing.certificate().to_vec()])
    }

    /// A broker that trusts the root and has both lists.
    fn acceptance(&self, revoked: &[&[u8]]) -> Acceptance {
        let revoked: Vec<_> = revoked
            .iter()
            .map(|der| Revoked {
                serial: Serial::from_bytes(identity::parse(der).unwrap().raw_serial()),
                at: now(),
                reason: Reason::KeyCompromise,
            })
            .collect();
        let list = |authority: &SigningAuthority, days| {
            let list = authority.list(&revoked, 1, Validity::days(days, now()));
            pem::block(&list.unwrap(), "X509 CRL")
        };
        Acceptance {
            production: true,
            anchors: vec![Anchor {
                terms: None,
                authorities: vec![self.root.certificate().to_vec()],
                intermediates: Vec::new(),
                lists: vec![
                    KnownList::in_file("`root.crl.pem`".to_owned(), list(&self.root, 180)),
                    KnownList::in_file("`issuing.crl.pem`".to_owned(), list(&self.issuing, 7)),
                ],
            }],
            parties: Some(vec![party(OIN)]),
        }
    }
}

fn party(oin: &str) -> Party {
    Party {
        id: "gemeente-oost".parse().unwrap(),
        name: "Gemeente Oost".to_owned(),
        roles: vec![Role::Municipality],
        oins: vec![DatedOin {
            oin: oin.parse().unwrap(),
            period: Period {
                from: now().minus_millis(Timestamp::DAY_MS),
                until: None,
            },
            anchor: None,
        }],
        contact: Contact {
            team: "Nazorg".to_owned(),
            email: "nazorg@gemeente-oost.example".to_owned(),
            telephone: String::new(),
        },
        officer_for: None,
        delegates: Vec::new(),
        suspensions: Vec::new(),
        succession: None,
        units: Vec::new(),
    }
}

/// What fails, each as `check: what was said`.
fn failures(acceptance: &Acceptance, chain: &Chain, conditions: &Conditions) -> Vec<String> {
    let findings = acceptance.check(chain, conditions);
    let failed = findings
        .into_iter()
        .filter(|finding| finding.verdict == Verdict::Failed);
    failed
        .map(|finding| format!("{}: {}", finding.check, finding.said))
        .collect()
}

fn only_failure(acceptance: &Acceptance, chain: &Chain, at: Timestamp) -> String {
    let failures = failures(acceptance, chain, &Conditions::at(at));
    assert_eq!(failures.len(), 1, "{failures:?}");
    failures.into_iter().next().unwrap()
}

#[test]
fn a_certificate_in_order_passes_every_check() {
    let mut world = World::new(1);
    let chain = world.chain();
    let acceptance = world.acceptance(&[]);
    assert_eq!(
        failures(&acceptance, &chain, &Conditions::at(now())),
        Vec::<String>::new()
    );
    let findings = acceptance.check(&chain, &Conditions::at(now()));
    let checks: Vec<_> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(
        checks,
        [
            "number",
            "dates",
            "usage",
            "key",
            "revocation",
            "revocation",
            "authority",
            "party"
        ]
    );
}

/// What a partner sends along is the same whether the broker trusts the root or what is below it.
#[test]
fn the_authorities_above_a_certificate_end_before_the_root() {
    let mut world = World::new(4);
    let chain = world.chain();
    let issuing = world.issuing.certificate().to_vec();
    let trusting = |authorities: &[&[u8]], intermediates: &[&[u8]]| {
        let mut acceptance = world.acceptance(&[]);
        let anchor = &mut acceptance.anchors[0];
        anchor.authorities = authorities.iter().map(|der| der.to_vec()).collect();
        anchor.intermediates = intermediates.iter().map(|der| der.to_vec()).collect();
        acceptance.above(chain.own(), now())
    };
    let root = world.root.certificate();
    let below_the_root = std::slice::from_ref(&issuing);
    assert_eq!(trusting(&[&issuing], &[]), below_the_root);
    assert_eq!(trusting(&[root], &[&issuing]), below_the_root);
    assert_eq!(
        trusting(&[root], &[]),
        [] as [Vec<u8>; 0],
        "it is not known"
    );
}

#[test]
fn each_reason_is_told_by_its_check() {
    let mut world = World::new(1);
    let chain = world.chain();
    let acceptance = world.acceptance(&[]);
    let told = |change: &dyn Fn(&mut Acceptance)| {
        let mut changed = acceptance.clone();
        change(&mut changed);
        only_failure(&changed, &chain, now())
    };
    let unknown = told(&|broker| broker.parties = Some(Vec::new()));
    assert!(
        unknown.starts_with("party: no party is registered"),
        "{unknown}"
    );
    let suspended = told(&|broker| {
        let mut party = party(OIN);
        party.suspensions = vec![Period {
            from: now(),
            until: None,
        }];
        broker.parties = Some(vec![party]);
    });
    assert_eq!(suspended, "party: party `gemeente-oost` is suspended");
    let unlisted = told(&|broker| broker.anchors[0].lists.truncate(1));
    assert!(
        unlisted.starts_with("revocation: the broker has no list of")
            && unlisted.ends_with("(it is published at http://pki.example/issuing.crl)"),
        "{unlisted}"
    );
    let foreign = told(&|broker| {
        broker.anchors[0].authorities = vec![World::new(2).root.certificate().to_vec()];
    });
    assert!(
        foreign.starts_with("authority: `") && foreign.contains("Testbeheer Root 1"),
        "{foreign}"
    );
    let alone = Chain::new(chain.own().to_vec(), Vec::new());
    let alone = only_failure(&acceptance, &alone, now());
    assert!(
        alone.contains("Testbeheer Issuing 1") && alone.contains("put its certificate below"),
        "{alone}"
    );
    let revoked = world.acceptance(&[chain.own()]);
    let revoked = only_failure(&revoked, &chain, now());
    assert!(
        revoked.contains("`issuing.crl.pem`") && revoked.ends_with("it is revoked"),
        "{revoked}"
    );
    let authority = world.acceptance(&[world.issuing.certificate()]);
    let authority = only_failure(&authority, &chain, now());
    assert!(authority.contains("`root.crl.pem`"), "{authority}");
    let old = only_failure(&acceptance, &chain, now().plus_days(8));
    assert!(
        old.contains("`issuing.crl.pem`") && old.contains("fetch the newest list"),
        "{old}"
    );
}

/// What a broker asks under an anchor counts as well, and one of its anchors is enough.
#[test]
fn each_anchor_has_its_own_terms() {
    let mut world = World::new(1);
    let chain = world.chain();
    let mut acceptance = world.acceptance(&[]);
    let name = |name: &str| name.parse::<AnchorName>().unwrap();
    let told = |acceptance: &Acceptance| only_failure(acceptance, &chain, now());
    let terms = AnchorTerms {
        name: name("own"),
        takes_unpinned: true,
        policies: Vec::new(),
        usages: vec!["1.3.6.1.5.5.7.3.2".to_owned()],
    };
    let under = |terms: AnchorTerms| {
        let mut changed = acceptance.clone();
        changed.anchors[0].terms = Some(terms);
        changed
    };
    assert!(under(terms.clone()).accepts(&chain, &Conditions::at(now())));
    let policy = told(&under(AnchorTerms {
        policies: vec!["2.16.528.1.1003.1.2.8.6".to_owned()],
        ..terms.clone()
    }));
    assert!(
        policy.starts_with("policy: ") && policy.contains("anchor `own`"),
        "{policy}"
    );
    let usage = told(&under(AnchorTerms {
        usages: vec!["1.3.6.1.5.5.7.3.1".to_owned()],
        ..terms.clone()
    }));
    assert_eq!(
        usage,
        "usage: its extended key usage has none of 1.3.6.1.5.5.7.3.1: order one for such a use"
    );
    let unpinned = told(&under(AnchorTerms {
        takes_unpinned: false,
        ..terms.clone()
    }));
    assert!(
        unpinned.starts_with("party: OIN") && unpinned.contains("under anchor `own`"),
        "{unpinned}"
    );
    let mut pinned = under(terms.clone());
    pinned.parties.as_mut().unwrap()[0].oins[0].anchor = Some(name("pkioverheid"));
    assert!(told(&pinned).starts_with("party: OIN"));

    // An anchor with other authorities, first or last, takes nothing away.
    let other = World::new(2).acceptance(&[]).anchors.remove(0);
    acceptance.anchors.insert(0, other.clone());
    acceptance.anchors.push(other);
    assert!(acceptance.accepts(&chain, &Conditions::at(now())));
    acceptance.anchors.remove(1);
    let foreign = failures(&acceptance, &chain, &Conditions::at(now()));
    assert!(
        foreign
            .iter()
            .any(|failure| failure.starts_with("authority: ")),
        "{foreign:?}"
    );
    acceptance.anchors.clear();
    assert_eq!(told(&acceptance), "authority: the broker trusts none");
}

#[test]
fn a_certificate_without_usages_is_no_clients() {
    let acceptance = World::new(1).acceptance(&[]);
    let key = Curve::P256.generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(
        rcgen::DnType::CustomDnType(vec![2, 5, 4, 5]),
        rcgen::DnValue::PrintableString(OIN.try_into().unwrap()),
    );
    params.not_before = rcgen::date_time_ymd(2026, 11, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    let bare = params.self_signed(&key).unwrap();
    let chain = Chain::new(bare.der().to_vec(), Vec::new());
    let told = failures(&acceptance, &chain, &Conditions::at(now())).join("\n");
    assert!(
        told.contains("usage: its extended key usage lacks clientAuth"),
        "{told}"
    );
}

#[test]
fn dates_and_test_numbers_are_told() {
    let mut world = World::new(1);
    let mut acceptance = world.acceptance(&[]);
    acceptance.parties = None;
    let own = world.issue_to("00000099000000010000", Profile::Party, 20);
    let chain = Chain::new(own, vec![world.issuing.certificate().to_vec()]);
    let told = only_failure(&acceptance, &chain, now());
    assert!(
        told.starts_with("environment: it is for development"),
        "{told}"
    );
    acceptance.production = false;
    let findings = acceptance.check(&chain, &Conditions::at(now()));
    let dates = findings
        .iter()
        .find(|finding| finding.check == "dates")
        .unwrap();
    assert_eq!(dates.verdict, Verdict::Warned, "it ends within a month");
    let fresh = Conditions {
        lists: Lists::Fresh,
        ..Conditions::at(now().plus_days(21))
    };
    let told = failures(&acceptance, &chain, &fresh);
    assert!(
        told.len() == 1 && told[0].starts_with("dates: it ended at"),
        "{told:?}"
    );
}

#[test]
fn an_authority_and_a_text_that_is_none_are_no_holders_certificate() {
    let world = World::new(1);
    let acceptance = world.acceptance(&[]);
    let authority = Chain::new(world.issuing.certificate().to_vec(), Vec::new());
    let told = failures(&acceptance, &authority, &Conditions::at(now())).join("\n");
    assert!(
        told.contains("usage: it is the certificate of an authority"),
        "{told}"
    );
    assert_eq!(Chain::read("nothing"), Err(NoChain));
    assert_eq!(
        Chain::read("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Err(NoChain)
    );
}
