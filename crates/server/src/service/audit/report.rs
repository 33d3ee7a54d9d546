//! The standing questions of a privacy officer.

use std::sync::Arc;

use schakel_api::v1;
use schakel_core::id::EntryIndex;
use tonic::{Request, Status};

use super::{Audit, look::looked};
use crate::{
    call::LookUp,
    edge::identify::Caller,
    officer::{
        report::{Narrowed, Reporter},
        wide::Question,
    },
    sequencer::CursorKind,
    service::opened,
    wire::{
        inbox::foreign,
        receipt::receipt,
        report::{self, Asked},
        request::read,
    },
};

/// The method of a report.
const REPORT: &str = "AuditService/GetReport";

impl Audit {
    pub(super) async fn get_report(
        &self,
        request: Request<v1::GetReportRequest>,
    ) -> Result<v1::GetReportResponse, Status> {
        let (caller, message) = opened(request)?;
        let asked = read(message, &caller.peer, report::asked)?;
        self.check_purpose(&asked.purpose)?;
        self.check_party("", asked.party.as_ref())?;
        let viewer = self.viewer(&caller.peer)?;
        let narrowed = self.narrowed(&caller, &asked).await?;
        if self.is_wide_report(&asked) {
            self.check_approved(&viewer, asked.approval, of_report(&asked))
                .await?;
        }
        let (registry, now) = (self.sequencer.registry(), self.sequencer.now());
        let which = asked.report;
        let made = self.look(move |trail| {
            let reporter = Reporter {
                trail,
                registry: Arc::as_ref(&registry),
                viewer: &viewer,
                now,
            };
            reporter.report(which, &narrowed)
        });
        let (made, next) = made.await?;
        let look_up = LookUp {
            purpose: Some(asked.purpose.clone()),
            subject: asked.subject.clone(),
            ..looked(asked.in_words(), rows(&made))
        };
        let answer = self.record(&caller, asked.who, look_up).await?;
        let seal = |next: EntryIndex| {
            let party = &caller.peer.principal;
            let cursor = self
                .sequencer
                .seal_cursor(party, CursorKind::Report, next.0);
            cursor.into()
        };
        Ok(v1::GetReportResponse {
            next_page_token: next.map(seal),
            receipt: Some(receipt(answer.receipt)),
            ..made
        })
    }

    /// Whether a report is too wide for one officer: it shows who looked at whom over all parties, or for
    /// long. The others show numbers, or what must not be, and no person.
    pub(super) fn is_wide_report(&self, asked: &Asked) -> bool {
        asked.report == v1::Report::Readers
            && asked.subject.is_none()
            && (asked.party.is_none() || self.bounds.is_long(asked.period.as_ref()))
    }

    async fn narrowed(&self, caller: &Caller, asked: &Asked) -> Result<Narrowed, Status> {
        let before = match &asked.page_token {
            Some(token) => {
                let party = &caller.peer.principal;
                let opened = self.sequencer.open_cursor(party, CursorKind::Report, token);
                Some(EntryIndex(opened.ok_or_else(|| foreign("page_token"))?))
            }
            None => None,
        };
        let person = match &asked.subject {
            Some(subject) => Some(self.meant(caller, subject.clone()).await?),
            None => None,
        };
        Ok(Narrowed {
            period: asked.period,
            person,
            party: asked.party.clone(),
            condition: asked.condition,
            before,
        })
    }
}

/// The question of a report.
pub(super) fn of_report(asked: &Asked) -> Question {
    Question {
        method: REPORT,
        purpose: asked.purpose.clone(),
        words: asked.in_words(),
    }
}

fn rows(report: &v1::GetReportResponse) -> usize {
    usize::from(report.check.is_some())
        + report.denials.len()
        + report.withdrawals.len()
        + report.recipients.len()
        + report.purposes.len()
        + report.collectors.len()
        + report.concerns.len()
        + report.readers.len()
        + report.notices.len()
}
