//! Admitting calls: the layer around every service.

use std::{
    convert::Infallible,
    future::{self, Future},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, StatusCode};
use schakel_core::{event::RefusalReason, random::Random};
use tokio::{sync::watch, time::Instant};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument as _, Span};

use super::{
    body::{End, EndingBody, code_in},
    context,
    end::{self, Standing},
    faults::FaultIds,
    identify::{Acting, Caller, Connection, Directory, UnknownParty},
    limits::{CallPlace, CallQuota},
    refusals::{Refusal, Refusals, Whom, reason_of},
};
use crate::{
    access::{self, Admits, Method},
    config::Limits,
    status,
    telemetry::{self, Metrics},
};

/// How long before its caller's deadline a call is ended: the transport has a timer for the same deadline,
/// and would answer `CANCELLED` if it came first.
const EARLY: Duration = Duration::from_millis(2);

/// What admits calls: the layer to put around the router.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    directory: Arc<dyn Directory>,
    refusals: Arc<Refusals>,
    quota: CallQuota,
    metrics: Metrics,
    stopping: watch::Receiver<bool>,
    call_timeout: Duration,
    message_bytes: usize,
    faults: FaultIds,
}

impl Admission {
    /// Admits calls by what is registered, within the limits. Streams end when `stopping` turns true.
    #[must_use]
    pub fn new(
        directory: Arc<dyn Directory>,
        refusals: Arc<Refusals>,
        limits: &Limits,
        metrics: Metrics,
        stopping: watch::Receiver<bool>,
        random: &mut dyn Random,
    ) -> Self {
        Self(Arc::new(Shared {
            directory,
            refusals,
            quota: CallQuota::new(limits),
            metrics,
            stopping,
            call_timeout: limits.call_timeout,
            message_bytes: limits.message_bytes,
            faults: FaultIds::new(random),
        }))
    }
}

impl<S> Layer<S> for Admission {
    type Service = Admitting<S>;

    fn layer(&self, inner: S) -> Admitting<S> {
        Admitting {
            inner,
            shared: Arc::clone(&self.0),
        }
    }
}

/// A service behind [`Admission`].
#[derive(Clone, Debug)]
pub struct Admitting<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request<Body>> for Admitting<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let arrival = Instant::now();
        match Shared::admit(&self.shared, &mut request, arrival) {
            Ok(admitted) => {
                // The one that was asked whether it is ready must do it; its clone takes its place.
                let next = self.inner.clone();
                let inner = mem::replace(&mut self.inner, next);
                Box::pin(admitted.serve(inner, request))
            }
            Err(refused) => Box::pin(future::ready(Ok(*refused))),
        }
    }
}

impl Shared {
    fn admit(
        self: &Arc<Self>,
        request: &mut Request<Body>,
        arrival: Instant,
    ) -> Result<Admitted, Box<Response<Body>>> {
        let mut account = Account {
            shared: Arc::clone(self),
            method: access::method(request.uri().path()),
            whom: Whom::default(),
            expires: None,
            arrival,
            code: Code::Cancelled,
            span: Span::none(),
            place: CallPlace::default(),
        };
        match account.check(request) {
            Ok(end) => Ok(Admitted { end, account }),
            Err(refusal) => {
                account.refuse(&refusal);
                Err(Box::new(account.told(&refusal)))
            }
        }
    }

    /// What ends a call before its service does.
    fn end_of(&self, standing: Standing, arrival: Instant, timeout: Option<Duration>) -> End {
        let asked = timeout.map(|timeout| timeout.saturating_sub(EARLY));
        if standing.method.streams {
            let deadline = asked.map(|timeout| arrival + timeout);
            return end::of_stream(deadline, standing, self.stopping.clone());
        }
        let timeout = asked.unwrap_or(self.call_timeout).min(self.call_timeout);
        end::of_call(arrival + timeout)
    }
}

/// A call on its way, until its answer has left: what it was and how it ended.
pub(super) struct Account {
    shared: Arc<Shared>,
    method: Option<&'static Method>,
    whom: Whom,
    /// When the certificate ends, if that is near.
    expires: Option<http::HeaderValue>,
    arrival: Instant,
    /// How it ended; a call that is dropped before that was cancelled by its caller.
    pub(super) code: Code,
    span: Span,
    /// Given back when the answer has left.
    place: CallPlace,
}

impl Account {
    /// Whether the call is admitted, by what the request and the registry say; if so, what ends it.
    fn check(&mut self, request: &mut Request<Body>) -> Result<End, Refusal> {
        let method = self.method.ok_or(Refusal::UnknownMethod)?;
        let unproven = Refusal::PartyUnknown(UnknownParty::Lapsed);
        let connection = request
            .extensions()
            .get::<Connection>()
            .cloned()
            .ok_or(unproven)?;
        self.warn(&connection);
        let directory = &self.shared.directory;
        self.whom = connection.whom(&directory.registry(), directory.now());
        let headers = request.headers();
        context::is_call(request.method(), headers).map_err(Refusal::NotGrpc)?;
        let timeout = context::timeout(headers).map_err(Refusal::Invalid)?;
        let trace = context::trace_parent(headers);
        let standing = Standing {
            directory: Arc::clone(&self.shared.directory),
            method,
            acting: Acting {
                principal: context::principal(headers).map_err(Refusal::Invalid)?,
                unit: context::unit(headers).map_err(Refusal::Invalid)?,
            },
            connection,
        };
        if method.admits == Admits::Anyone {
            standing.check()?;
        } else {
            let caller = self.identify(&standing, headers)?;
            self.place = self
                .shared
                .quota
                .take(method, &caller.peer.principal, self.arrival)
                .ok_or(Refusal::Overloaded)?;
            request.extensions_mut().insert(caller);
        }
        self.span = telemetry::call_span(method.name, self.whom.party.as_ref(), trace);
        Ok(self.shared.end_of(standing, self.arrival, timeout))
    }

    fn identify(
        &mut self,
        standing: &Standing,
        headers: &http::HeaderMap,
    ) -> Result<Caller, Refusal> {
        let Standing {
            directory,
            method,
            connection,
            acting,
        } = standing;
        let (registry, now) = (directory.registry(), directory.now());
        let certificate = connection
            .certificate(&registry, now)
            .map_err(Refusal::PartyUnknown)?;
        let peer = connection
            .peer(method, acting, &registry, now)
            .map_err(Refusal::PartyUnknown)?;
        connection.note_use(&peer.transport, now);
        self.whom = Some(peer.principal.clone()).into();
        if !method.admits(&peer) {
            return Err(Refusal::MethodNotForRole {
                method: method.name,
            });
        }
        Ok(Caller {
            peer,
            certificate,
            address: connection.address().to_owned(),
            transaction: context::transaction(headers).map_err(Refusal::Invalid)?,
            trace: context::trace_parent(headers).map(|parent| parent.trace),
            method: method.name,
        })
    }

    /// Notes what every answer over the connection must say of its certificate.
    fn warn(&mut self, connection: &Connection) {
        let end = connection.ends_soon(self.shared.directory.now());
        self.expires = end.and_then(|end| end.to_string().parse().ok());
    }

    /// Says in headers or trailers when the certificate ends, if that is near.
    pub(super) fn tell(&self, headers: &mut http::HeaderMap) {
        if let Some(expires) = &self.expires {
            headers.insert(context::EXPIRES, expires.clone());
        }
    }

    /// Notes that the call is refused.
    fn refuse(&mut self, refusal: &Refusal) {
        self.code = Status::from(refusal).code();
        if let Some(reason) = refusal.reason() {
            self.count(reason);
        }
    }

    /// A refusal as an answer.
    fn told(&self, refusal: &Refusal) -> Response<Body> {
        let mut response = Status::from(refusal).into_http();
        if matches!(refusal, Refusal::NotGrpc(_)) {
            // What is not gRPC gets an answer that is not taken for one (gRPC over HTTP/2, `Content-Type`).
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        }
        self.tell(response.headers_mut());
        response
    }

    fn count(&self, reason: RefusalReason) {
        let now = self.shared.directory.now();
        self.shared.refusals.count(self.whom.clone(), reason, now);
    }

    /// A fault, noted in the log under an id that the caller gets too.
    pub(super) fn fault(&self) -> Refusal {
        let request_id = self.shared.faults.next();
        let method = self.method.map(|method| method.name);
        tracing::error!(request_id, method, "a call ended in a fault of the broker");
        Refusal::Internal { request_id }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let method = self.method.map_or("unknown", |method| method.name);
        telemetry::close_span(&self.span, self.code);
        self.shared
            .metrics
            .call(method, self.code, self.arrival.elapsed());
    }
}

struct Admitted {
    end: End,
    account: Account,
}

impl Admitted {
    async fn serve<S>(
        mut self,
        mut inner: S,
        request: Request<Body>,
    ) -> Result<Response<Body>, Infallible>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send,
        S::Future: Send,
    {
        let span = self.account.span.clone();
        let answer = caught(async move { inner.call(request).await }).instrument(span);
        let answered = tokio::select! {
            biased;
            answered = answer => answered.ok_or_else(|| self.account.fault()),
            refusal = &mut self.end => Err(refusal),
        };
        let refusal = match answered {
            Ok(Ok(response)) => match self.misread(&response) {
                None => return Ok(self.answer(response)),
                Some(refusal) => refusal,
            },
            Ok(Err(never)) => match never {},
            Err(refusal) => refusal,
        };
        self.account.refuse(&refusal);
        Ok(self.account.told(&refusal))
    }

    /// The transport answers on its own when it cannot read a message; that is the caller's to mend, and
    /// is told as such.
    fn misread(&self, response: &Response<Body>) -> Option<Refusal> {
        let code = code_in(response.headers())?;
        let has_details = response.headers().contains_key(Status::GRPC_STATUS_DETAILS);
        (!has_details).then(|| status::misread(code, self.account.shared.message_bytes))?
    }

    fn answer(mut self, mut response: Response<Body>) -> Response<Body> {
        if let Some(code) = code_in(response.headers()) {
            // An answer of headers alone: they are its trailers.
            self.account.tell(response.headers_mut());
            self.account.code = code;
            if let Some(reason) = reason_of(code) {
                self.account.count(reason);
            }
        }
        response.map(|body| Body::new(EndingBody::new(body, self.end, self.account)))
    }
}

/// The answer, or `None` when it panicked: the caller is told, and the connection lives on.
async fn caught<F: Future>(answer: F) -> Option<F::Output> {
    let mut answer = pin!(answer);
    future::poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}

#[cfg(test)]
mod tests;
