//! What the tests share: a broker on loopback with its own development organisations, parties that call it
//! over real mutual TLS, and an outsider who checks the whole log.
//!
//! A test starts a [`TestBroker`], lets parties act, and ends with [`TestBroker::check_log`]. Time is a
//! [`schakel_server::clock::ManualClock`] unless a test asks for the system's; nothing waits by sleeping.

mod broker;
mod child;
mod command;
mod evidence;
mod exporting;
mod forge;
mod line;
mod outsider;
mod party;
mod place;
mod remains;
mod requests;
pub mod statistics;
mod window;

pub use broker::{Settings, TestBroker};
pub use child::{Child, Refused, schakel};
pub use command::Said;
pub use evidence::{Evidence, Kept, Log, copy};
pub use exporting::second_actor;
pub use forge::{Forge, Forged, Key};
pub use line::Line;
pub use party::Party;
pub use place::{ANCHOR, ORIGIN, Place, START};
pub use remains::{NOTHING, found_anywhere, holds, keys_left};
pub use requests::{
    HOUSING, Scene, actor, at, bsn, bsn_number, by_case, consent, item, key, mark, reason, report,
    violations,
};
pub use window::Window;
