//! Certificates, as they are shown.

use schakel_api::v1;
use schakel_core::{
    certificate::{Blocked, Seen, Thumbprint},
    id::PartyId,
    time::Timestamp,
};

use super::{code::Coded as _, time::instant};
use crate::edge::identify::{Connection, UnknownParty};

/// A certificate with which a party called.
pub(crate) fn used(seen: &Seen) -> v1::UsedCertificate {
    let Seen {
        certificate,
        party,
        oin,
        anchor,
        not_after,
        first_used_at,
        last_used_at,
    } = seen;
    v1::UsedCertificate {
        certificate: certificate.to_string(),
        party_id: party.to_string(),
        oin: oin.to_string(),
        anchor: anchor.to_string(),
        not_after: Some(instant(*not_after)),
        first_used_at: Some(instant(*first_used_at)),
        last_used_at: Some(instant(*last_used_at)),
    }
}

/// A certificate with which nothing may be done.
pub(crate) fn blocked(blocked: &Blocked) -> v1::BlockedCertificate {
    let Blocked {
        certificate,
        reason,
        since,
        entry,
    } = blocked;
    v1::BlockedCertificate {
        certificate: certificate.to_string(),
        reason: reason.to_wire(),
        since: Some(instant(*since)),
        entry: entry.0,
    }
}

/// The certificate of a connection, to whoever holds it.
///
/// # Errors
/// When it no longer holds.
pub(crate) fn own(
    connection: &Connection,
    party: &PartyId,
    now: Timestamp,
) -> Result<v1::GetMyCertificateResponse, UnknownParty> {
    let identity = connection.identity()?;
    let verified = connection.verified(now)?;
    Ok(v1::GetMyCertificateResponse {
        certificate: Thumbprint(identity.sha256).to_string(),
        oin: identity.oin.to_string(),
        party_id: party.to_string(),
        anchors: verified.anchors.iter().map(ToString::to_string).collect(),
        issuer: identity.issuer.text.clone(),
        serial: identity.serial.to_string(),
        not_before: Some(instant(identity.not_before)),
        not_after: Some(instant(identity.not_after)),
        expires_soon: connection.ends_soon(now).is_some(),
        tls_version: connection.version().to_owned(),
    })
}
