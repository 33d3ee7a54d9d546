//! What the files of one anchor hold, and its revocation lists.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, TrustAnchor};
use schakel_core::{id::AnchorName, time::Timestamp};
use schakel_pki::{check, identity, terms::CertificateTerms};

use super::super::{
    TlsError,
    anchor::Anchor,
    copies::Copies,
    files::File,
    list::{Authority, List, Place, Source},
    newest::Newest,
};
use crate::config::{self, Environment, identifier_of};

/// What is known of one anchor.
pub(in super::super) struct AnchorParts {
    pub(super) config: config::Anchor,
    files: Vec<File>,
    roots: Vec<CertificateDer<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
    pub(in super::super) lists: Vec<ListPart>,
}

/// What is known of one revocation list.
pub(in super::super) struct ListPart {
    pub(in super::super) source: Arc<Source>,
    /// The bytes it was last read from.
    bytes: Vec<u8>,
    pub(super) list: Option<Arc<List>>,
}

/// What taking a list goes by, beside the list.
pub(in super::super) struct Taking<'a> {
    pub(in super::super) newest: &'a mut Newest,
    pub(in super::super) now: Timestamp,
}

impl AnchorParts {
    pub(super) fn shown(&self, unpinned: Option<&AnchorName>) -> check::Anchor {
        let der = |all: &[CertificateDer<'_>]| all.iter().map(|der| der.to_vec()).collect();
        let bytes = |part: &ListPart| part.list.is_some().then(|| part.bytes.clone());
        check::Anchor {
            terms: Some(self.config.terms(unpinned)),
            authorities: der(&self.roots),
            intermediates: der(&self.intermediates),
            lists: self
                .lists
                .iter()
                .map(|part| part.source.shown(bytes(part).as_deref()))
                .collect(),
        }
    }

    pub(in super::super) fn read(
        config: &config::Anchor,
        environment: Environment,
        copies: Option<&Copies>,
        taking: &mut Taking<'_>,
    ) -> Result<Self, TlsError> {
        let (files, roots, intermediates) = authorities(config, environment)?;
        let sources = config.lists.iter().filter_map(Source::new).map(Arc::new);
        let mut parts = Self {
            config: config.clone(),
            files,
            roots,
            intermediates,
            lists: Vec::new(),
        };
        let mut older = Vec::new();
        for source in sources {
            let part = parts.first_list(source, copies, taking, &mut older)?;
            parts.lists.push(part);
        }
        parts.check_newer(older)?;
        parts.check_listed()?;
        Ok(parts)
    }

    /// A list as it is found at first. One older than was taken once is left aside, with whose it is.
    fn first_list(
        &self,
        source: Arc<Source>,
        copies: Option<&Copies>,
        taking: &mut Taking<'_>,
        older: &mut Vec<(Authority, TlsError)>,
    ) -> Result<ListPart, TlsError> {
        let mut part = ListPart {
            source,
            bytes: Vec::new(),
            list: None,
        };
        match part.source.place.clone() {
            Place::File(path) => {
                let bytes = File::read("tls.anchor.crl.file", &path)?.bytes;
                let list = self.read_list(&part, &bytes)?;
                let authority = list.authority.clone();
                match self.take(&mut part, bytes, list, taking) {
                    Err(error @ TlsError::Older { .. }) => older.push((authority, error)),
                    taken => {
                        taken?;
                    }
                }
            }
            Place::Url(url) => {
                // A copy that is gone or spoilt is as good as none: the list is fetched soon.
                if let Some((bytes, fetched_at)) = copies.and_then(|copies| copies.read(&url)) {
                    let list = self.read_list(&part, &bytes);
                    match list.and_then(|list| self.take(&mut part, bytes, list, taking)) {
                        Ok(_) => part.source.fetched(fetched_at),
                        Err(error) => {
                            tracing::warn!(%error, "the copy of a revocation list is of no use");
                        }
                    }
                }
            }
        }
        Ok(part)
    }

    /// Of no authority there is but a list that is older than one that was taken.
    fn check_newer(&self, older: Vec<(Authority, TlsError)>) -> Result<(), TlsError> {
        let only = older
            .into_iter()
            .find(|(authority, _)| !self.is_listed(authority));
        only.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn is_listed(&self, authority: &Authority) -> bool {
        let lists = self.lists.iter().filter_map(|part| part.list.as_ref());
        lists.into_iter().any(|list| list.authority == *authority)
    }

    pub(super) fn read_again(
        &mut self,
        environment: Environment,
        taking: &mut Taking<'_>,
        broken: &mut Vec<TlsError>,
    ) -> bool {
        let mut changed = false;
        match authorities(&self.config, environment) {
            Ok((files, ..)) if files == self.files => {}
            Ok((files, roots, intermediates)) => {
                (self.files, self.roots, self.intermediates) = (files, roots, intermediates);
                changed = true;
            }
            Err(error) => broken.push(error),
        }
        let authorities_changed = changed;
        let mut lists = std::mem::take(&mut self.lists);
        for part in &mut lists {
            let bytes = match &part.source.place {
                Place::File(path) => File::read("tls.anchor.crl.file", path).map(|file| file.bytes),
                Place::Url(_) => Ok(part.bytes.clone()),
            };
            let taken = match bytes {
                Ok(bytes) if bytes == part.bytes && !authorities_changed => Ok(false),
                Ok(bytes) if bytes.is_empty() && part.list.is_none() => Ok(false),
                Ok(bytes) => self.read_and_take(part, bytes, taking),
                Err(error) => Err(error),
            };
            match taken {
                Ok(taken) => changed |= taken,
                Err(error) => broken.push(error),
            }
        }
        self.lists = lists;
        changed
    }

    fn read_and_take(
        &self,
        part: &mut ListPart,
        bytes: Vec<u8>,
        taking: &mut Taking<'_>,
    ) -> Result<bool, TlsError> {
        let list = self.read_list(part, &bytes)?;
        self.take(part, bytes, list, taking)
    }

    fn read_list(&self, part: &ListPart, bytes: &[u8]) -> Result<List, TlsError> {
        let authorities: Vec<_> = self
            .roots
            .iter()
            .chain(&self.intermediates)
            .cloned()
            .collect();
        List::read(bytes, &authorities).map_err(|source| TlsError::Revocation {
            list: part.source.to_string(),
            source,
        })
    }

    /// Takes a list in place of the one there was. Gives whether that changes anything.
    fn take(
        &self,
        part: &mut ListPart,
        bytes: Vec<u8>,
        list: List,
        taking: &mut Taking<'_>,
    ) -> Result<bool, TlsError> {
        let same = bytes == part.bytes && part.list.is_some();
        let (name, there) = (&self.config.name, part.list.as_ref());
        if !same && taking.newest.is_past(name, &list) {
            return Err(TlsError::Older {
                list: part.source.to_string(),
            });
        }
        if there.is_some_and(|there| part.source.belongs_to_another(there, &list, taking.now)) {
            return Err(TlsError::OtherAuthority {
                list: part.source.to_string(),
            });
        }
        taking.newest.note(name, &list, taking.now);
        part.bytes = bytes;
        part.list = Some(Arc::new(list));
        Ok(!same)
    }

    /// Takes what was fetched from a list's address. Gives whether that changes anything.
    pub(super) fn fetched(
        &mut self,
        at: usize,
        bytes: Vec<u8>,
        taking: &mut Taking<'_>,
    ) -> Result<bool, TlsError> {
        let mut lists = std::mem::take(&mut self.lists);
        let taken = lists
            .get_mut(at)
            .map_or(Ok(false), |part| self.read_and_take(part, bytes, taking));
        self.lists = lists;
        taken
    }

    /// Every authority has a list, unless one that is still to be fetched may be its.
    fn check_listed(&self) -> Result<(), TlsError> {
        let is_to_come = |part: &ListPart| part.source.is_fetched() && part.list.is_none();
        if self.lists.iter().any(is_to_come) {
            return Ok(());
        }
        for (position, certificate) in self.roots.iter().chain(&self.intermediates).enumerate() {
            let authority = Authority::of(certificate);
            if !authority.is_some_and(|authority| self.is_listed(&authority)) {
                return Err(TlsError::Unlisted {
                    anchor: self.config.name.clone(),
                    position: position.saturating_add(1),
                });
            }
        }
        Ok(())
    }

    pub(super) fn anchor(&self) -> Result<Anchor, TlsError> {
        let usage = |name: &String| {
            let arcs = identifier_of(name).unwrap_or_default().split('.');
            arcs.filter_map(|arc| arc.parse().ok()).collect()
        };
        Ok(Anchor {
            name: self.config.name.clone(),
            roots: self.roots.iter().map(trusted).collect::<Result<_, _>>()?,
            intermediates: self.intermediates.clone(),
            policies: self.config.policies.clone(),
            usages: self.config.usages.iter().map(usage).collect(),
            lists: self
                .lists
                .iter()
                .map(|part| (Arc::clone(&part.source), part.list.clone()))
                .collect(),
        })
    }

    /// The authorities and when each ends, with the name of what it is for people.
    pub(in super::super) fn ends(&self) -> impl Iterator<Item = (String, Timestamp)> {
        let all = self.roots.iter().chain(&self.intermediates);
        all.filter_map(|certificate| {
            let terms = CertificateTerms::parse(certificate).ok()?;
            let what = format!(
                "authority `{}` of anchor `{}`",
                terms.subject, self.config.name
            );
            Some((what, terms.validity.not_after()))
        })
    }
}

impl ListPart {
    /// Until when it counts; nothing when it was never fetched.
    pub(in super::super) fn end(&self) -> Option<(&'static str, String, Timestamp)> {
        let end = self.source.stale_at(self.list.as_ref()?);
        Some(("revocation list", self.source.to_string(), end))
    }

    pub(super) fn outdated(&self, now: Timestamp) -> Option<TlsError> {
        let list = self.source.to_string();
        let Some(known) = &self.list else {
            let to_come = self.source.is_fetched();
            return to_come.then_some(TlsError::NeverFetched { list });
        };
        let (from, until) = (known.validity().not_before(), self.source.stale_at(known));
        (now < from || until <= now).then_some(TlsError::Outdated { list, from, until })
    }
}

type Authorities = (
    Vec<File>,
    Vec<CertificateDer<'static>>,
    Vec<CertificateDer<'static>>,
);

fn authorities(config: &config::Anchor, environment: Environment) -> Result<Authorities, TlsError> {
    let key = "tls.anchor.certificates";
    let file = File::read(key, &config.certificates)?;
    let roots = file.certificates(key)?;
    let (mut files, mut intermediates) = (vec![file], Vec::new());
    if let Some(path) = &config.intermediates {
        let key = "tls.anchor.intermediates";
        let file = File::read(key, path)?;
        intermediates = file.certificates(key)?;
        files.push(file);
    }
    for certificate in roots.iter().chain(&intermediates) {
        trusted(certificate)?;
        let development = identity::is_development_authority(certificate);
        let development = development.map_err(|error| TlsError::Unusable(Box::new(error)))?;
        if development && environment == Environment::Production {
            return Err(TlsError::DevelopmentAuthority {
                anchor: config.name.clone(),
            });
        }
    }
    Ok((files, roots, intermediates))
}

fn trusted(certificate: &CertificateDer<'_>) -> Result<TrustAnchor<'static>, TlsError> {
    let anchor = webpki::anchor_from_trusted_cert(certificate);
    anchor
        .map(|anchor| anchor.to_owned())
        .map_err(|error| TlsError::Unusable(Box::new(error)))
}
