//! The beginning of a root and the authority below it.

use std::path::{Path, PathBuf};

use rcgen::PublicKeyData as _;
use schakel_core::{random::Random, time::Timestamp};
use x509_parser::x509::AttributeTypeAndValue;

use super::{
    ABOVE, Below, CERTIFICATE, CERTIFICATES, KEY, LEDGER, Level, Office, OfficeError, SETTINGS,
    Settings, SignedList,
    files::{self, Readers},
    publish::publish,
};
use crate::{
    identity,
    issuing::{AuthorityName, Curve, PolicyId, SigningAuthority, Terms},
    ledger::{Der, Issuance, Kind, LedgerEntry, LedgerError, OpenLedger},
    pem,
    secret::{self, Passphrase},
    validity::Validity,
};

/// What is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founding {
    /// The name of the root.
    pub root: AuthorityName,
    /// The name of the authority below it.
    pub issuing: AuthorityName,
    /// The curve of both keys.
    pub curve: Curve,
    /// For how many days the root holds.
    pub root_days: u32,
    /// For how many days the issuing authority holds; never longer than the root.
    pub issuing_days: u32,
    /// Where both lists are going to be published, without their names: `http://pki.example.nl`.
    pub publish_url: String,
    /// The policy under which certificates are issued.
    pub policy: Option<PolicyId>,
    /// For how many days the root's first list counts.
    pub root_list_days: u32,
    /// For how many days the issuing authority's first list counts.
    pub issuing_list_days: u32,
}

/// The three directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The root: to be taken away and kept offline.
    pub root: PathBuf,
    /// The issuing authority.
    pub issuing: PathBuf,
    /// What is published.
    pub public: PathBuf,
}

/// What began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founded {
    /// SHA-256 of the root's certificate: partners compare it over another way before they trust it.
    pub root_sha256: [u8; 32],
    /// Until when the root holds.
    pub root_until: Timestamp,
    /// Until when the issuing authority holds.
    pub issuing_until: Timestamp,
    /// The root's first list.
    pub root_list: SignedList,
    /// The issuing authority's first list.
    pub issuing_list: SignedList,
}

/// Makes a root and an issuing authority below it, each with its key, ledger and first revocation list.
///
/// # Errors
/// When a directory is not empty, or something cannot be made or written. Nothing was issued to anybody
/// then: remove what was made, and begin again.
pub fn found(
    places: &Places,
    founding: &Founding,
    root_passphrase: &Passphrase,
    issuing_passphrase: &Passphrase,
    now: Timestamp,
    random: &mut dyn Random,
) -> Result<Founded, OfficeError> {
    for path in [&places.root, &places.issuing] {
        if !files::is_empty(path)? {
            return Err(OfficeError::NotEmpty { path: path.clone() });
        }
    }
    let root = begin_root(&places.root, founding, root_passphrase, now, random)?;
    let mut root_office = Office::open(&places.root)?;

    let key = founding.curve.generate()?;
    let terms = founding.terms(Level::Issuing);
    let below = Below {
        name: founding.issuing.clone(),
        spki: key.subject_public_key_info(),
        days: founding.issuing_days,
        terms: terms.clone(),
    };
    let issuance = root_office.issue_authority(&root, &below, now, random)?;
    let issuing = SigningAuthority::load(issuance.der.clone(), key, terms).map_err(|source| {
        OfficeError::Authority {
            dir: places.issuing.clone(),
            source,
        }
    })?;
    begin(
        &places.issuing,
        Level::Issuing,
        &issuing,
        issuing_passphrase,
        random,
    )?;
    let above = pem::block(root.certificate(), "CERTIFICATE");
    files::put(
        &places.issuing.join(ABOVE),
        above.as_bytes(),
        Readers::Everybody,
    )?;
    let mut issuing_office = Office::open(&places.issuing)?;

    let root_list = root_office.list(&root, founding.root_list_days, now)?;
    let issuing_list = issuing_office.list(&issuing, founding.issuing_list_days, now)?;
    publish(&root_office, Some(&root_list), &places.public)?;
    publish(&issuing_office, Some(&issuing_list), &places.public)?;
    Ok(Founded {
        root_sha256: identity::sha256(root.certificate()),
        root_until: root.validity().not_after(),
        issuing_until: issuing.validity().not_after(),
        root_list,
        issuing_list,
    })
}

/// Has the root certify the key of the issuing authority for longer, and puts the new certificate in the
/// place of the old one. What was issued before stays valid under both.
///
/// # Errors
/// When one of the directories is not what it should be, the root does not hold now, or something cannot be
/// written. When only the last step failed, the certificate stands in the root's ledger.
pub fn renew_issuing(
    root: &Path,
    issuing: &Path,
    root_passphrase: &Passphrase,
    days: u32,
    now: Timestamp,
    random: &mut dyn Random,
) -> Result<Issuance, OfficeError> {
    let (mut root, office) = (Office::open(root)?, Office::open(issuing)?);
    office.expect(Level::Issuing)?;
    let authority = root.unlock(root_passphrase)?;
    let unsound = |_| OfficeError::Unsound;
    let old = identity::parse(&office.certificate).map_err(unsound)?;
    let text = |name: Option<&AttributeTypeAndValue<'_>>| {
        let text = name.and_then(|name| name.as_str().ok());
        text.unwrap_or_default().to_owned()
    };
    let below = Below {
        name: AuthorityName {
            organisation: text(old.subject().iter_organization().next()),
            common_name: text(old.subject().iter_common_name().next()),
        },
        spki: old.public_key().raw.to_vec(),
        days,
        terms: office.settings.terms.clone(),
    };
    let issuance = root.issue_authority(&authority, &below, now, random)?;
    let path = issuing.join(CERTIFICATE);
    files::put(&path, issuance.pem().as_bytes(), Readers::Everybody)?;
    Ok(issuance)
}

fn begin_root(
    dir: &Path,
    founding: &Founding,
    passphrase: &Passphrase,
    now: Timestamp,
    random: &mut dyn Random,
) -> Result<SigningAuthority, OfficeError> {
    let validity = Validity::days(founding.root_days, now);
    let terms = founding.terms(Level::Root);
    let root = SigningAuthority::root(&founding.root, founding.curve, validity, terms, random)?;
    begin(dir, Level::Root, &root, passphrase, random)?;
    // Its own certificate is the first that it issued.
    let path = dir.join(LEDGER);
    let entry = LedgerEntry::Issued {
        kind: Kind::Authority,
        certificate: Der(root.certificate().to_vec()),
        replaces: None,
    };
    let written = OpenLedger::open(&path).and_then(|mut ledger| ledger.append(now, entry));
    written.map_err(|source: LedgerError| OfficeError::Ledger { path, source })?;
    Ok(root)
}

/// Writes everything but the ledger, which begins empty.
fn begin(
    dir: &Path,
    level: Level,
    authority: &SigningAuthority,
    passphrase: &Passphrase,
    random: &mut dyn Random,
) -> Result<(), OfficeError> {
    files::make_dir(&dir.join(CERTIFICATES), Readers::Owner)?;
    let path = dir.join(KEY);
    let sealed =
        secret::seal(authority.key(), passphrase, random).map_err(|source| OfficeError::Key {
            path: path.clone(),
            source,
        })?;
    files::put(&path, sealed.as_bytes(), Readers::Owner)?;
    let certificate = pem::block(authority.certificate(), "CERTIFICATE");
    files::put(
        &dir.join(CERTIFICATE),
        certificate.as_bytes(),
        Readers::Everybody,
    )?;
    let settings = Settings {
        level,
        terms: authority.terms().clone(),
    };
    let path = dir.join(SETTINGS);
    let Ok(text) = toml::to_string(&settings) else {
        let wanted = "settings that can be written as TOML";
        return Err(OfficeError::Unreadable { path, wanted });
    };
    files::put(&path, text.as_bytes(), Readers::Everybody)
}

impl Founding {
    fn terms(&self, level: Level) -> Terms {
        let base = self.publish_url.trim_end_matches('/');
        Terms {
            list_url: format!("{base}/{}.crl", level.code()),
            policy: self.policy.clone().filter(|_| level == Level::Issuing),
        }
    }
}
