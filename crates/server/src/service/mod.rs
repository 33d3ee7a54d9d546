//! The gRPC services. A method reads its message, hands the call to the sequencer and renders the answer;
//! what may be told is decided there, and nothing is decided here.

pub mod audit;
pub mod cases;
pub mod certificates;
pub mod consents;
pub(crate) mod enrolment;
pub mod exchange;
pub mod export;
pub mod inbox;
mod issue;
pub mod notices;
pub mod reconciliation;
pub mod registry;
pub mod retention;

use std::time::Duration;

use schakel_core::party::Peer;
use tonic::{Request, Response, Status};

use crate::{
    call::{self, Answer},
    edge::{
        identify::{Caller, Connection},
        refusals::Refusal,
    },
    sequencer::Sequencer,
    wire::{
        Fields, Misfit,
        request::{Parsed, read},
        veil::Veil,
    },
};

/// How the services wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// After how long without a message a subscriber gets a heartbeat.
    pub heartbeat: Duration,
    /// How long a search waits for the indexes to catch up with the log.
    pub catch_up: Duration,
}

/// A fault of the broker in answering a call.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The edge let a request pass without saying who calls.
    #[error("the request does not say who calls")]
    NoCaller,
    /// The sequencer answered a call with the outcome of another.
    #[error("the outcome does not belong to the call")]
    Misfit,
    /// The sequencer gave another number of answers than it got calls.
    #[error("the number of answers is not the number of calls")]
    Miscounted,
    /// A thread ended.
    #[error("the thread that worked for the call ended in a fault")]
    Thread,
    /// An officer is registered without a controller.
    #[error("the privacy officer has no controller")]
    NoController,
}

impl From<Misfit> for Fault {
    fn from(_: Misfit) -> Self {
        Self::Misfit
    }
}

impl From<Fault> for Status {
    /// Tells the caller only by which number the fault is found in the broker's log.
    fn from(fault: Fault) -> Self {
        let mut number = [0; 8];
        // Without randomness all faults have the same number; the log has them apart by time.
        let _ = aws_lc_rs::rand::fill(&mut number);
        let request_id = format!("{:016x}", u64::from_be_bytes(number));
        tracing::error!(%request_id, error = %fault, "a call could not be answered");
        Self::from(&Refusal::Internal { request_id })
    }
}

/// Takes a request apart into who calls, what is asked and over which connection.
fn connected<M>(request: Request<M>) -> Result<(Caller, M, Connection), Status> {
    let connection = request.extensions().get::<Connection>().cloned();
    let (caller, message) = opened(request)?;
    Ok((caller, message, connection.ok_or(Fault::NoCaller)?))
}

/// Takes a request apart into who calls and what is asked.
fn opened<M>(mut request: Request<M>) -> Result<(Caller, M), Status> {
    let caller = request
        .extensions_mut()
        .remove::<Caller>()
        .ok_or(Fault::NoCaller)?;
    Ok((caller, request.into_inner()))
}

/// A call of this caller, with everything that is recorded about it.
fn called(caller: &Caller, parsed: Parsed) -> call::Request {
    let Parsed { who, write, call } = parsed;
    let (actor, responsible) = match who {
        Some(who) => (Some(who.actor), who.responsible),
        None => (None, None),
    };
    call::Request {
        peer: caller.peer.clone(),
        certificate: caller.certificate,
        address: caller.address.clone(),
        actor,
        responsible,
        transaction: caller.transaction.clone(),
        trace: caller.trace,
        method: caller.method,
        write,
        call,
    }
}

/// Answers a request that is one call.
async fn answer<M, T>(
    sequencer: &Sequencer,
    request: Request<M>,
    parse: impl FnOnce(M, &Peer, &mut Fields) -> Option<Parsed> + Send,
    render: impl FnOnce(Answer) -> Result<T, Misfit> + Send,
) -> Result<Response<T>, Status> {
    let (caller, message) = opened(request)?;
    let parsed = read(message, &caller.peer, parse)?;
    let answer = sequencer.submit(called(&caller, parsed)).await?;
    Ok(Response::new(render(answer).map_err(Fault::from)?))
}

/// What the caller of a request is not told.
fn veil<M>(sequencer: &Sequencer, request: &Request<M>) -> Result<Veil, Status> {
    let caller = request
        .extensions()
        .get::<Caller>()
        .ok_or(Fault::NoCaller)?;
    Ok(Veil::for_peer(&sequencer.registry(), &caller.peer))
}
