//! The broker killed, and its disk damaged: what was acknowledged stays, what is wrong is refused.
//!
//! What can go wrong with the trail, and where each is tested; `store` stands for `crates/store/tests/store`.
//!
//! | fault | where |
//! |---|---|
//! | killed at every system call of an append and of publication | `tests/faults/run`; under load, `kill` |
//! | killed at every system call of an erasure | `erase`, by `tests/faults/run` |
//! | stopped, or failing, at every operation; sectors and names lost | `store/campaign`, `tests/campaign/run`, `store/publication_crash` |
//! | torn last batch: cut, or refused when something follows | `damage`, `store/log_recovery`, `store/log_property` |
//! | a sync that fails: the process ends, no second try, the tail written again | `store/log_faults`, `log/tests.rs` |
//! | a bit turned over in any file of a broker: refused with the file, or made good | `flips` |
//! | in the log: refused, with segment, byte and entry | `damage`, `store/log_recovery` |
//! | in a sealed part, as read back | `store/sealing` |
//! | in a file of the keyring: refused | `store/keyring` |
//! | in the view or an index: made again | `store/view`, `store/index`, `store/world` |
//! | in what is published: nothing more is published over it | `store/publication`, `server/src/publication/tests.rs` |
//! | the same, for an outsider: the file and the entry | `crates/audit/tests/audit/published_damage.rs`, `tests/verifiers/run` |
//! | the log, or keyring, put back from an older copy: refused | `damage`, `store/world`, `store/keyring` |
//! | two processes on one directory: the second is refused | `damage`, `store/log_append`, `store/keyring` |
//! | a segment, or its end, missing: refused | `store/log_recovery` |
//! | entries swapped, doubled or dropped: refused | `store/log_recovery` |
//! | the published checkpoint, or the anchor, going back when the machine stops | `store/publication_crash`, `store/campaign` |
//! | a log shorter or other than the anchor, or than what was published: refused | `store/anchor`, `server/src/publication/tests.rs` |
//! | witnesses that are down, slow, wrong, or have seen more | `server/src/publication/tests.rs` |
//! | a full disk: nothing is taken, and all goes on when there is room | `store/log_faults`, `store/campaign` |
//! | the same for a broker: calls refused, health told, no restart needed | `server/src/sequencer/tests/full.rs` |
//! | the clock set back or ahead | `server/src/sequencer/time.rs`; `journey/receipts`: invariants 3 and 12 |
//! | a key-encryption key that is missing, open to others, half written or another | `store/keyring`, `store/campaign` |
//! | a change of that key cut short anywhere, by process or machine | `store/rotating`, `store/campaign` |
//! | a checkpoint key that is missing or another: refused | `flips`, `server/src/publication/tests.rs` |
//! | view and indexes gone: the same answers | `kill`, `journey/forget`, `store/world` |

/// The tests, by what they are about.
mod crash {
    mod damage;
    mod dev;
    mod erase;
    mod flips;
    mod kill;
}
