//! A start after signing was stopped: refused until an administrator lifts that, and then said in an entry.

use std::{io, path::Path};

use schakel_core::event::Event;
use schakel_store::{
    disk::Disk,
    halt::{self, Lifted},
};

use super::start::StartError;

/// What the log is to say of a halt that was lifted.
pub(super) fn look(data: &Path) -> Result<Option<Event>, StartError> {
    let disk = Disk::real();
    if let Some(halted) = halt::held(&disk, data)? {
        return Err(StartError::Halted(halted));
    }
    let lifted = halt::lifted(&disk, data)?;
    Ok(
        lifted.map(|Lifted { halted, ground }| Event::SigningResumed {
            halted_at: halted.at,
            why: halted.why,
            ground,
        }),
    )
}

/// The log has said it.
pub(super) fn settle(data: &Path) -> io::Result<()> {
    halt::settle(&Disk::real(), data)
}
