//! Serving enrolment, at its own address.

use std::{net::SocketAddr, sync::Arc};

use schakel_api::enrolment::enrolment_service_server::EnrolmentServiceServer;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{RunError, listing};
use crate::{
    config::Config,
    edge::{accept::Acceptor, attempts::Attempts, guest::Guests},
    issuing::Issuing,
    sequencer::Sequencer,
    service::enrolment::Enrolment,
};

/// The largest message, in bytes: a token and a request.
const MESSAGE_BYTES: usize = 8 * 1024;

/// Calls of one guest at a time.
const CALLS: u32 = 2;

/// Opens the authority with which the broker issues by itself, when there is one.
pub(super) async fn open_issuing(config: &Config) -> Result<Option<Issuing>, RunError> {
    let issuing = config.enrolment.as_ref();
    let Some(issuing) = issuing.and_then(|enrolment| enrolment.issuing.clone()) else {
        return Ok(None);
    };
    let opening = tokio::task::spawn_blocking(move || Issuing::open(&issuing));
    let opened = opening.await.map_err(|_| RunError::Task)?;
    Ok(Some(opened?))
}

/// Serves enrolment when it is configured, keeps the list of its authority, and gives the address.
pub(super) async fn serve_guests(
    upkeep: &mut JoinSet<()>,
    config: &Config,
    sequencer: &Sequencer,
    issuing: Option<Issuing>,
    acceptor: &Acceptor,
    stopping: &watch::Receiver<bool>,
) -> Result<Option<SocketAddr>, RunError> {
    let Some(enrolment) = &config.enrolment else {
        return Ok(None);
    };
    if let Some(issuing) = issuing.clone().filter(Issuing::lists) {
        upkeep.spawn(listing::keep(issuing, sequencer.clone(), stopping.clone()));
    }
    let listener = TcpListener::bind(enrolment.address).await;
    let listener = listener.map_err(RunError::Enrolment)?;
    let address = listener.local_addr().map_err(RunError::Enrolment)?;
    let guests = Guests {
        tls: Arc::clone(&acceptor.tls),
        proxies: Arc::clone(&acceptor.proxies),
        handshake_timeout: config.limits.handshake_timeout,
        refusals: Arc::clone(&acceptor.refusals),
        clock: Arc::clone(&acceptor.clock),
    };
    let attempts = Attempts::new(
        enrolment.attempts_per_minute,
        enrolment.attempts_per_address,
    );
    let refusals = Arc::clone(&acceptor.refusals);
    let tls = Arc::clone(&acceptor.tls);
    let service = Enrolment::new(sequencer.clone(), tls, issuing, attempts, refusals);
    let service = EnrolmentServiceServer::new(service)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    let guests = guests.run(listener, stopping.clone());
    let mut stopped = stopping.clone();
    upkeep.spawn(async move {
        let served = super::serve::small(CALLS)
            .add_service(service)
            .serve_with_incoming_shutdown(guests, async move {
                drop(stopped.wait_for(|stopping| *stopping).await);
            })
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "enrolment is no longer served");
        }
    });
    Ok(Some(address))
}
