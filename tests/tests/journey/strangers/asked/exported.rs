//! What leaves: exports, and what both sides hold.

use std::fmt;

use ciborium::Value;
use schakel_api::v1;
use schakel_tests::actor;

use super::{Asking, PURPOSE, Told, receipt_in};

impl Asking<'_> {
    pub(super) async fn exports(&self, method: &str, told: &mut Told) {
        let mut export = self.officer.export();
        match method {
            "ExportService/ExportEntries" => {
                for approved in [None, Some(self.approved[0].clone())] {
                    let mut request = v1::ExportEntriesRequest {
                        actor: actor(),
                        purpose: PURPOSE.into(),
                        page_size: 500,
                        search_id: approved,
                        ..v1::ExportEntriesRequest::default()
                    };
                    loop {
                        let answer = export.export_entries(request.clone()).await.unwrap();
                        let answer = answer.into_inner();
                        receipt_in(told, "ExportEntries", answer.receipt);
                        for entry in answer.entries {
                            exported(entry, told);
                        }
                        request.cursor = Some(answer.cursor);
                        if !answer.more {
                            break;
                        }
                    }
                }
            }
            "ExportService/ExportProcessings" => {
                let request = v1::ExportProcessingsRequest {
                    actor: actor(),
                    purpose: PURPOSE.into(),
                    page_size: 500,
                    search_id: Some(self.approved[1].clone()),
                    ..v1::ExportProcessingsRequest::default()
                };
                let answer = export.export_processings(request).await.unwrap();
                let answer = answer.into_inner();
                receipt_in(told, "ExportProcessings", answer.receipt);
                for line in answer.lines {
                    told.note("processing", &line);
                }
            }
            _ => {
                let request = v1::ExportTransactionsRequest {
                    actor: actor(),
                    purpose: PURPOSE.into(),
                    limit: 1000,
                    ..v1::ExportTransactionsRequest::default()
                };
                let answer = self.party.export().export_transactions(request).await;
                let answer = answer.unwrap().into_inner();
                receipt_in(told, "ExportTransactions", answer.receipt);
                told.note("transactions", &answer.records);
            }
        }
    }

    pub(super) async fn reconciles(&self, method: &str, told: &mut Told) {
        let mut reconciliation = self.party.reconciliation();
        if method.ends_with("CompareDigests") {
            let request = v1::CompareDigestsRequest {
                actor: actor(),
                held: vec![v1::PeriodDigest {
                    period: Some(self.day()),
                    digest: vec![0; 32].into(),
                    entries: 0,
                }],
            };
            let answer = reconciliation.compare_digests(request).await.unwrap();
            let answer = answer.into_inner();
            receipt_in(told, "CompareDigests", answer.receipt);
            told.note("CompareDigests", &answer.differing);
        } else {
            let request = v1::ListHandedOverRequest {
                actor: actor(),
                periods: vec![self.day()],
                page_size: 200,
                cursor: None,
            };
            let answer = reconciliation.list_handed_over(request).await.unwrap();
            let answer = answer.into_inner();
            receipt_in(told, "ListHandedOver", answer.receipt);
            for receipt in answer.handed_over {
                receipt_in(told, "handed over", Some(receipt));
            }
        }
    }
}

/// An exported entry, with what is opened of it.
fn exported(entry: v1::ExportedEntry, told: &mut Told) {
    let receipt = v1::Receipt {
        index: entry.index,
        leaf: entry.leaf,
        ..v1::Receipt::default()
    };
    receipt_in(told, "exported", Some(receipt));
    match entry.details {
        Some(v1::exported_entry::Details::Opened(opened)) => {
            let details: Value = ciborium::from_reader(&opened.details[..]).unwrap();
            let shown = Shown(&details).to_string();
            told.lines.push(format!("opened: {shown}"));
        }
        other => told.note("not opened", &other),
    }
}

/// Details without what is drawn at random: ids as such, other bytes by their length.
struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Bytes(bytes) => match uuid::Uuid::from_slice(bytes) {
                Ok(id) => write!(f, "{id}"),
                Err(_) => write!(f, "{} bytes", bytes.len()),
            },
            Value::Array(all) => {
                let is_byte = |one: &Value| matches!(one, Value::Integer(_));
                if all.len() == 32 && all.iter().all(is_byte) {
                    return f.write_str("a digest");
                }
                f.write_str("[")?;
                all.iter()
                    .try_for_each(|one| write!(f, "{}, ", Shown(one)))?;
                f.write_str("]")
            }
            Value::Map(all) => {
                f.write_str("{")?;
                for (key, value) in all {
                    // The port is another for each connection.
                    if key.as_text() != Some("address") {
                        write!(f, "{}: {}, ", Shown(key), Shown(value))?;
                    }
                }
                f.write_str("}")
            }
            Value::Text(text) => write!(f, "{text}"),
            other => write!(f, "{other:?}"),
        }
    }
}
