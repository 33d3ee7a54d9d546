//! Exports from the log itself. A run of calls is recorded once, when it begins; see `export.proto`.

mod entries;
mod processings;
mod transactions;

use prost::bytes::Bytes;
use schakel_api::v1::{self, export_service_server::ExportService};
use schakel_core::{id::PurposeCode, time::Timestamp};
use tonic::{Request, Response, Status};

use super::{Fault, Waits, audit::check_purpose, called};
use crate::{
    call::{Call, LookUp},
    edge::identify::Caller,
    sequencer::{CursorKind, Sequencer},
    wire::{inbox::foreign, person::Who, receipt::receipt, request::Parsed},
};

/// How long a run lasts: this broker's own term.
const RUN_MS: u64 = 24 * 60 * 60 * 1000;

/// The most bytes of one answer before it is cut: below what an answer may have, by the largest entry.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// The service.
#[derive(Clone, Debug)]
pub struct Export {
    sequencer: Sequencer,
    waits: Waits,
}

/// A run of calls.
#[derive(Clone, Copy, Debug)]
struct Run {
    kind: CursorKind,
    /// Where this call begins.
    from: u64,
    /// When the run began.
    begun: Timestamp,
    /// Whether it begins with this call.
    begins: bool,
}

impl Export {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer, waits: Waits) -> Self {
        Self { sequencer, waits }
    }

    /// The run that a call belongs to. What it is for is looked at in every call, as of now.
    fn run(
        &self,
        caller: &Caller,
        purpose: &PurposeCode,
        kind: CursorKind,
        (cursor, from): (Option<&Bytes>, u64),
    ) -> Result<Run, Status> {
        let now = self.sequencer.now();
        check_purpose(&self.sequencer.registry(), purpose, now)?;
        let begin = |from| Run {
            kind,
            from,
            begun: now,
            begins: true,
        };
        let Some(cursor) = cursor else {
            return Ok(begin(from));
        };
        let party = &caller.peer.principal;
        let opened = self.sequencer.open_cursor_since(party, kind, cursor);
        let (from, since) = opened.ok_or_else(|| foreign("cursor"))?;
        if now >= since && now < since.plus_millis(RUN_MS) {
            return Ok(Run {
                kind,
                from,
                begun: since,
                begins: false,
            });
        }
        Ok(begin(from))
    }

    /// Records a run that begins, before anything of it is shown.
    async fn record(
        &self,
        caller: &Caller,
        (who, purpose): (Who, PurposeCode),
        run: Run,
        results: usize,
    ) -> Result<Option<v1::Receipt>, Status> {
        if !run.begins {
            return Ok(None);
        }
        let look_up = LookUp {
            purpose: Some(purpose),
            subject: None,
            entry: None,
            question: format!("export from entry {} on, for a day; these first", run.from),
            results: u32::try_from(results).unwrap_or(u32::MAX),
            denied: false,
        };
        let parsed = Parsed {
            who: Some(who),
            write: None,
            call: Call::LookUp(look_up),
        };
        let answer = self.sequencer.submit(called(caller, parsed)).await?;
        Ok(Some(receipt(answer.receipt)))
    }

    fn cursor(&self, caller: &Caller, run: Run, position: u64) -> Bytes {
        let party = &caller.peer.principal;
        self.sequencer
            .seal_cursor_since(party, run.kind, position, run.begun)
            .into()
    }
}

#[tonic::async_trait]
impl ExportService for Export {
    async fn export_entries(
        &self,
        request: Request<v1::ExportEntriesRequest>,
    ) -> Result<Response<v1::ExportEntriesResponse>, Status> {
        self.entries(request).await.map(Response::new)
    }

    async fn export_processings(
        &self,
        request: Request<v1::ExportProcessingsRequest>,
    ) -> Result<Response<v1::ExportProcessingsResponse>, Status> {
        self.processings(request).await.map(Response::new)
    }

    async fn export_transactions(
        &self,
        request: Request<v1::ExportTransactionsRequest>,
    ) -> Result<Response<v1::ExportTransactionsResponse>, Status> {
        self.transactions(request).await.map(Response::new)
    }
}

/// Reads from the disk beside the threads that serve.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::trail::TrailError> + Send + 'static,
) -> Result<T, Status> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| Fault::Misfit)??)
}
