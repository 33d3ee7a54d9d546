//! What the files of section `[tls]` hold, part by part. A part that is broken stays as it was, and the others
//! do not wait for it: a bad list of one authority must not keep the next list of another from counting.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, TrustAnchor};
use schakel_core::{id::AnchorName, time::Timestamp};
use schakel_pki::{check, identity, terms::CertificateTerms};

use super::{
    TlsError,
    anchor::Anchor,
    copies::Copies,
    files::File,
    list::{Authority, List, Place, Source},
    pair::Pair,
};
use crate::config::{self, Environment, identifier_of};

/// Everything a handshake goes by.
pub(super) struct Parts {
    pub(super) pair: Arc<Pair>,
    pub(super) anchors: Vec<AnchorParts>,
}

/// What is known of one anchor.
pub(super) struct AnchorParts {
    pub(super) config: config::Anchor,
    files: Vec<File>,
    roots: Vec<CertificateDer<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
    pub(super) lists: Vec<ListPart>,
}

/// What is known of one revocation list.
pub(super) struct ListPart {
    pub(super) source: Arc<Source>,
    /// The bytes it was last read from.
    bytes: Vec<u8>,
    pub(super) list: Option<Arc<List>>,
}

impl Parts {
    /// Reads everything for the first time; lists that are fetched, from the copies of them.
    pub(super) fn read(
        config: &config::Tls,
        environment: Environment,
        copies: Option<&Copies>,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let anchors = config.anchors.iter();
        Ok(Self {
            pair: Arc::new(Pair::read(config, environment, now)?),
            anchors: anchors
                .map(|anchor| AnchorParts::read(anchor, environment, copies))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Reads the files again. Gives whether anything changed, and what is broken.
    pub(super) fn read_again(
        &mut self,
        config: &config::Tls,
        environment: Environment,
        now: Timestamp,
    ) -> (bool, Vec<TlsError>) {
        let (mut changed, mut broken) = (false, Vec::new());
        match self.pair.read_again(config, environment, now) {
            Ok(Some(pair)) => {
                self.pair = Arc::new(pair);
                changed = true;
            }
            Ok(None) => {}
            Err(error) => broken.push(error),
        }
        for anchor in &mut self.anchors {
            changed |= anchor.read_again(environment, &mut broken);
        }
        (changed, broken)
    }

    /// Takes these anchors in place of those there are. Gives whether that changes anything, and what is broken.
    pub(super) fn adopt(
        &mut self,
        wanted: &[config::Anchor],
        environment: Environment,
        copies: Option<&Copies>,
    ) -> (bool, Vec<TlsError>) {
        if self.anchors.iter().map(|anchor| &anchor.config).eq(wanted) {
            return (false, Vec::new());
        }
        let mut there = std::mem::take(&mut self.anchors);
        let configs = |anchors: &[AnchorParts]| -> Vec<_> {
            let all = anchors.iter();
            all.map(|anchor| anchor.config.clone()).collect()
        };
        let (before, mut broken) = (configs(&there), Vec::new());
        for config in wanted {
            let at = there.iter().position(|one| one.config.name == config.name);
            let old = at.map(|at| there.swap_remove(at));
            match old {
                Some(old) if old.config == *config => self.anchors.push(old),
                old => match AnchorParts::read(config, environment, copies) {
                    Ok(read) => self.anchors.push(read),
                    Err(error) => {
                        broken.push(error);
                        self.anchors.extend(old);
                    }
                },
            }
        }
        (before != configs(&self.anchors), broken)
    }

    /// Takes what was fetched from a list's address. Gives whether that changes anything.
    pub(super) fn fetched(
        &mut self,
        source: &Arc<Source>,
        bytes: Vec<u8>,
    ) -> Result<bool, TlsError> {
        let holds = |part: &ListPart| Arc::ptr_eq(&part.source, source);
        for anchor in &mut self.anchors {
            if let Some(at) = anchor.lists.iter().position(holds) {
                return anchor.fetched(at, bytes);
            }
        }
        // Its anchor is gone.
        Ok(false)
    }

    /// The anchors as a verifier goes by them.
    pub(super) fn anchors(&self) -> Result<Vec<Anchor>, TlsError> {
        self.anchors.iter().map(AnchorParts::anchor).collect()
    }

    /// The anchors, as somebody reads them who checks a certificate by hand.
    pub(super) fn shown(&self, unpinned: Option<&AnchorName>) -> Vec<check::Anchor> {
        let anchors = self.anchors.iter();
        anchors.map(|anchor| anchor.shown(unpinned)).collect()
    }

    /// What does not count any more, or not yet.
    pub(super) fn outdated(&self, now: Timestamp) -> Vec<TlsError> {
        let parts = self.anchors.iter().flat_map(|anchor| &anchor.lists);
        parts.filter_map(|part| part.outdated(now)).collect()
    }
}

impl AnchorParts {
    fn shown(&self, unpinned: Option<&AnchorName>) -> check::Anchor {
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

    pub(super) fn read(
        config: &config::Anchor,
        environment: Environment,
        copies: Option<&Copies>,
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
        for source in sources {
            let part = parts.first_list(source, copies)?;
            parts.lists.push(part);
        }
        parts.check_listed()?;
        Ok(parts)
    }

    fn first_list(
        &self,
        source: Arc<Source>,
        copies: Option<&Copies>,
    ) -> Result<ListPart, TlsError> {
        let mut part = ListPart {
            source,
            bytes: Vec::new(),
            list: None,
        };
        match part.source.place.clone() {
            Place::File(path) => {
                let file = File::read("tls.anchor.crl.file", &path)?;
                self.take(&mut part, file.bytes)?;
            }
            Place::Url(url) => {
                // A copy that is gone or spoilt is as good as none: the list is fetched soon.
                if let Some((bytes, fetched_at)) = copies.and_then(|copies| copies.read(&url)) {
                    match self.take(&mut part, bytes) {
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

    fn read_again(&mut self, environment: Environment, broken: &mut Vec<TlsError>) -> bool {
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
                Ok(bytes) => self.take(part, bytes),
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

    /// Takes a list in place of the one there was. Gives whether that changes anything.
    fn take(&self, part: &mut ListPart, bytes: Vec<u8>) -> Result<bool, TlsError> {
        let authorities: Vec<_> = self
            .roots
            .iter()
            .chain(&self.intermediates)
            .cloned()
            .collect();
        let list = List::read(&bytes, &authorities).map_err(|source| TlsError::Revocation {
            list: part.source.to_string(),
            source,
        })?;
        let older = part
            .list
            .as_ref()
            .is_some_and(|there| there.authority == list.authority && !list.follows(there));
        if older {
            return Err(TlsError::Older {
                list: part.source.to_string(),
            });
        }
        let changed = bytes != part.bytes || part.list.is_none();
        part.bytes = bytes;
        part.list = Some(Arc::new(list));
        Ok(changed)
    }

    /// Takes what was fetched from a list's address. Gives whether that changes anything.
    fn fetched(&mut self, at: usize, bytes: Vec<u8>) -> Result<bool, TlsError> {
        let mut lists = std::mem::take(&mut self.lists);
        let taken = lists
            .get_mut(at)
            .map_or(Ok(false), |part| self.take(part, bytes));
        self.lists = lists;
        taken
    }

    /// Every authority has a list, unless one that is still to be fetched may be its.
    fn check_listed(&self) -> Result<(), TlsError> {
        if self.lists.iter().any(|part| part.list.is_none()) {
            return Ok(());
        }
        for (position, certificate) in self.roots.iter().chain(&self.intermediates).enumerate() {
            let authority = Authority::of(certificate);
            let listed = self.lists.iter().any(|part| {
                let of = part.list.as_ref().map(|list| &list.authority);
                of.is_some() && of == authority.as_ref()
            });
            if !listed {
                return Err(TlsError::Unlisted {
                    anchor: self.config.name.clone(),
                    position: position.saturating_add(1),
                });
            }
        }
        Ok(())
    }

    fn anchor(&self) -> Result<Anchor, TlsError> {
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
    pub(super) fn ends(&self) -> impl Iterator<Item = (String, Timestamp)> {
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
    pub(super) fn end(&self) -> Option<(&'static str, String, Timestamp)> {
        let end = self.source.stale_at(self.list.as_ref()?);
        Some(("revocation list", self.source.to_string(), end))
    }

    fn outdated(&self, now: Timestamp) -> Option<TlsError> {
        let list = self.source.to_string();
        let Some(known) = &self.list else {
            return Some(TlsError::NeverFetched { list });
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
