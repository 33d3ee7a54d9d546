//! What the layer admits, refuses, ends and tells, with a service behind it that does as it is told.

use std::{net::SocketAddr, sync::Mutex};

use schakel_core::{
    code::Role,
    party::{Contact, DatedOin, Party},
    registry::{Registry, RegistryRow},
    time::{Period, Timestamp},
};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::{
    config::Environment,
    edge::tls::tests::{Pki, Seeded, now},
};

mod ends;
mod over_the_wire;

use ends::streaming;

/// A registry that stands still.
#[derive(Debug)]
struct Still(Arc<Registry>);

impl Directory for Still {
    fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.0)
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

/// A layer with everything it needs, and what its service saw.
struct Edge {
    admission: Admission,
    refusals: Arc<Refusals>,
    connection: Connection,
    stop: watch::Sender<bool>,
    seen: Arc<Mutex<Option<Caller>>>,
}

/// A housing association; `gemeente-oost` lets nobody act for it.
fn registry() -> Registry {
    let party = |id: &str, role, oin: &str| Party {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        roles: vec![role],
        oins: vec![DatedOin {
            oin: oin.parse().unwrap(),
            period: Period {
                from: now(),
                until: None,
            },
            anchor: None,
        }],
        contact: Contact {
            team: "team".to_owned(),
            email: "team@example.nl".to_owned(),
            telephone: String::new(),
        },
        officer_for: None,
        delegates: Vec::new(),
        suspensions: Vec::new(),
        succession: None,
        units: Vec::new(),
    };
    let mut registry = Registry::default();
    for party in [
        party(
            "wonen-zuid",
            Role::HousingAssociation,
            "00000099000000050000",
        ),
        party("gemeente-oost", Role::Municipality, "00000099000000020000"),
        party("beheer-een", Role::Administrator, "00000099000000070000"),
    ] {
        registry.restore(RegistryRow::Party(Arc::new(party)));
    }
    registry
}

impl Edge {
    fn new() -> Self {
        Self::of("wonen-zuid", &Limits::default(), Duration::from_hours(1))
    }

    fn of(id: &str, limits: &Limits, age: Duration) -> Self {
        let pki = Pki::new();
        let lease = Pki::lease(&pki.tls(), &pki.issue(id));
        let address: SocketAddr = "192.0.2.7:50000".parse().unwrap();
        let ends_at = Instant::now() + age;
        let (stop, stopping) = watch::channel(false);
        let refusals = Arc::new(Refusals::default());
        Self {
            admission: Admission::new(
                Arc::new(Still(Arc::new(registry()))),
                Arc::clone(&refusals),
                limits,
                Metrics::unsent(),
                stopping,
                &mut Seeded(5),
            ),
            refusals,
            connection: Connection::new(lease, address, Environment::Development, ends_at),
            stop,
            seen: Arc::default(),
        }
    }

    /// Calls a method with headers; the service behind answers as `act` says.
    async fn call<F>(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        act: impl Fn() -> F + Clone + Send + 'static,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let mut request = Request::builder()
            .method("POST")
            .uri(format!("http://broker{path}"))
            .header("content-type", "application/grpc");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap(), act).await
    }

    async fn send<F>(
        &self,
        mut request: Request<Body>,
        act: impl Fn() -> F + Clone + Send + 'static,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        request.extensions_mut().insert(self.connection.clone());
        let seen = Arc::clone(&self.seen);
        let service = tower::service_fn(move |request: Request<Body>| {
            *seen.lock().unwrap() = request.extensions().get::<Caller>().cloned();
            let answer = act();
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let Ok(response) = self.admission.layer(service).oneshot(request).await;
        response
    }

    async fn refused(&self, path: &str, headers: &[(&'static str, &str)]) -> Status {
        let response = self
            .call(path, headers, || async { panic!("it was let in") })
            .await;
        status_of(&response)
    }

    fn counted(&self) -> Vec<(Option<String>, RefusalReason)> {
        let tallies = self.refusals.take_all().into_iter();
        tallies
            .flat_map(|tally| {
                let party = tally.party.map(|id| id.to_string());
                tally
                    .counts
                    .into_iter()
                    .map(move |(reason, _)| (party.clone(), reason))
            })
            .collect()
    }
}

fn status_of(response: &Response<Body>) -> Status {
    Status::from_header_map(response.headers()).expect("no status in the headers")
}

fn reason_in(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

/// An answer that is nothing but its end.
async fn done() -> Response<Body> {
    Status::new(Code::Ok, "").into_http()
}

const ASK: &str = "/schakel.v1.ExchangeService/Ask";
const SUBSCRIBE: &str = "/schakel.v1.InboxService/Subscribe";
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// What a hostile page can have a browser send with the certificate of whoever opened it is no call.
#[tokio::test]
async fn a_request_that_a_page_can_make_is_no_call() {
    type Headers = &'static [(&'static str, &'static str)];
    const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");
    let edge = Edge::new();
    let cases: &[(&str, Headers, bool)] = &[
        ("POST", &[GRPC], true),
        ("POST", &[], false),
        ("POST", &[("content-type", "text/plain")], false),
        ("POST", &[("content-type", "application/grpc-web")], false),
        ("POST", &[GRPC, ("content-type", "text/plain")], false),
        ("POST", &[GRPC, ("origin", "https://page.example")], false),
        ("POST", &[GRPC, ("sec-fetch-site", "cross-site")], false),
        ("GET", &[GRPC], false),
    ];
    for (method, headers, is_call) in cases {
        let mut request = Request::builder()
            .method(*method)
            .uri(format!("http://broker{ASK}"));
        for (name, value) in *headers {
            request = request.header(*name, *value);
        }
        let response = edge.send(request.body(Body::empty()).unwrap(), done).await;
        let counted = edge.counted();
        if *is_call {
            assert_eq!(response.status(), StatusCode::OK);
            assert!(counted.is_empty() && edge.seen.lock().unwrap().take().is_some());
            continue;
        }
        assert!(edge.seen.lock().unwrap().is_none(), "{headers:?}");
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(status_of(&response).code(), Code::InvalidArgument);
        let wonen = Some("wonen-zuid".to_owned());
        assert_eq!(counted, [(wonen, RefusalReason::Invalid)]);
    }
}

#[tokio::test]
async fn who_calls_comes_with_an_admitted_call() {
    let edge = Edge::new();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("traceparent", trace), ("fsc-transaction-id", "tx-1")];
    assert_eq!(
        status_of(&edge.call(ASK, &headers, done).await).code(),
        Code::Ok
    );
    let caller = edge.seen.lock().unwrap().clone().unwrap();
    assert_eq!(caller.peer.principal.as_str(), "wonen-zuid");
    assert_eq!(caller.peer.roles, [Role::HousingAssociation]);
    assert_eq!(
        caller.certificate,
        edge.connection.certificate(&registry(), now()).unwrap()
    );
    assert_eq!(caller.address, "192.0.2.7:50000");
    assert_eq!(caller.method, "ExchangeService/Ask");
    assert_eq!(caller.transaction.as_deref(), Some("tx-1"));
    assert_eq!(caller.trace.unwrap()[..2], [0x4b, 0xf9]);
    assert_eq!(edge.counted(), []);
}

#[tokio::test]
async fn each_refusal_is_told_and_counted() {
    let party = || Some("wonen-zuid".to_owned());
    for (path, headers, code, reason, counted) in [
        (
            "/schakel.v1.ExchangeService/Guess",
            vec![],
            Code::Unimplemented,
            None,
            (None, RefusalReason::Access),
        ),
        (
            "/schakel.v1.CasesService/OpenCase",
            vec![],
            Code::PermissionDenied,
            Some("METHOD_NOT_FOR_ROLE"),
            (party(), RefusalReason::Access),
        ),
        (
            ASK,
            vec![("schakel-principal", "gemeente-oost")],
            Code::PermissionDenied,
            Some("PARTY_UNKNOWN"),
            (party(), RefusalReason::UnknownParty),
        ),
        (
            ASK,
            vec![("schakel-principal", "Gemeente Oost")],
            Code::InvalidArgument,
            Some("INVALID_REQUEST"),
            (party(), RefusalReason::Invalid),
        ),
        (
            ASK,
            vec![("grpc-timeout", "soon")],
            Code::InvalidArgument,
            Some("INVALID_REQUEST"),
            (party(), RefusalReason::Invalid),
        ),
        (
            ASK,
            vec![("fsc-transaction-id", "a b")],
            Code::InvalidArgument,
            Some("INVALID_REQUEST"),
            (party(), RefusalReason::Invalid),
        ),
    ] {
        let edge = Edge::new();
        let status = edge.refused(path, &headers).await;
        assert_eq!(
            (status.code(), reason_in(&status).as_deref()),
            (code, reason),
            "{path} {headers:?}"
        );
        assert_eq!(edge.counted(), [counted], "{path} {headers:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_may_ask_for_health_and_nothing_else() {
    let edge = Edge::of("toetser", &Limits::default(), Duration::from_mins(1));
    assert_eq!(
        status_of(&edge.call(HEALTH, &[], done).await).code(),
        Code::Ok
    );
    assert!(edge.seen.lock().unwrap().is_none());
    for method in access::TABLE
        .iter()
        .filter(|method| method.admits != Admits::Anyone)
    {
        let status = edge.refused(method.path, &[]).await;
        assert_eq!(
            reason_in(&status).as_deref(),
            Some("PARTY_UNKNOWN"),
            "{}",
            method.path
        );
    }
}

#[tokio::test]
async fn what_did_not_come_over_a_proven_connection_is_refused() {
    let edge = Edge::new();
    let request = Request::builder()
        .uri(format!("http://broker{ASK}"))
        .body(Body::empty())
        .unwrap();
    let service = tower::service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(done().await) });
    let Ok(response) = edge.admission.layer(service).oneshot(request).await;
    assert_eq!(status_of(&response).code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_party_at_its_bound_is_told_so_until_an_answer_has_left() {
    let one = Limits {
        subscriptions_per_party: 1,
        calls_per_party: 1,
        ..Limits::default()
    };
    let edge = Edge::of("wonen-zuid", &one, Duration::from_mins(1));
    let open = edge.call(SUBSCRIBE, &[], streaming(false)).await;
    let status = edge.refused(SUBSCRIBE, &[]).await;
    assert_eq!(
        (status.code(), reason_in(&status).as_deref()),
        (Code::ResourceExhausted, Some("OVERLOADED"))
    );
    assert_eq!(
        edge.counted(),
        [(Some("wonen-zuid".to_owned()), RefusalReason::Quota)]
    );
    drop(open);
    let _open = edge.call(SUBSCRIBE, &[], streaming(false)).await;

    let _held = edge.call(ASK, &[], streaming(false)).await;
    assert_eq!(edge.refused(ASK, &[]).await.code(), Code::ResourceExhausted);
    let withdraw = "/schakel.v1.ConsentsService/WithdrawConsent";
    assert_eq!(
        status_of(&edge.call(withdraw, &[], done).await).code(),
        Code::Ok
    );
}

#[tokio::test]
async fn what_a_service_refuses_is_counted_for_its_caller() {
    let edge = Edge::new();
    let refuse = || async { Status::from(crate::call::CallError::Overloaded).into_http() };
    edge.call(ASK, &[], refuse).await;
    assert_eq!(
        edge.counted(),
        [(Some("wonen-zuid".to_owned()), RefusalReason::Quota)]
    );
}
