//! The body of an answer, which ends with its call: at the deadline, when the broker stops, after a panic.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tonic::{Code, Status, codegen::Bytes};

use super::{admit::Account, refusals::Refusal};

/// What ends a call before its time.
pub(super) type End = Pin<Box<dyn Future<Output = Refusal> + Send>>;

/// A body that ends with its call, and holds the call's places until it has left.
pub(super) struct EndingBody {
    inner: Option<tonic::body::Body>,
    end: End,
    account: Account,
}

impl EndingBody {
    pub(super) fn new(inner: tonic::body::Body, end: End, account: Account) -> Self {
        Self {
            inner: Some(inner),
            end,
            account,
        }
    }

    /// Ends the body with a status. Frames hold whole messages, so a client sees every message whole.
    fn finish(&mut self, refusal: &Refusal) -> Frame<Bytes> {
        self.inner = None;
        let status = Status::from(refusal);
        self.account.code = status.code();
        let mut trailers = HeaderMap::new();
        if status.add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, (Code::Internal as i32).into());
        }
        self.account.tell(&mut trailers);
        Frame::trailers(trailers)
    }
}

impl Body for EndingBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(refusal) = this.end.as_mut().poll(cx) {
            return Poll::Ready(Some(Ok(this.finish(&refusal))));
        }
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx)));
        match polled {
            Ok(Poll::Ready(Some(Ok(mut frame)))) => {
                if let Some(code) = frame.trailers_ref().and_then(code_in) {
                    this.account.code = code;
                }
                if let Some(trailers) = frame.trailers_mut() {
                    this.account.tell(trailers);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(Poll::Ready(Some(Err(status)))) => {
                this.account.code = status.code();
                Poll::Ready(Some(Err(status)))
            }
            Ok(Poll::Ready(None)) => {
                this.inner = None;
                Poll::Ready(None)
            }
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => {
                let fault = this.account.fault();
                Poll::Ready(Some(Ok(this.finish(&fault))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(SizeHint::new, Body::size_hint)
    }
}

/// The code that stands in headers or trailers.
pub(super) fn code_in(headers: &HeaderMap) -> Option<Code> {
    let value = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(value.as_bytes()))
}
