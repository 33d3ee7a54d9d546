//! Exports, as two employees of a privacy officer let them be run.

use std::sync::Arc;

use prost::bytes::Bytes;
use schakel_api::v1::{self, propose_search_request::Question};
use schakel_pki::authority::Issued;

use crate::{broker::TestBroker, party::Party, requests::actor};

impl TestBroker {
    /// A party with another certificate of its own than it has otherwise.
    pub async fn with_another_certificate(&self, id: &str) -> Party {
        self.with_certificate(id, &self.place().another(id)).await
    }

    /// A party with this certificate.
    pub async fn with_certificate(&self, id: &str, certificate: &Issued) -> Party {
        let line = self.line_with(Some(certificate));
        let channel = line.channel().await.expect("a connection");
        Party::new(id, channel, Arc::clone(self.evidence()), self.any_clock())
    }

    /// The approval of an export of everything, proposed by one employee of an officer and given by another one.
    pub async fn approved_export(&self, officer: &str, kind: v1::ExportKind) -> Bytes {
        let first = self.party(officer).await;
        let search = first.propose_export(kind, None, 31).await;
        let second = self.with_another_certificate(officer).await;
        second.decide_export(&search, true).await;
        search
    }
}

impl Party {
    /// Proposes an export for some days, and gives what it is known by.
    pub async fn propose_export(
        &self,
        kind: v1::ExportKind,
        period: Option<v1::Period>,
        days: u32,
    ) -> Bytes {
        let export = v1::StandingExport {
            actor: actor(),
            purpose: "P-ACCOUNTABILITY".into(),
            kind: kind.into(),
            period,
            days,
        };
        let request = v1::ProposeSearchRequest {
            question: Some(Question::Export(export)),
        };
        let answer = self.audit().propose_search(request).await;
        let answer = answer.expect("a proposal").into_inner();
        self.keep(answer.receipt);
        answer.search_id
    }

    /// Decides about a proposed export, as another employee than [`actor`].
    pub async fn decide_export(&self, search: &Bytes, approve: bool) {
        let request = v1::DecideSearchRequest {
            actor: second_actor(),
            search_id: search.clone(),
            approve,
        };
        let answer = self.audit().decide_search(request).await;
        self.keep(answer.expect("a decision").into_inner().receipt);
    }
}

/// Another employee than [`actor`].
#[must_use]
pub fn second_actor() -> Option<v1::Actor> {
    Some(v1::Actor {
        actor_ref: "medewerker-2".into(),
        responsible_ref: None,
    })
}
