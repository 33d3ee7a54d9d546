//! The effects of Schakel: the log, the keyring, the view and the search indexes on disk.
//!
//! * [`log`]: the append-only truth. Leaves beside sealed details, one fdatasync a batch.
//! * [`keyring`]: the keys that open sealed details, and the only thing that is ever deleted.
//! * [`seal`]: sealing details so that destroying keys erases them.
//! * [`record`]: the proof that something is durably in the log, without which nothing is released.
//! * [`details`] and [`entry`]: how details are written, and how an entry is read back.
//! * [`world`]: the state that decisions are made against, and [`view`]: its rows on disk.
//! * [`publication`]: the log as files that anybody's tools can check; [`anchor`]: its last head, kept
//!   elsewhere.
//! * [`index`]: which entries of a controller are about a person, a party, a purpose.
//! * [`random`]: the operating system's randomness.
//! * [`disk`]: what log and keyring do to a disk, so that tests can let it fail at each operation.
//!
//! The log is written in the order that survives a crash at any moment; what it says is never changed.
//! Everything else here can be rebuilt from it and the keyring, and the keyring cannot be rebuilt at all.

mod aes;
pub mod anchor;
pub mod details;
pub mod disk;
pub mod entry;
pub mod halt;
pub mod index;
pub mod keyring;
pub mod log;
pub mod publication;
pub mod random;
pub mod record;
pub mod seal;
pub mod view;
pub mod world;

mod background;
mod durable;
