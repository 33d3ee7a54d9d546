//! The going over the directory, file by file.

use std::path::Path;

use schakel_core::{random::Random, time::Timestamp};

use super::{
    AUTHORITY_CERTIFICATE, AUTHORITY_KEY, DevelopError, REVOCATION_LIST, Written, certificate_file,
    file::Directory, key_file,
};
use crate::{
    authority::{self, AUTHORITY_DAYS, CERTIFICATE_DAYS, DevelopmentAuthority},
    identity::{self, CertificateIdentity, IdentityError},
    organisation::{Organisation, Organisations},
    revocation::RevocationList,
    validity::Validity,
};

/// What happens to a certificate that does not hold at the instant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    /// It is an error.
    Refuse,
    /// It is replaced.
    Renew,
}

/// One go over the directory, at one instant.
pub(super) struct Filling {
    dir: Directory,
    expired: Expired,
    now: Timestamp,
    written: Written,
}

impl Filling {
    /// Opens the directory.
    pub(super) fn new(dir: &Path, expired: Expired, now: Timestamp) -> Result<Self, DevelopError> {
        let written = Written {
            holds_until: Timestamp::MAX,
            created: Vec::new(),
            kept: Vec::new(),
            renewed: Vec::new(),
        };
        Ok(Self {
            dir: Directory::open(dir)?,
            expired,
            now,
            written,
        })
    }

    /// Keeps, makes and renews: authority first, then what it signs.
    pub(super) fn fill(
        mut self,
        organisations: &Organisations,
        random: &mut dyn Random,
    ) -> Result<Written, DevelopError> {
        let authority = self.authority(random)?;
        self.list(&authority)?;
        for organisation in organisations.iter() {
            self.organisation(&authority, organisation, random)?;
        }
        Ok(self.written)
    }

    fn authority(&mut self, random: &mut dyn Random) -> Result<DevelopmentAuthority, DevelopError> {
        let refused = |source| DevelopError::Issue {
            id: "ca".to_owned(),
            source,
        };
        let Some((cert, key)) = self.dir.pair(AUTHORITY_CERTIFICATE, AUTHORITY_KEY)? else {
            let new = DevelopmentAuthority::new(self.now, random).map_err(refused)?;
            self.create(AUTHORITY_KEY, &new.key_pem())?;
            self.create(AUTHORITY_CERTIFICATE, new.cert_pem())?;
            self.note_end(new.validity());
            return Ok(new);
        };
        let mut authority =
            DevelopmentAuthority::load(&cert, &key).map_err(DevelopError::Authority)?;
        self.keep(AUTHORITY_KEY);
        if self.must_renew(AUTHORITY_CERTIFICATE, authority.validity())? {
            authority = authority.renew(self.now, random).map_err(refused)?;
            self.replace(AUTHORITY_CERTIFICATE, authority.cert_pem())?;
        } else {
            self.keep(AUTHORITY_CERTIFICATE);
        }
        self.note_end(authority.validity());
        Ok(authority)
    }

    /// The revocation list holds as long as the authority does: nobody is there to sign one every day.
    fn list(&mut self, authority: &DevelopmentAuthority) -> Result<(), DevelopError> {
        let refused = |source| DevelopError::Issue {
            id: "ca".to_owned(),
            source,
        };
        let validity = Validity::days(AUTHORITY_DAYS, self.now).within(authority.validity());
        let Some(text) = self.dir.read(REVOCATION_LIST)? else {
            let list = authority.revoke(&[], 1, validity).map_err(refused)?;
            self.create(REVOCATION_LIST, &list)?;
            self.note_end(validity);
            return Ok(());
        };
        let list =
            RevocationList::parse(&text, authority.cert_der()).map_err(DevelopError::Revocation)?;
        if self.must_renew(REVOCATION_LIST, list.validity())? {
            let number = list.number().unwrap_or(0).saturating_add(1);
            let revoked: Vec<_> = list.revoked().cloned().collect();
            let list = authority
                .revoke(&revoked, number, validity)
                .map_err(refused)?;
            self.replace(REVOCATION_LIST, &list)?;
            self.note_end(validity);
        } else {
            self.keep(REVOCATION_LIST);
            self.note_end(list.validity());
        }
        Ok(())
    }

    fn organisation(
        &mut self,
        authority: &DevelopmentAuthority,
        organisation: &Organisation,
        random: &mut dyn Random,
    ) -> Result<(), DevelopError> {
        let refused = |source| DevelopError::Issue {
            id: organisation.id.to_string(),
            source,
        };
        let (cert_file, key_file) = (certificate_file(organisation), key_file(organisation));
        let validity = Validity::days(CERTIFICATE_DAYS, self.now).within(authority.validity());
        let Some((cert, key)) = self.dir.pair(&cert_file, &key_file)? else {
            let new = authority
                .issue(organisation, validity, random)
                .map_err(refused)?;
            self.create(&key_file, &new.key_pem)?;
            self.create(&cert_file, &new.cert_pem)?;
            self.note_end(validity);
            return Ok(());
        };
        let found = check(authority, organisation, &cert, &key)?;
        self.keep(&key_file);
        if self.must_renew(&cert_file, found)? {
            let new = authority
                .reissue(organisation, &key, validity, random)
                .map_err(refused)?;
            self.replace(&cert_file, &new.cert_pem)?;
            self.note_end(validity);
        } else {
            self.keep(&cert_file);
            self.note_end(found);
        }
        Ok(())
    }

    fn must_renew(&self, file: &str, validity: Validity) -> Result<bool, DevelopError> {
        if validity.contains(self.now) {
            return Ok(false);
        }
        if self.expired == Expired::Renew {
            return Ok(true);
        }
        let (from, until) = (validity.not_before(), validity.not_after());
        Err(DevelopError::NotValid {
            file: file.to_owned(),
            from,
            until,
        })
    }

    fn note_end(&mut self, validity: Validity) {
        self.written.holds_until = self.written.holds_until.min(validity.not_after());
    }

    fn create(&mut self, file: &str, text: &str) -> Result<(), DevelopError> {
        self.dir.create(file, text)?;
        self.written.created.push(file.to_owned());
        Ok(())
    }

    fn replace(&mut self, file: &str, text: &str) -> Result<(), DevelopError> {
        self.dir.replace(file, text)?;
        self.written.renewed.push(file.to_owned());
        Ok(())
    }

    fn keep(&mut self, file: &str) {
        self.written.kept.push(file.to_owned());
    }
}

/// Checks that certificate, key, organisation and authority belong together.
fn check(
    authority: &DevelopmentAuthority,
    organisation: &Organisation,
    cert_pem: &str,
    key_pem: &str,
) -> Result<Validity, DevelopError> {
    let file = certificate_file(organisation);
    let unreadable = |source| DevelopError::Unreadable {
        file: file.clone(),
        source,
    };
    let CertificateIdentity {
        oin,
        not_before,
        not_after,
        ..
    } = identity::parse_peer_pem(cert_pem).map_err(unreadable)?;
    if oin != organisation.oin {
        let (found, wanted) = (oin.to_string(), organisation.oin.to_string());
        return Err(DevelopError::OtherOrganisation {
            file,
            found,
            wanted,
        });
    }
    if !authority.has_issued(cert_pem) {
        return Err(DevelopError::Foreign { file });
    }
    if !authority::is_key_of(cert_pem, key_pem) {
        return Err(DevelopError::OtherKey {
            certificate: file,
            key: key_file(organisation),
        });
    }
    Validity::between(not_before, not_after).map_err(|_| unreadable(IdentityError::Malformed))
}
