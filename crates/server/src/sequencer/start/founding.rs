//! What is registered at the first start, while the log is empty: all of it or nothing.
//!
//! It goes into one batch, because a start that is cut short between two would leave the rest unregistered for good:
//! the next start finds a log that is not empty.

use schakel_core::{catalogue::Catalogue, event::Event};

use super::{
    super::{
        own,
        take::not_composed,
        writer::{Batch, Writer},
    },
    StartError,
};

/// Registers the founding parties and purposes, each an entry of its own.
pub(super) fn register(writer: &mut Writer, founding: &Catalogue) -> Result<(), StartError> {
    founding.check()?;
    let broker = writer.broker.clone();
    let events = founding.changes().map(|change| Event::Changed {
        proposal: None,
        change,
        proposed_by: broker.clone(),
        approved_by: broker.clone(),
        reason: None,
    });
    let events: Vec<Event> = events.collect();
    check_room(writer, &events)?;
    writer.own_entries(events.into_iter())?;
    if writer.kept.is_empty() {
        Ok(())
    } else {
        Err(StartError::NotFounded)
    }
}

/// Looks whether they all fit one batch, before the first of them is recorded.
fn check_room(writer: &mut Writer, events: &[Event]) -> Result<(), StartError> {
    let now = writer.shared.clock.now();
    let plans = events.iter().cloned().map(own::plan).collect();
    let too_much = |fit| StartError::FoundingTooLarge {
        fit,
        of: events.len(),
    };
    let composed = writer.compose_all(None, plans, now)?;
    let entries = composed.map_err(|error| {
        not_composed(&error);
        too_much(0)
    })?;
    let mut batch = Batch::default();
    for entry in entries {
        let len = entry.composed.frame.stored_len();
        if !batch.has_room_for(len) {
            return Err(too_much(batch.entries.len()));
        }
        batch.bytes += len;
        batch.entries.push(entry);
    }
    Ok(())
}
