//! Whatever comes over the wire, reading it gives a value or a list of what is wrong.

use proptest::prelude::*;
use prost::Message;
use schakel_api::v1;
use schakel_core::{code::Role, party::Peer};

use crate::wire::{
    Fields, InvalidRequest, audit, case, consent, exchange, inbox, notice, registry,
    request::read,
    restriction,
    testing::{self, actor, id, subject},
};

/// Reads bytes as one kind of request.
type Reader = fn(&[u8], &Peer) -> Option<Result<(), InvalidRequest>>;

fn decoded<M: Message + Default, T>(
    bytes: &[u8],
    peer: &Peer,
    parse: impl FnOnce(M, &Peer, &mut Fields) -> Option<T>,
) -> Option<Result<(), InvalidRequest>> {
    let message = M::decode(bytes).ok()?;
    Some(read(message, peer, parse).map(|_| ()))
}

const READERS: [Reader; 26] = [
    |bytes, peer| decoded(bytes, peer, case::open),
    |bytes, peer| decoded(bytes, peer, case::assign),
    |bytes, peer| decoded(bytes, peer, case::add),
    |bytes, peer| decoded(bytes, peer, case::remove),
    |bytes, peer| decoded(bytes, peer, case::close),
    |bytes, peer| decoded(bytes, peer, case::get),
    |bytes, peer| decoded(bytes, peer, consent::record),
    |bytes, peer| decoded(bytes, peer, consent::withdraw),
    |bytes, peer| decoded(bytes, peer, consent::get),
    |bytes, peer| decoded(bytes, peer, consent::list),
    |bytes, peer| decoded(bytes, peer, restriction::record),
    |bytes, peer| decoded(bytes, peer, restriction::lift),
    |bytes, peer| decoded(bytes, peer, exchange::report),
    |bytes, peer| decoded(bytes, peer, exchange::introduce),
    |bytes, peer| decoded(bytes, peer, exchange::redeem),
    |bytes, peer| decoded(bytes, peer, exchange::ask),
    |bytes, peer| decoded(bytes, peer, exchange::ask_batch),
    |bytes, peer| decoded(bytes, peer, inbox::pull),
    |bytes, peer| decoded(bytes, peer, inbox::acknowledge),
    |bytes, peer| decoded(bytes, peer, notice::get),
    |bytes, peer| decoded(bytes, peer, audit::search),
    |bytes, peer| decoded(bytes, peer, audit::get),
    |bytes, peer| decoded(bytes, peer, audit::explain),
    |bytes, peer| decoded(bytes, peer, registry::propose),
    |bytes, peer| decoded(bytes, peer, registry::approve),
    |bytes, peer| decoded(bytes, peer, registry::reject),
];

/// Requests in which nothing is wrong, to be spoilt.
fn good() -> Vec<Vec<u8>> {
    let ask = v1::AskRequest {
        actor: Some(actor()),
        item: Some(testing::item()),
    };
    let batch = v1::AskBatchRequest {
        actor: Some(actor()),
        items: vec![testing::item(), testing::item()],
    };
    let search = v1::SearchEntriesRequest {
        actor: Some(actor()),
        purpose: "P-ACCOUNTABILITY".into(),
        subject: Some(subject()),
        page_size: 10,
        ..Default::default()
    };
    let acknowledge = v1::AcknowledgeRequest {
        idempotency_key: id(1),
        actor: Some(actor()),
        delivery_ids: vec![id(2), id(3)],
    };
    vec![
        testing::consent().encode_to_vec(),
        testing::report().encode_to_vec(),
        ask.encode_to_vec(),
        batch.encode_to_vec(),
        search.encode_to_vec(),
        acknowledge.encode_to_vec(),
        testing::proposal(v1::change::Change::PutParty(testing::party())).encode_to_vec(),
        testing::proposal(v1::change::Change::PutPurpose(testing::purpose())).encode_to_vec(),
    ]
}

/// Every refusal names a field and a rule, and not too many of them.
fn assert_told(bytes: &[u8]) -> Result<(), TestCaseError> {
    for role in [
        Role::Pi,
        Role::Municipality,
        Role::HousingAssociation,
        Role::PrivacyOfficer,
    ] {
        for reader in READERS {
            let Some(Err(refused)) = reader(bytes, &testing::peer(role)) else {
                continue;
            };
            prop_assert!(!refused.violations.is_empty());
            prop_assert!(refused.violations.len() <= 13);
            prop_assert!(refused.to_string().len() < 4_000);
        }
    }
    Ok(())
}

#[test]
fn the_good_requests_are_good() {
    let peer = testing::peer(Role::Municipality);
    for (bytes, reader) in good().iter().zip([6, 12, 15, 16, 20, 18, 23, 23]) {
        assert_eq!(READERS[reader](bytes, &peer), Some(Ok(())), "{reader}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        assert_told(&bytes)?;
    }

    #[test]
    fn no_spoilt_request_is_too_strange(
        which in 0..8_usize,
        spoils in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = good().swap_remove(which);
        for (at, byte) in spoils {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        assert_told(&bytes)?;
    }
}
