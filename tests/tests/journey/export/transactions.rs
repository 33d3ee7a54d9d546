//! A party's own transactions, as FSC has them.

use super::*;

fn transactions(limit: u32) -> v1::ExportTransactionsRequest {
    v1::ExportTransactionsRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        limit,
        ..v1::ExportTransactionsRequest::default()
    }
}

async fn all_transactions(
    client: &Client,
    mut request: v1::ExportTransactionsRequest,
) -> Vec<v1::TransactionRecord> {
    let mut all = Vec::new();
    loop {
        let page = client.export_transactions(request.clone()).await.unwrap();
        all.extend(page.records);
        match page.next_cursor {
            Some(cursor) => request.cursor = Some(cursor),
            None => return all,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_gets_its_own_transactions_in_the_order_asked_for_and_no_denial() {
    let broker = start().await;
    story(&broker).await;
    let client = broker.client("wonen-zuid", None).await;
    let newest_first = all_transactions(&client, transactions(1)).await;
    let services: Vec<&str> = newest_first
        .iter()
        .map(|record| record.service_name.as_str())
        .collect();
    // A disclosure, and before it a redemption: the two denials, and the look for them, are none.
    assert_eq!(services, ["ExchangeService", "ExchangeService"]);
    let disclosed = &newest_first[0];
    assert!(disclosed.grant_hash.starts_with("sha-256:"));
    let source = disclosed.source.as_ref().unwrap();
    assert_eq!(source.outway_peer_id, "00000099000000050000");
    assert!(source.delegator_peer_id.is_none());
    let destination = disclosed.destination.as_ref().unwrap();
    assert_eq!(destination.service_peer_id, "00000099000000100000");
    assert_eq!(disclosed.direction(), v1::Direction::Incoming);
    let mut ascending = transactions(1);
    ascending.sort_order = v1::SortOrder::Ascending.into();
    let mut oldest_first = all_transactions(&client, ascending).await;
    // By now both runs are transactions as well.
    for _ in 0..2 {
        assert_eq!(oldest_first.pop().unwrap().service_name, "ExportService");
    }
    oldest_first.reverse();
    assert_eq!(oldest_first, newest_first);
    let mut filtered = transactions(0);
    filtered.grant_hash = Some(disclosed.grant_hash.clone());
    filtered.transaction_ids = vec![disclosed.transaction_id.clone()];
    let found = all_transactions(&client, filtered).await;
    assert_eq!(&found[..], std::slice::from_ref(disclosed));
    let neighbour = broker.client("wonen-noord", None).await;
    assert_eq!(all_transactions(&neighbour, transactions(0)).await, []);
}
