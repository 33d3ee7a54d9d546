//! Pages of certificates and enrolments. A token is the place of the last one that was shown: whoever alters it sees
//! other pages of what it may see, and nothing else.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::{id::EnrolmentId, party::Peer, time::Timestamp};

use crate::wire::{Fields, inbox::foreign};

/// The most of one page.
const MOST: u32 = 100;

/// A page that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Page<P> {
    after: Option<P>,
    size: usize,
}

/// Where something stands in its list.
pub(crate) trait Place: Copy + Ord {
    /// As a token says it.
    fn to_token(self) -> Bytes;
    /// As it is read from a token; `None` when it is none of this list.
    fn from_token(token: &[u8]) -> Option<Self>;
}

/// Reads which certificates are asked for.
pub(crate) fn list_issued(
    message: v1::ListIssuedCertificatesRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Page<(Timestamp, [u8; 32])>> {
    let v1::ListIssuedCertificatesRequest {
        page_size,
        page_token,
    } = message;
    fields.page(page_size, page_token)
}

/// Reads which enrolments are asked for.
pub(crate) fn list_enrolments(
    message: v1::ListEnrolmentsRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Page<EnrolmentId>> {
    let v1::ListEnrolmentsRequest {
        page_size,
        page_token,
    } = message;
    fields.page(page_size, page_token)
}

impl Fields {
    fn page<P: Place>(&mut self, page_size: u32, page_token: Option<Bytes>) -> Option<Page<P>> {
        let size = self.number("page_size", 1..=MOST, page_size);
        let after = page_token.map(|token| {
            let place = P::from_token(&token);
            if place.is_none() {
                for violation in foreign("page_token").violations {
                    self.refuse("page_token", violation.rule);
                }
            }
            place
        });
        let after = match after {
            Some(place) => Some(place?),
            None => None,
        };
        Some(Page {
            after,
            size: usize::try_from(size?).ok()?,
        })
    }
}

impl<P: Place> Page<P> {
    /// What stands on the page of all there is, and the token of the next one.
    pub(crate) fn of<T>(
        &self,
        all: impl Iterator<Item = T>,
        place: impl Fn(&T) -> P,
    ) -> (Vec<T>, Option<Bytes>) {
        let follows = all.map(|one| (place(&one), one));
        let mut found: Vec<_> = follows
            .filter(|(place, _)| self.after.is_none_or(|after| after < *place))
            .collect();
        found.sort_unstable_by_key(|(place, _)| *place);
        let more = found.len() > self.size;
        found.truncate(self.size);
        let last = found.last().filter(|_| more).map(|(place, _)| *place);
        let shown = found.into_iter().map(|(_, one)| one).collect();
        (shown, last.map(P::to_token))
    }
}

impl Place for EnrolmentId {
    fn to_token(self) -> Bytes {
        self.as_bytes().to_vec().into()
    }

    fn from_token(token: &[u8]) -> Option<Self> {
        token.try_into().ok().map(Self::from_bytes)
    }
}

/// The end of a certificate, and its SHA-256.
impl Place for (Timestamp, [u8; 32]) {
    fn to_token(self) -> Bytes {
        let (end, sha256) = self;
        [&end.as_millis().to_be_bytes()[..], &sha256[..]]
            .concat()
            .into()
    }

    fn from_token(token: &[u8]) -> Option<Self> {
        let (end, sha256) = token.split_first_chunk()?;
        let end = Timestamp::from_millis(u64::from_be_bytes(*end)).ok()?;
        Some((end, sha256.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> EnrolmentId {
        EnrolmentId::from_bytes([byte; 16])
    }

    /// Every page of these, and how many there were.
    fn pages<P: Place>(all: &[P], page_size: u32) -> (Vec<P>, usize) {
        let (mut shown, mut token, mut pages) = (Vec::new(), None, 0);
        loop {
            let mut fields = Fields::default();
            let page: Option<Page<P>> = fields.page(page_size, token);
            let (some, next) = page.unwrap().of(all.iter().copied(), |one| *one);
            assert!(some.len() <= usize::try_from(page_size).unwrap());
            shown.extend(some);
            (token, pages) = (next, pages + 1);
            if token.is_none() {
                return (shown, pages);
            }
        }
    }

    #[test]
    fn pages_show_everything_once_and_in_order() {
        let ids = [3, 1, 4, 5, 2].map(id);
        let sorted = [1, 2, 3, 4, 5].map(id).to_vec();
        assert_eq!(pages(&ids, 2), (sorted.clone(), 3));
        assert_eq!(pages(&ids, 5), (sorted.clone(), 1), "no empty page follows");
        assert_eq!(pages(&ids, 100), (sorted, 1));
        assert_eq!(pages::<EnrolmentId>(&[], 1), (vec![], 1));
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        // Two that end together stand by their thumbprint.
        let ends = [(at(7), [2; 32]), (at(7), [1; 32]), (at(3), [9; 32])];
        let sorted = vec![ends[2], ends[1], ends[0]];
        assert_eq!(pages(&ends, 1), (sorted, 3));
    }

    #[test]
    fn a_page_that_cannot_be_is_refused_by_name() {
        for (size, token, field) in [
            (0, None, "page_size"),
            (101, None, "page_size"),
            (1, Some(vec![1; 15]), "page_token"),
            (1, Some(vec![1; 300]), "page_token"),
        ] {
            let mut fields = Fields::default();
            let page: Option<Page<EnrolmentId>> = fields.page(size, token.map(Into::into));
            let refused = fields.finish(page).unwrap_err();
            assert_eq!(refused.violations[0].field, field);
        }
    }
}
