//! Why calls were refused.

use serde::{Deserialize, Serialize};

/// Why a call was refused before anything was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RefusalReason {
    /// No usable certificate, or the handshake failed.
    Handshake,
    /// The certificate is nobody's in the registry, or its party is suspended.
    UnknownParty,
    /// The method is not for this role.
    Access,
    /// The message did not parse or broke a rule of its form.
    Invalid,
    /// Too much at once.
    Quota,
    /// The certificate is blocked.
    Blocked,
    /// The certificate was revoked or ended while its connection was open, or revocation data went missing.
    Lapsed,
}
