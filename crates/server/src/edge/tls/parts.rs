//! What the files of section `[tls]` hold, part by part. A part that is broken stays as it was, and the others
//! do not wait for it: a bad list of one authority must not keep the next list of another from counting.

use std::sync::Arc;

use schakel_core::{id::AnchorName, time::Timestamp};
use schakel_pki::check;

use super::{TlsError, anchor::Anchor, copies::Copies, list::Source, newest::Newest, pair::Pair};
use crate::config::{self, Environment};

mod of_anchor;

pub(super) use of_anchor::{AnchorParts, ListPart, Taking};

/// Everything a handshake goes by.
pub(super) struct Parts {
    pub(super) pair: Arc<Pair>,
    pub(super) anchors: Vec<AnchorParts>,
    /// How new the lists are that were ever taken.
    pub(super) newest: Newest,
}

impl Parts {
    /// Reads everything for the first time; lists that are fetched, from the copies of them.
    pub(super) fn read(
        config: &config::Tls,
        environment: Environment,
        copies: Option<&Copies>,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let pair = Arc::new(Pair::read(config, environment, now)?);
        let mut newest = copies.map(Copies::newest).unwrap_or_default();
        let taking = &mut Taking {
            newest: &mut newest,
            now,
        };
        let anchors = config.anchors.iter();
        let anchors = anchors
            .map(|anchor| AnchorParts::read(anchor, environment, copies, taking))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            pair,
            anchors,
            newest,
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
        let taking = &mut Taking {
            newest: &mut self.newest,
            now,
        };
        for anchor in &mut self.anchors {
            changed |= anchor.read_again(environment, taking, &mut broken);
        }
        (changed, broken)
    }

    /// Takes these anchors in place of those there are. Gives whether that changes anything, and what is broken.
    pub(super) fn adopt(
        &mut self,
        wanted: &[config::Anchor],
        environment: Environment,
        copies: Option<&Copies>,
        now: Timestamp,
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
        let taking = &mut Taking {
            newest: &mut self.newest,
            now,
        };
        for config in wanted {
            let at = there.iter().position(|one| one.config.name == config.name);
            let old = at.map(|at| there.swap_remove(at));
            match old {
                Some(old) if old.config == *config => self.anchors.push(old),
                old => match AnchorParts::read(config, environment, copies, taking) {
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
        now: Timestamp,
    ) -> Result<bool, TlsError> {
        let taking = &mut Taking {
            newest: &mut self.newest,
            now,
        };
        let holds = |part: &ListPart| Arc::ptr_eq(&part.source, source);
        for anchor in &mut self.anchors {
            if let Some(at) = anchor.lists.iter().position(holds) {
                return anchor.fetched(at, bytes, taking);
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
