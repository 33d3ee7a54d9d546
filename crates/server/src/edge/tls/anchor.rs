//! A trust anchor: which chains are admitted under it, and until when.

use std::{cell::RefCell, slice, sync::Arc};

use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor};
use schakel_core::{id::AnchorName, time::Timestamp};
use schakel_pki::terms::CertificateTerms;
use webpki::{
    CertRevocationList, EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage,
    RequiredEkuNotFoundContext, RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath,
};

use super::{
    list::{Authority, List, Source},
    refused::Refused,
    unix_time,
};

/// How many certificates a client may send: more than any chain needs, fewer than it costs to look at.
const MOST_CERTIFICATES: usize = 8;

/// Authorities that are trusted together.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) name: AnchorName,
    pub(super) roots: Vec<TrustAnchor<'static>>,
    pub(super) intermediates: Vec<CertificateDer<'static>>,
    pub(super) policies: Vec<String>,
    /// Object identifiers of extended key usages, by their arcs.
    pub(super) usages: Vec<Vec<usize>>,
    pub(super) lists: Vec<(Arc<Source>, Option<Arc<List>>)>,
}

/// The algorithms with which certificates may be signed.
pub(super) type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

impl Anchor {
    /// Until when this chain, the client's own certificate first, is admitted under the anchor.
    ///
    /// # Errors
    /// Why it is not admitted now. Of several ways up, the reason of the one that came furthest.
    pub(super) fn verify(
        &self,
        own: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        algorithms: Algorithms,
        now: Timestamp,
    ) -> Result<Timestamp, Refused> {
        if sent.len() >= MOST_CERTIFICATES {
            return Err(Refused::TooLong);
        }
        let entity = EndEntityCert::try_from(own)?;
        let terms = CertificateTerms::parse(own).map_err(|_| Refused::Malformed)?;
        let all: Vec<_> = sent.iter().chain(&self.intermediates).cloned().collect();
        let check = Check {
            anchor: self,
            entity: &entity,
            algorithms,
            now,
        };
        let found = RefCell::new(Err(Refused::Malformed));
        let each = |path: &VerifiedPath<'_>| {
            let checked = check.revocation(path);
            let passes = checked.is_ok();
            *found.borrow_mut() = checked;
            // What it says is in `found`; this makes the library go on looking for another way up.
            passes
                .then_some(())
                .ok_or(webpki::Error::UnknownRevocationStatus)
        };
        let usages = Usages(&self.usages);
        let time = unix_time(now);
        let path = entity.verify_for_usage(
            algorithms,
            &self.roots,
            &all,
            time,
            &usages,
            None,
            Some(&each),
        );
        match path {
            Err(webpki::Error::UnknownRevocationStatus) => found.into_inner(),
            Err(error) => Err(error.into()),
            Ok(_) if !terms.has_usages => Err(Refused::NoUsages),
            Ok(_) if !self.admits_policies(&terms) => Err(Refused::Policy),
            Ok(_) => found.into_inner(),
        }
    }

    /// Whether the certificate is under one of the policies that are accepted of this anchor; any is when none
    /// is named.
    fn admits_policies(&self, terms: &CertificateTerms) -> bool {
        let accepted = |policy: &String| self.policies.contains(policy);
        self.policies.is_empty() || terms.policies.iter().any(accepted)
    }
}

/// One chain being checked.
struct Check<'a> {
    anchor: &'a Anchor,
    entity: &'a EndEntityCert<'a>,
    algorithms: Algorithms,
    now: Timestamp,
}

impl Check<'_> {
    /// Whether anything on this way up is revoked, and until when that is known.
    fn revocation(&self, path: &VerifiedPath<'_>) -> Result<Timestamp, Refused> {
        let above: Vec<CertificateDer<'_>> = path
            .intermediate_certificates()
            .map(webpki::Cert::der)
            .collect();
        let own = self.entity.der();
        let chain = slice::from_ref(&own).iter().chain(&above);
        let issuers = above
            .iter()
            .map(Authority::of)
            .chain([Some(Authority::of_anchor(path.anchor()))]);
        let (mut until, mut lists, mut lenient) = (Timestamp::MAX, Vec::new(), false);
        for (certificate, issuer) in chain.zip(issuers) {
            let terms = CertificateTerms::parse(certificate).map_err(|_| Refused::Malformed)?;
            until = until.min(terms.validity.not_after().plus_millis(1000));
            let issuer = issuer.ok_or(Refused::Malformed)?;
            let counting = self.counting(&issuer, &terms)?;
            lenient |= counting.is_empty();
            for (source, list) in counting {
                if !source.admits_stale() {
                    until = until.min(source.stale_at(list));
                }
                lists.push((source, list));
            }
        }
        self.look_up(path, &above, &lists, lenient)?;
        Ok(until)
    }

    /// The lists of an authority that count now. None only where that was chosen.
    fn counting(
        &self,
        issuer: &Authority,
        terms: &CertificateTerms,
    ) -> Result<Vec<(&Source, &List)>, Refused> {
        let of_issuer = self.anchor.lists.iter().filter_map(|(source, list)| {
            let list = list.as_deref().filter(|list| list.authority == *issuer)?;
            Some((source.as_ref(), list))
        });
        let mut stale = None;
        let mut counting: Vec<(&Source, &List)> = Vec::new();
        for (source, list) in of_issuer {
            if self.now < source.stale_at(list) || source.admits_stale() {
                counting.push((source, list));
            } else {
                stale = Some((source, list));
            }
        }
        // The newest first: it is the one that is looked into when two say the same.
        counting.sort_by_key(|(_, list)| std::cmp::Reverse(list.validity().not_before()));
        // One that was never there is that of an authority nobody knows, perhaps of this one.
        let unknown = |(source, list): &(Arc<Source>, Option<Arc<List>>)| {
            source.is_fetched() && list.is_none() && source.admits_stale()
        };
        match stale {
            _ if !counting.is_empty() => Ok(counting),
            Some((source, list)) => Err(Refused::Stale {
                certificate: terms.subject.clone(),
                issuer: terms.issuer.clone(),
                from: source.to_string(),
                since: source.stale_at(list),
            }),
            None if self.anchor.lists.iter().any(unknown) => Ok(counting),
            None => Err(Refused::Unlisted {
                certificate: terms.subject.clone(),
                issuer: terms.issuer.clone(),
                sources: self.sources(),
            }),
        }
    }

    fn look_up(
        &self,
        path: &VerifiedPath<'_>,
        above: &[CertificateDer<'_>],
        lists: &[(&Source, &List)],
        lenient: bool,
    ) -> Result<(), Refused> {
        let lookups: Vec<&CertRevocationList<'_>> =
            lists.iter().map(|(_, list)| &list.lookup).collect();
        let policy = if lenient {
            UnknownStatusPolicy::Allow
        } else {
            UnknownStatusPolicy::Deny
        };
        // Without a list this is no check at all, and then it was chosen.
        let options = RevocationOptionsBuilder::new(&lookups)
            .ok()
            .map(|builder| builder.with_status_policy(policy).build());
        let verified = self.entity.verify_for_usage(
            self.algorithms,
            slice::from_ref(path.anchor()),
            above,
            unix_time(self.now),
            Usages(&self.anchor.usages),
            options,
            None,
        );
        match verified {
            Ok(_) => Ok(()),
            Err(webpki::Error::CertRevoked) => Err(self.revoked(path, lists)),
            Err(error) => Err(error.into()),
        }
    }

    /// Which certificate of this way up is revoked, and by which list.
    fn revoked(&self, path: &VerifiedPath<'_>, lists: &[(&Source, &List)]) -> Refused {
        let own: &webpki::Cert<'_> = self.entity;
        let way = std::iter::once(own).chain(path.intermediate_certificates());
        let named = way.flat_map(|certificate| {
            let naming = lists.iter().filter(|(_, list)| list.names(certificate));
            naming.map(move |(source, _)| (certificate, source))
        });
        let Some((certificate, source)) = named.into_iter().next() else {
            return webpki::Error::CertRevoked.into();
        };
        match CertificateTerms::parse(&certificate.der()) {
            Ok(terms) => Refused::Revoked {
                certificate: terms.subject,
                issuer: terms.issuer,
                from: source.to_string(),
            },
            Err(_) => Refused::Malformed,
        }
    }

    fn sources(&self) -> String {
        let all = self
            .anchor
            .lists
            .iter()
            .map(|(source, _)| source.to_string());
        all.collect::<Vec<_>>().join(", ")
    }
}

/// The usages of which a certificate that limits its use must have one.
struct Usages<'a>(&'a [Vec<usize>]);

impl ExtendedKeyUsageValidator for Usages<'_> {
    fn validate(&self, found: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let mut present = Vec::new();
        for usage in found {
            let usage = usage?.to_decoded_oid();
            if self.0.contains(&usage) {
                return Ok(());
            }
            present.push(usage);
        }
        // An authority may leave it open; the client's own certificate may not, which is checked apart.
        if present.is_empty() {
            return Ok(());
        }
        let required = KeyUsage::client_auth();
        let context = RequiredEkuNotFoundContext { required, present };
        Err(webpki::Error::RequiredEkuNotFoundContext(context))
    }
}
