//! Lines for the controller's own logbook.

use schakel_api::v1;
use schakel_core::{
    id::{EntryIndex, PartyId},
    time::Period,
};
use schakel_store::index::{Ahead, Query};
use tonic::{Request, Status};

use super::{
    Export,
    run::{Asked, Start},
};
use crate::{
    call::CallError,
    sequencer::CursorKind,
    service::{audit::viewer, opened},
    trail::{Trail, TrailError},
    wire::{
        entry::Viewer,
        export,
        processing::{self, Line},
        request::read,
    },
};

impl Export {
    pub(super) async fn processings(
        &self,
        request: Request<v1::ExportProcessingsRequest>,
    ) -> Result<v1::ExportProcessingsResponse, Status> {
        let (caller, message) = opened(request)?;
        let export = read(message, &caller.peer, export::processings)?;
        let registry = self.sequencer.registry();
        let viewer = viewer(&registry, &caller.peer)?;
        let controller = viewer.controller().clone();
        let asked = Asked {
            who: &export.who,
            purpose: &export.purpose,
            cursor: export.cursor.as_ref(),
            from: Start::At(export.from),
            approval: export.approval,
        };
        let of = Some(controller.clone());
        let run = self
            .run(&caller, CursorKind::Processings, of, asked)
            .await?;
        let approved = run.approved.ok_or(CallError::ExportUnapproved)?;
        let trail = self.sequencer.trail();
        let query = Query {
            limit: export.most,
            ..Query::of(controller.clone())
        };
        let found = trail
            .ahead(query, EntryIndex(run.from), self.waits.catch_up)
            .await?;
        let (end, more) = (found.end.0, found.more);
        let lines = trail
            .beside(move |trail| lines(trail, &found, (&viewer, &approved), &registry))
            .await?;
        let who = (export.who, export.purpose);
        let receipt = self.record(&caller, who, &run, lines.len()).await?;
        Ok(v1::ExportProcessingsResponse {
            controller_party_id: controller.to_string(),
            lines,
            end,
            cursor: self.cursor(&caller, &run, end),
            more,
            receipt,
        })
    }
}

fn lines(
    trail: &Trail,
    found: &Ahead,
    (viewer, approved): (&Viewer, &Period),
    registry: &schakel_core::registry::Registry,
) -> Result<Vec<v1::ProcessingLine>, TrailError> {
    let mut lines = Vec::new();
    for index in &found.entries {
        let whole = trail.whole(index.0)?.ok_or(TrailError::Unreadable)?;
        let details = whole.entry.details.as_ref();
        if !export::is_within(approved, &whole.entry.leaf) {
            continue;
        }
        if !details.is_some_and(|details| viewer.sees(&whole.entry.leaf, details)) {
            continue;
        }
        let controller: &PartyId = viewer.controller();
        let Some(Line {
            mut line,
            names_the_person,
        }) = processing::line(index.0, &whole, controller, registry)
        else {
            continue;
        };
        if names_the_person {
            line.data_subject_id = trail.pseudonym(&whole, controller).map(hex);
        }
        lines.push(line);
    }
    Ok(lines)
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}
