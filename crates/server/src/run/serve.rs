//! The services, and the transport under them.

use std::{io, sync::Arc, time::Duration};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use schakel_api::v1::{
    audit_service_server::AuditServiceServer, cases_service_server::CasesServiceServer,
    certificates_service_server::CertificatesServiceServer,
    consents_service_server::ConsentsServiceServer, exchange_service_server::ExchangeServiceServer,
    export_service_server::ExportServiceServer, inbox_service_server::InboxServiceServer,
    notices_service_server::NoticesServiceServer,
    reconciliation_service_server::ReconciliationServiceServer,
    registry_service_server::RegistryServiceServer,
    retention_service_server::RetentionServiceServer,
};
use tokio::{net::TcpListener, sync::watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{server::NamedService, service::Routes, transport::Server};
use tonic_health::pb::health_server::{Health, HealthServer};

use super::RunError;
use crate::{
    clock::Clock,
    config::{Config, Limits},
    edge::{
        accept::{Acceptor, Protocol},
        admit::Admission,
        link::Link,
        tls::Tls,
    },
    issuing::Issuing,
    officer::Bounds,
    sequencer::Sequencer,
    service::{
        Waits, audit::Audit, cases::Cases, certificates::Certificates, consents::Consents,
        exchange::Exchange, export::Export, inbox::Inbox, notices::Notices,
        reconciliation::Reconciliation, registry::Registry, retention::Retention,
    },
};

/// How long a search waits for the indexes: less than a call may take.
const CATCH_UP: Duration = Duration::from_secs(5);

/// How much may wait unread in a connection or a stream of it, in bytes.
const WINDOW: u32 = 256 * 1024;

/// The largest answer, in bytes: a hundred disclosures or details of entries, with their proofs.
const MOST_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// How many streams a client may make the broker reset before it is taken for an attack.
const MOST_RESETS: usize = 1024;

/// The services by name, as the health service knows them.
pub(super) const SERVICES: &[&str] = &[
    name_of::<AuditServiceServer<Audit>>(),
    name_of::<CasesServiceServer<Cases>>(),
    name_of::<CertificatesServiceServer<Certificates>>(),
    name_of::<ConsentsServiceServer<Consents>>(),
    name_of::<ExchangeServiceServer<Exchange>>(),
    name_of::<ExportServiceServer<Export>>(),
    name_of::<InboxServiceServer<Inbox>>(),
    name_of::<NoticesServiceServer<Notices>>(),
    name_of::<ReconciliationServiceServer<Reconciliation>>(),
    name_of::<RegistryServiceServer<Registry>>(),
    name_of::<RetentionServiceServer<Retention>>(),
];

const fn name_of<S: NamedService>() -> &'static str {
    S::NAME
}

/// Bounds the messages of a service.
macro_rules! bounded {
    ($server:ident, $service:expr, $limits:expr) => {
        $server::new($service)
            .max_decoding_message_size($limits.message_bytes)
            .max_encoding_message_size(MOST_ANSWER_BYTES)
    };
}

/// Everything that is served.
pub(super) fn routes(
    config: &Config,
    sequencer: &Sequencer,
    tls: &Arc<Tls>,
    issuing: Option<Issuing>,
    stopping: &watch::Receiver<bool>,
    health: HealthServer<impl Health>,
) -> Result<Routes, RunError> {
    let limits = &config.limits;
    let waits = Waits {
        heartbeat: config.inbox.heartbeat,
        catch_up: CATCH_UP,
    };
    let bounds = Bounds {
        wide_period: config.audit.wide_period,
        approval: config.audit.approval,
    };
    let shared = || sequencer.clone();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_file_descriptor_set(described())
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let certificates = Certificates::new(shared(), Arc::clone(tls), issuing);
    let consents = Consents::new(shared());
    let exchange = Exchange::new(shared());
    let inbox = Inbox::new(shared(), waits, stopping.clone());
    Ok(Routes::new(health)
        .add_service(reflection)
        .add_service(bounded!(
            AuditServiceServer,
            Audit::new(shared(), waits, bounds),
            limits
        ))
        .add_service(bounded!(CasesServiceServer, Cases::new(shared()), limits))
        .add_service(bounded!(CertificatesServiceServer, certificates, limits))
        .add_service(bounded!(ConsentsServiceServer, consents, limits))
        .add_service(bounded!(ExchangeServiceServer, exchange, limits))
        .add_service(bounded!(
            ExportServiceServer,
            Export::new(shared(), waits),
            limits
        ))
        .add_service(bounded!(InboxServiceServer, inbox, limits))
        .add_service(bounded!(
            NoticesServiceServer,
            Notices::new(shared()),
            limits
        ))
        .add_service(bounded!(
            ReconciliationServiceServer,
            Reconciliation::new(shared(), waits),
            limits
        ))
        .add_service(bounded!(
            RegistryServiceServer,
            Registry::new(shared()),
            limits
        ))
        .add_service(bounded!(
            RetentionServiceServer,
            Retention::new(shared(), config.retention.clone()),
            limits
        )))
}

/// Serves connections until told to stop, and then until their calls have ended: bound that wait.
pub(super) async fn server(
    limits: Limits,
    admission: Admission,
    routes: Routes,
    links: ReceiverStream<io::Result<Link>>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), tonic::transport::Error> {
    transport(&limits)
        .layer(admission)
        .add_routes(routes)
        .serve_with_incoming_shutdown(links, async move {
            // Without a sender there is nobody left to serve for.
            drop(stopping.wait_for(|stopping| *stopping).await);
        })
        .await
}

/// Serves something else over the broker's own TLS and transport, with nobody admitted or refused beyond the
/// handshake: what a benchmark compares the broker with. Ends as soon as it is told to stop.
///
/// # Errors
/// What is wrong with the certificates, or with the listener.
pub async fn serve_bare(
    config: &Config,
    clock: Arc<dyn Clock>,
    listener: TcpListener,
    routes: Routes,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), RunError> {
    let environment = config.broker.environment;
    let tls = Tls::load(&config.tls, environment, None, Arc::clone(&clock))?;
    let acceptor = Acceptor {
        tls: Arc::new(tls),
        protocol: Protocol::Calls,
        environment,
        proxies: config.listen.proxies.clone().into(),
        limits: config.limits.clone(),
        refusals: Arc::default(),
        clock,
        cut: stopping.clone(),
    };
    let links = acceptor.run(listener, stopping.clone());
    transport(&config.limits)
        .add_routes(routes)
        .serve_with_incoming_shutdown(links, async move {
            drop(stopping.wait_for(|stopping| *stopping).await);
        })
        .await
        .map_err(RunError::Serve)
}

/// HTTP/2 as the broker speaks it.
///
/// `max_connection_age_grace` stays unset: with it the transport cuts connections without having told
/// their clients to leave. [`Link`] cuts them itself.
fn transport(limits: &Limits) -> Server {
    Server::builder()
        .max_concurrent_streams(limits.streams_per_connection)
        .http2_max_local_error_reset_streams(Some(MOST_RESETS))
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .http2_keepalive_interval(Some(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        .max_connection_age(limits.connection_age)
}

/// HTTP/2 for guests: a few short calls over a connection.
pub(super) fn small(calls: u32) -> Server {
    Server::builder()
        .max_concurrent_streams(calls)
        .http2_max_local_error_reset_streams(Some(MOST_RESETS))
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
}

/// The description of what is served here: not of the benchmark's yardstick, nor of enrolment, which is served
/// at an address of its own.
fn described() -> FileDescriptorSet {
    let mut all = FileDescriptorSet::decode(schakel_api::DESCRIPTORS).unwrap_or_default();
    all.file
        .retain(|file| !file.package().starts_with("schakel.") || file.package() == "schakel.v1");
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_of_the_interface_is_served_and_no_other_is_described() {
        let described = described();
        let mut named: Vec<String> = described
            .file
            .iter()
            .filter(|file| file.package().starts_with("schakel"))
            .flat_map(|file| {
                file.service
                    .iter()
                    .map(|s| format!("{}.{}", file.package(), s.name()))
            })
            .collect();
        named.sort();
        assert_eq!(named, SERVICES);
    }
}
