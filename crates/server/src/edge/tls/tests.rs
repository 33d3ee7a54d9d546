//! An authority in memory, its files in a directory, and every way in which those files are refused.

use std::{fs, path::Path, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{PrivateKeyDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use schakel_core::random::Random;
use schakel_pki::{
    authority::{DevelopmentAuthority, Issued},
    identity::{Serial, parse_peer_pem},
    organisation::Organisations,
    validity::Validity,
};
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;

mod lists;
mod older;

/// Numbers from a seed (splitmix64).
pub(crate) struct Seeded(pub(crate) u64);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// An authority, and the files of a broker that trusts it.
pub(crate) struct Pki {
    pub(crate) authority: DevelopmentAuthority,
    pub(crate) clock: Arc<ManualClock>,
    dir: TempDir,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

pub(crate) fn issue(authority: &DevelopmentAuthority, id: &str, validity: Validity) -> Issued {
    let organisations = Organisations::of_development().unwrap();
    let organisation = organisations.find(id).unwrap();
    authority
        .issue(organisation, validity, &mut Seeded(id.len() as u64))
        .unwrap()
}

pub(crate) fn serial(issued: &Issued) -> Serial {
    parse_peer_pem(&issued.cert_pem).unwrap().serial
}

impl Pki {
    pub(crate) fn new() -> Self {
        let authority = DevelopmentAuthority::new(now(), &mut Seeded(1)).unwrap();
        let pki = Self {
            clock: Arc::new(ManualClock::new(now())),
            dir: tempfile::tempdir().unwrap(),
            authority,
        };
        let broker = pki.issue("broker");
        pki.write("broker.cert.pem", &broker.cert_pem);
        pki.write("broker.key.pem", &broker.key_pem);
        pki.write("ca.cert.pem", pki.authority.cert_pem());
        pki.list(&[], 1);
        pki
    }

    /// A certificate of a development organisation that holds for 90 days.
    pub(crate) fn issue(&self, id: &str) -> Issued {
        issue(&self.authority, id, Validity::days(90, now()))
    }

    /// Writes a revocation list that counts for seven days.
    pub(crate) fn list(&self, revoked: &[Serial], number: u64) {
        let list = self
            .authority
            .revoke(revoked, number, Validity::days(7, now()))
            .unwrap();
        self.write("ca.crl.pem", &list);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> config::Tls {
        config::Tls {
            certificate: self.path("broker.cert.pem"),
            key: self.path("broker.key.pem"),
            oldest_version: config::TlsVersion::Tls13,
            reload_every: Duration::from_secs(30),
            warn_before: Duration::from_hours(24 * 30),
            unpinned: None,
            anchors: vec![self.anchor()],
        }
    }

    /// The anchor of the authority.
    pub(crate) fn anchor(&self) -> config::Anchor {
        config::Anchor {
            name: "own".parse().unwrap(),
            certificates: self.path("ca.cert.pem"),
            intermediates: None,
            policies: Vec::new(),
            usages: vec!["clientAuth".to_owned()],
            lists: vec![list_at(Some(self.path("ca.crl.pem")), None)],
        }
    }

    pub(crate) fn tls(&self) -> Arc<Tls> {
        self.load(&self.config(), Environment::Development).unwrap()
    }

    fn load(&self, config: &config::Tls, environment: Environment) -> Result<Arc<Tls>, TlsError> {
        let copies = self.path("copies");
        let clock = Arc::<ManualClock>::clone(&self.clock);
        Tls::load(config, environment, Some(&copies), clock).map(Arc::new)
    }

    /// What a client with this certificate, or with none, does its handshake by.
    pub(crate) fn client(&self, own: Option<&Issued>, old: bool) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.authority.cert_der().to_vec().into())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let time = Arc::new(ClockTime(Arc::<ManualClock>::clone(&self.clock)));
        let version = if old { &TLS12 } else { &TLS13 };
        let builder = ClientConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = vec![CertificateDer::from_pem_slice(own.cert_pem.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }

    /// The lease on the chain of a certificate.
    pub(crate) fn lease(tls: &Tls, own: &Issued) -> Lease {
        tls.lease(vec![
            CertificateDer::from_pem_slice(own.cert_pem.as_bytes()).unwrap(),
        ])
    }
}

/// Where a list is.
pub(crate) fn list_at(file: Option<std::path::PathBuf>, url: Option<String>) -> config::List {
    config::List {
        file,
        url,
        refresh_every: Duration::from_hours(1),
        max_age: None,
        when_stale: config::WhenStale::Refuse,
    }
}

/// The name of the development broker.
pub(crate) fn broker_name() -> ServerName<'static> {
    "localhost".try_into().unwrap()
}

fn refused(pki: &Pki) -> String {
    let error = pki
        .load(&pki.config(), Environment::Development)
        .unwrap_err()
        .to_string();
    error.replace(&pki.dir.path().display().to_string(), "")
}

fn foreign() -> DevelopmentAuthority {
    DevelopmentAuthority::new(now(), &mut Seeded(99)).unwrap()
}

#[test]
fn files_in_order_are_served_with() {
    let pki = Pki::new();
    let server = pki.tls().server_config();
    assert_eq!(server.alpn_protocols, [b"h2".to_vec()]);
    assert_eq!(server.send_tls13_tickets, 0);
    assert!(!server.session_storage.can_cache());
}

#[test]
fn nothing_for_development_is_served_with_in_production() {
    let pki = Pki::new();
    let error = pki
        .load(&pki.config(), Environment::Production)
        .unwrap_err();
    assert!(
        matches!(error, TlsError::DevelopmentCertificate { .. }),
        "{error}"
    );
}

#[test]
fn a_development_authority_is_refused_in_production_whatever_the_broker_has() {
    let pki = Pki::new();
    let config = pki.config();
    let error = Parts::read(&config, Environment::Production, None, now()).err();
    assert!(
        matches!(error, Some(TlsError::DevelopmentCertificate { .. })),
        "{error:?}"
    );
    let taking = &mut parts::Taking {
        newest: &mut Newest::default(),
        now: now(),
    };
    let anchor = pki.anchor();
    let anchor = parts::AnchorParts::read(&anchor, Environment::Production, None, taking).err();
    assert!(
        matches!(anchor, Some(TlsError::DevelopmentAuthority { .. })),
        "{anchor:?}"
    );
}

#[test]
fn each_file_that_cannot_be_used_is_told_by_its_key() {
    type Spoil = fn(&Pki);
    let cases: [(Spoil, &str); 10] = [
        (
            |pki| fs::remove_file(pki.path("broker.key.pem")).unwrap(),
            "`tls.key`: `/broker.key.pem` cannot be read: name a file that the broker may read",
        ),
        (
            |pki| pki.write("broker.cert.pem", "nothing"),
            "`tls.certificate`: `/broker.cert.pem` must hold one or more certificates in PEM",
        ),
        (
            |pki| pki.write("broker.key.pem", "nothing"),
            "`tls.key`: `/broker.key.pem` must hold one private key in PEM",
        ),
        (
            |pki| pki.write("broker.key.pem", &pki.issue("toetser").key_pem),
            "`tls.certificate` and `tls.key` cannot be used: they must be a certificate chain and the private key of its first certificate",
        ),
        (
            |pki| open_to_all(&pki.path("broker.key.pem")),
            "`tls.key`: `/broker.key.pem` can be read by every user: set its mode to 0640 or 0600",
        ),
        (
            |pki| pki.write("ca.cert.pem", ""),
            "`tls.anchor.certificates`: `/ca.cert.pem` must hold one or more certificates in PEM",
        ),
        (
            |pki| pki.write("ca.crl.pem", ""),
            "`tls.anchor.crl`: `/ca.crl.pem` is no list of an authority of its anchor: give the newest list of each",
        ),
        (
            |pki| {
                let list = foreign().revoke(&[], 1, Validity::days(7, now())).unwrap();
                pki.write("ca.crl.pem", &list);
            },
            "`tls.anchor.crl`: `/ca.crl.pem` is no list of an authority of its anchor: give the newest list of each",
        ),
        (
            |pki| {
                let both = format!("{}{}", pki.authority.cert_pem(), foreign().cert_pem());
                pki.write("ca.cert.pem", &both);
            },
            "`tls.anchor.crl`: anchor `own` holds no list of its certificate 2: without one a revoked certificate would be admitted, so add its newest list",
        ),
        (
            |pki| pki.clock.set(now().plus_days(91)),
            "`tls.certificate`: `/broker.cert.pem` holds from 2026-11-23 13:55 UTC to 2027-02-21 14:00 UTC, not now: renew it",
        ),
    ];
    for (spoil, told) in cases {
        let pki = Pki::new();
        spoil(&pki);
        assert_eq!(refused(&pki), told);
    }
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

#[test]
fn a_reload_counts_for_an_open_connection_too() {
    let pki = Pki::new();
    let tls = pki.tls();
    let (one, other) = (pki.issue("pi-noord"), pki.issue("wonen-zuid"));
    let (lease, spared) = (Pki::lease(&tls, &one), Pki::lease(&tls, &other));
    assert!(lease.holds(now()) && spared.holds(now()));
    assert!(!tls.reload().changed);
    pki.list(&[serial(&one)], 2);
    let reloaded = tls.reload();
    assert!(reloaded.changed && reloaded.broken.is_empty());
    assert!(!lease.holds(now()));
    assert!(spared.holds(now()));
}

#[test]
fn a_reload_that_fails_leaves_what_counted() {
    let pki = Pki::new();
    let tls = pki.tls();
    let lease = Pki::lease(&tls, &pki.issue("pi-noord"));
    pki.write("ca.crl.pem", "half a li");
    let reloaded = tls.reload();
    assert!(!reloaded.changed && reloaded.broken.len() == 1);
    assert!(lease.holds(now()));
}

#[test]
fn a_key_that_does_not_fit_leaves_what_counted() {
    let pki = Pki::new();
    let tls = pki.tls();
    let before = tls.server_config();
    let next = pki.issue("broker");
    pki.write("broker.cert.pem", &next.cert_pem);
    let reloaded = tls.reload();
    assert!(!reloaded.changed);
    assert!(
        matches!(reloaded.broken[..], [TlsError::Pair(_)]),
        "{reloaded:?}"
    );
    assert!(Arc::ptr_eq(&before, &tls.server_config()));
    pki.write("broker.key.pem", &next.key_pem);
    let reloaded = tls.reload();
    assert!(
        reloaded.changed && reloaded.broken.is_empty(),
        "{reloaded:?}"
    );
}

#[test]
fn an_open_connection_ends_with_its_certificate_and_with_the_list() {
    let pki = Pki::new();
    let tls = pki.tls();
    let day = issue(&pki.authority, "pi-noord", Validity::days(1, now()));
    let lease = Pki::lease(&tls, &day);
    assert!(lease.holds(now().plus_days(1)));
    assert!(!lease.holds(now().plus_days(1).plus_millis(1000)));
    let lease = Pki::lease(&tls, &pki.issue("pi-noord"));
    assert!(lease.holds(now().plus_days(7).minus_millis(1)));
    assert!(!lease.holds(now().plus_days(7)));
}

#[test]
fn everything_that_ends_is_measured_by_kind_and_name() {
    let pki = Pki::new();
    let tls = pki.tls();
    let expiring = tls.expiring();
    let kinds: Vec<_> = expiring
        .iter()
        .map(|(kind, name, _)| (*kind, name.contains("own")))
        .collect();
    assert_eq!(
        kinds,
        [
            ("certificate", false),
            ("authority", true),
            ("revocation list", false)
        ]
    );
    let about =
        |from, at: usize, days: f64| (days_between(from, expiring[at].2) - days).abs() < 0.1;
    assert!(
        about(now(), 0, 90.0) && about(now(), 2, 7.0),
        "{expiring:?}"
    );
    assert!(
        about(now().plus_days(10), 2, -3.0),
        "negative when it has ended"
    );
}
