//! A directory with everything a broker needs: certificates, keys, what is registered first, configuration.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use schakel_audit::note::SigningKey;
use schakel_core::{catalogue::Catalogue, id::PartyId, time::Timestamp};
use schakel_pki::{
    authority::{DevelopmentAuthority, Issued},
    develop::{self, AUTHORITY_CERTIFICATE, AUTHORITY_KEY, REVOCATION_LIST},
    identity::parse_peer_pem,
    organisation::{DEVELOPMENT, Organisation, Organisations},
    validity::Validity,
};
use schakel_store::{
    keyring::{self, Kek, Keyring, KeyringError},
    random::OsRandom,
};
use tempfile::TempDir;

use crate::{child::schakel, evidence::copy};

/// The name of the log of every test broker.
pub const ORIGIN: &str = "schakel.test/log";
/// The name of the trust anchor of every test broker.
pub const ANCHOR: &str = "own";
/// What a manual clock shows at first.
pub const START: &str = "2026-11-23T14:00:00Z";

const PURPOSES: &str = include_str!("../../deploy/purposes.toml");
const MORE: &str = include_str!("organisations.toml");

/// The directory. It goes with the value.
#[derive(Debug)]
pub struct Place {
    dir: TempDir,
    now: Timestamp,
    broker: String,
    tls: String,
    listen: String,
}

impl Place {
    /// A directory furnished at this instant: certificates hold from five minutes before it for 90 days.
    #[must_use]
    pub fn furnish(now: Timestamp) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let place = Self {
            dir,
            now,
            broker: String::new(),
            tls: String::new(),
            listen: String::new(),
        };
        let organisations = organisations();
        let random = &mut OsRandom;
        develop::develop(&place.certificates(), &organisations, now, random).expect("certificates");
        Kek::create(&place.path("kek"), random).expect("a key");
        let key = SigningKey::from_seed(ORIGIN, &[7; 32]).expect("a name");
        place.write_secret("checkpoint.key", &key.to_skey());
        let parties = organisations
            .iter()
            .map(|organisation| organisation.party(now))
            .collect();
        let catalogue = Catalogue {
            parties,
            purposes: Vec::new(),
        };
        place.write(
            "parties.toml",
            &toml::to_string(&catalogue).expect("a catalogue"),
        );
        place.write("purposes.toml", PURPOSES);
        place
    }

    /// The same with these lines in section `[tls]` of its configuration; more anchors may follow them.
    #[must_use]
    pub fn with_tls(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.tls);
        self
    }

    /// The same with these lines in section `[listen]` of its configuration.
    #[must_use]
    pub fn with_listen(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.listen);
        self
    }

    /// Has these lines stand in section `[tls]` of its configuration, and more anchors after them, from when that is
    /// written next.
    pub fn set_tls(&mut self, lines: &str) {
        lines.clone_into(&mut self.tls);
    }

    /// Has these lines stand in section `[broker]` of its configuration from the next start on.
    pub fn set_broker(&mut self, lines: &str) {
        lines.clone_into(&mut self.broker);
    }

    /// Writes a key that signs checkpoints, and gives what verifiers get.
    pub fn write_checkpoint_key(&self, name: &str, seed: u8) -> String {
        let key = SigningKey::from_seed(ORIGIN, &[seed; 32]).expect("a name");
        self.write_secret(name, &key.to_skey());
        key.verifying_key().to_string()
    }

    /// Writes the configuration, with these lines added, and gives its path.
    #[must_use]
    pub fn configure(&self, listen: SocketAddr, more: &str) -> PathBuf {
        let (broker, tls, more_listen) = (&self.broker, &self.tls, &self.listen);
        let text = format!(
            r#"
[broker]
origin = "{ORIGIN}"
environment = "development"
data_dir = "data"
keyring_dir = "keyring"
kek_file = "kek"
checkpoint_key_file = "checkpoint.key"
{broker}
[listen]
address = "{listen}"
{more_listen}
[tls]
certificate = "certificates/broker.cert.pem"
key = "certificates/broker.key.pem"
{tls}
[[tls.anchor]]
name = "{ANCHOR}"
certificates = "certificates/{AUTHORITY_CERTIFICATE}"
crl = [{{ file = "certificates/{REVOCATION_LIST}" }}]
[bootstrap]
parties = "parties.toml"
purposes = "purposes.toml"
[telemetry]
log = "warn"
{more}
"#
        );
        self.write("schakel.toml", &text);
        self.path("schakel.toml")
    }

    /// A file or directory in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The directory of log, view and indexes.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// What a copy of its keyring says, as a start would find it: with a change of the key-encryption key that was cut
    /// short brought to its end.
    pub fn with_keyring<T>(&self, say: impl FnOnce(&Keyring) -> T) -> T {
        let copied = tempfile::tempdir().expect("a directory");
        let (dir, kek) = (copied.path().join("keyring"), copied.path().join("kek"));
        copy(&self.path("keyring"), &dir);
        for name in ["kek", "kek.next"] {
            let from = self.path(name);
            if from.exists() {
                fs::copy(from, copied.path().join(name)).expect("a key");
            }
        }
        let open = || {
            let (kek, _) = keyring::recover(&kek, &dir, &mut OsRandom)?;
            Keyring::open(&dir, kek, Box::new(OsRandom))
        };
        loop {
            match open() {
                // A process that another test starts has every open file until it runs its program, and the lock of
                // the first of the two steps with it.
                Err(KeyringError::InUse(_)) => thread::yield_now(),
                opened => return say(&opened.expect("a keyring")),
            }
        }
    }

    /// What `schakel verify log` says of what is published there, in words, and how it ends.
    #[must_use]
    pub fn verify_log(&self, vkey: &str) -> (Option<i32>, String) {
        let output = Command::new(schakel())
            .args(["verify", "log"])
            .arg(self.data().join("published"))
            .args(["--verifier-key", vkey])
            .output()
            .expect("the command runs");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8(said).expect("UTF-8"),
        )
    }

    /// The certificate of the authority, PEM.
    #[must_use]
    pub fn authority_pem(&self) -> String {
        read(&self.certificates().join(AUTHORITY_CERTIFICATE))
    }

    /// The certificate and key that an organisation got when the place was furnished.
    #[must_use]
    pub fn issued(&self, id: &str) -> Issued {
        let certificates = self.certificates();
        Issued {
            cert_pem: read(&certificates.join(format!("{id}.cert.pem"))),
            key_pem: read(&certificates.join(format!("{id}.key.pem"))),
        }
    }

    /// Another certificate for an organisation, from the authority of this place.
    #[must_use]
    pub fn issue(&self, organisation: &Organisation, validity: Validity) -> Issued {
        self.authority()
            .issue(organisation, validity, &mut OsRandom)
            .expect("a certificate")
    }

    /// Another certificate for a party, with a key of its own, from the authority of this place.
    #[must_use]
    pub fn another(&self, id: &str) -> Issued {
        self.issue(&organisation(id), Validity::days(90, self.now))
    }

    /// A certificate for a key that an organisation made itself, from the authority of this place.
    #[must_use]
    pub fn certify(&self, id: &str, key_pem: &str) -> Issued {
        let key = read(&self.certificates().join(AUTHORITY_KEY));
        let authority = DevelopmentAuthority::load(&self.authority_pem(), &key).expect("authority");
        let validity = Validity::days(90, self.now);
        authority
            .reissue(&organisation(id), key_pem, validity, &mut OsRandom)
            .expect("a certificate")
    }

    /// A certificate like an organisation's, from an authority nobody trusts.
    #[must_use]
    pub fn foreign(&self, id: &str) -> Issued {
        let authority = DevelopmentAuthority::new(self.now, &mut OsRandom).expect("an authority");
        authority
            .issue(
                &organisation(id),
                Validity::days(90, self.now),
                &mut OsRandom,
            )
            .expect("a certificate")
    }

    /// A certificate for a number that is registered for nobody.
    #[must_use]
    pub fn unregistered(&self) -> Issued {
        let mut stranger = organisation("wonen-zuid");
        stranger.id = "vreemd".parse::<PartyId>().expect("an id");
        stranger.oin = "00000099999999990000".parse().expect("a number");
        self.issue(&stranger, Validity::days(90, self.now))
    }

    /// When it was furnished.
    #[must_use]
    pub const fn furnished_at(&self) -> Timestamp {
        self.now
    }

    fn certificates(&self) -> PathBuf {
        self.path("certificates")
    }

    /// Replaces the revocation list by one that revokes these certificates.
    pub fn revoke(&self, issued: &[&Issued], number: u64, now: Timestamp) {
        let serials: Vec<_> = issued
            .iter()
            .map(|one| parse_peer_pem(&one.cert_pem).expect("a certificate").serial)
            .collect();
        let list = self
            .authority()
            .revoke(&serials, number, Validity::days(7, now));
        let new = self.certificates().join("new.crl.pem");
        fs::write(&new, list.expect("a list")).expect("a file");
        fs::rename(new, self.certificates().join(REVOCATION_LIST)).expect("a file");
    }

    /// Gives the broker another certificate with another key.
    pub fn renew_broker(&self) {
        let broker = self.issue(&organisation("broker"), Validity::days(60, self.now));
        self.write("certificates/broker.cert.pem", &broker.cert_pem);
        self.write_secret("certificates/broker.key.pem", &broker.key_pem);
    }

    /// The certificate of the broker, DER.
    #[must_use]
    pub fn broker_certificate(&self) -> Vec<u8> {
        let pem = read(&self.certificates().join("broker.cert.pem"));
        CertificateDer::from_pem_slice(pem.as_bytes())
            .expect("PEM")
            .to_vec()
    }

    fn authority(&self) -> DevelopmentAuthority {
        let key = read(&self.certificates().join(AUTHORITY_KEY));
        DevelopmentAuthority::load(&self.authority_pem(), &key).expect("authority")
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn write_secret(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, text);
        let owner_only = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.path(name), owner_only).expect("permissions");
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The development organisations, and one for each role that has none among them.
fn organisations() -> Organisations {
    Organisations::parse(&format!("{DEVELOPMENT}\n{MORE}")).expect("organisations")
}

fn organisation(id: &str) -> Organisation {
    organisations()
        .find(id)
        .unwrap_or_else(|| panic!("no organisation `{id}`"))
        .clone()
}
