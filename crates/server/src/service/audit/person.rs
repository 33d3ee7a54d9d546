//! About one person: what was known at an instant, the statement, and decisions to withhold.

use std::sync::Arc;

use schakel_api::v1;
use tonic::{Request, Status};

use super::{Audit, look::looked};
use crate::{
    call::{CallError, LookUp, Outcome},
    officer::{as_of, statement::Maker},
    service::{Fault, called, opened},
    wire::{
        receipt::receipt,
        request::read,
        statement::{self, About},
    },
};

impl Audit {
    pub(super) async fn get_as_of(
        &self,
        request: Request<v1::GetAsOfRequest>,
    ) -> Result<v1::GetAsOfResponse, Status> {
        let (caller, message) = opened(request)?;
        let About {
            who,
            purpose,
            subject,
            when: at,
        } = read(message, &caller.peer, statement::as_of)?;
        self.check_purpose(&purpose)?;
        CallError::check_past("at", at, self.sequencer.now())?;
        let viewer = self.viewer(&caller.peer)?;
        let person = self.meant(&caller, subject.clone()).await?;
        let shown = self
            .look(move |trail| as_of::as_of(trail, &viewer, person.subject, at))
            .await?;
        let look_up = LookUp {
            purpose: Some(purpose),
            subject: Some(subject),
            ..looked(format!("as of {at}"), shown.disclosures.len())
        };
        let answer = self.record(&caller, who, look_up).await?;
        Ok(v1::GetAsOfResponse {
            receipt: Some(receipt(answer.receipt)),
            ..shown
        })
    }

    pub(super) async fn get_statement(
        &self,
        request: Request<v1::GetStatementRequest>,
    ) -> Result<v1::GetStatementResponse, Status> {
        let (caller, message) = opened(request)?;
        let About {
            who,
            purpose,
            subject,
            when: period,
        } = read(message, &caller.peer, statement::statement)?;
        self.check_purpose(&purpose)?;
        let viewer = self.viewer(&caller.peer)?;
        let person = self.meant(&caller, subject.clone()).await?;
        let (registry, now) = (self.sequencer.registry(), self.sequencer.now());
        let told = self.look(move |trail| {
            let maker = Maker {
                trail,
                registry: Arc::as_ref(&registry),
                viewer: &viewer,
                now,
            };
            maker.statement(&person, period)
        });
        let told = told.await?;
        let look_up = LookUp {
            purpose: Some(purpose),
            subject: Some(subject),
            ..looked("statement for the person".to_owned(), told.lines.len())
        };
        let answer = self.record(&caller, who, look_up).await?;
        Ok(v1::GetStatementResponse {
            receipt: Some(receipt(answer.receipt)),
            ..told
        })
    }

    pub(super) async fn record_withholding(
        &self,
        request: Request<v1::RecordWithholdingRequest>,
    ) -> Result<v1::RecordWithholdingResponse, Status> {
        let (caller, message) = opened(request)?;
        let parsed = read(message, &caller.peer, statement::withholding)?;
        let answer = self.sequencer.submit(called(&caller, parsed)).await?;
        match answer.outcome {
            Outcome::Done => Ok(v1::RecordWithholdingResponse {
                receipt: Some(receipt(answer.receipt)),
            }),
            _ => Err(Fault::Misfit.into()),
        }
    }
}
