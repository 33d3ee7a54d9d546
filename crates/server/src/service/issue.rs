//! Issuing for what waits, where the broker has an authority of its own.

use schakel_core::{
    enrolment::{Der, EnrolmentState, Origin},
    id::EnrolmentId,
};

use crate::{
    call::{self, Call, IssuanceCall},
    issuing::Issuing,
    sequencer::Sequencer,
    wire::enrolment,
};

/// Issues for an enrolment whose request waits, if that may be, and has it recorded as a consequence of a call.
/// What cannot be issued now goes on waiting: for the next time it is asked for, or for whoever keeps the authority.
pub(super) async fn issue(
    sequencer: &Sequencer,
    issuing: Option<&Issuing>,
    id: EnrolmentId,
    caused_by: impl FnOnce(Call) -> call::Request,
) {
    let Some(issuing) = issuing else {
        return;
    };
    let _turn = issuing.turn().await;
    // As of the turn: another call may have had it issued.
    let registry = sequencer.registry();
    let Some(enrolment) = registry.enrolment(id) else {
        return;
    };
    let EnrolmentState::Waiting { request } = &enrolment.state else {
        return;
    };
    if !enrolment.may_be_issued_at_once() {
        return;
    }
    let now = sequencer.now();
    let issued = issuing.issue(enrolment, request, registry.clone(), now);
    let certificate = match issued.await {
        Ok(certificate) => certificate,
        Err(error) => {
            tracing::warn!(enrolment = %id, error = &error as &dyn std::error::Error, "no certificate was issued: its request waits");
            return;
        }
    };
    let registered = match enrolment::registered(&certificate, Origin::Enrolled) {
        Ok(registered) => registered,
        Err(error) => {
            tracing::error!(enrolment = %id, %error, "a certificate that was issued cannot be read");
            return;
        }
    };
    let call = IssuanceCall::Answer {
        enrolment: id,
        registered,
        certificate: Der(certificate),
    };
    let recorded = sequencer.submit(caused_by(Call::Issuance(Box::new(call))));
    if let Err(error) = recorded.await {
        tracing::warn!(enrolment = %id, %error, "a certificate that was issued is not recorded yet");
    }
}
