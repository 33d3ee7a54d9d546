//! Whom to call, as whom, and how patiently.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    entropy::{Entropy, SystemEntropy},
    register::Register,
    retry::RetryPolicy,
    trail::Trail,
};

/// The metadata key that names the party for which a call is made, when that is another than the one whose
/// certificate opened the connection. The broker accepts it only under a registered delegation.
pub const PRINCIPAL_HEADER: &str = "schakel-principal";

/// The metadata key that names the unit of that party for which a call is made. The broker accepts it only when the
/// party has that unit at the moment.
pub const UNIT_HEADER: &str = "schakel-unit";

/// Everything a client needs to know.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Host and port of the broker, such as `broker.example.nl:7443` or `[::1]:7443`.
    pub address: String,
    /// The host name or address that the broker's certificate must be for.
    pub server_name: String,
    /// The authorities that may have issued the broker's certificate: PEM, one or more.
    pub ca_pem: String,
    /// Who calls.
    pub identity: Identity,
    /// The party to act for, under its registered delegation; absent to act for oneself.
    pub principal: Option<String>,
    /// The unit of that party to act for; absent to act for the party as a whole.
    pub unit: Option<String>,
    /// The log whose receipts are accepted, and what is known of it.
    pub trail: Arc<Trail>,
    /// How many connections are kept, 1 to 64. Calls go round; a busy caller gains from several.
    pub connections: usize,
    /// How long what may take.
    pub timeouts: Timeouts,
    /// How often and with which pauses a call is tried again, where that is safe.
    pub retry: RetryPolicy,
    /// Where random bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// Where every receipt is kept before its answer is handed over; absent to keep none.
    pub register: Option<Arc<Register>>,
}

/// The party that calls, its certificate and its private key. The key never shows in debug output.
#[derive(Clone)]
pub struct Identity {
    /// The party id under which the certificate's number is registered.
    pub party: String,
    /// The certificate chain: PEM, the party's own certificate first.
    pub certificate_pem: String,
    /// The private key: PEM (PKCS #8, PKCS #1 or SEC 1).
    pub key_pem: String,
}

/// How long what may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Opening a connection, handshake included. 10 s unless set.
    pub connect: Duration,
    /// One attempt at a call. 10 s unless set.
    pub attempt: Duration,
    /// A call as a whole: every attempt and the pauses between them. 30 s unless set.
    pub call: Duration,
    /// The longest a subscription may be silent, heartbeats included, before it is opened anew. 90 s unless
    /// set; it must exceed the broker's heartbeat.
    pub silence: Duration,
}

impl ClientConfig {
    /// The configuration with one connection and ordinary patience. The broker's certificate must be for
    /// the host of the address.
    #[must_use]
    pub fn new(
        address: impl Into<String>,
        ca_pem: impl Into<String>,
        identity: Identity,
        trail: Arc<Trail>,
    ) -> Self {
        let address = address.into();
        Self {
            server_name: host(&address).to_owned(),
            address,
            ca_pem: ca_pem.into(),
            identity,
            principal: None,
            unit: None,
            trail,
            connections: 1,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            entropy: Arc::new(SystemEntropy),
            register: None,
        }
    }

    /// The party for which calls are made.
    #[must_use]
    pub fn acting_party(&self) -> &str {
        self.principal.as_deref().unwrap_or(&self.identity.party)
    }
}

impl Identity {
    /// A party with its certificate and key.
    #[must_use]
    pub fn new(
        party: impl Into<String>,
        certificate_pem: impl Into<String>,
        key_pem: impl Into<String>,
    ) -> Self {
        Self {
            party: party.into(),
            certificate_pem: certificate_pem.into(),
            key_pem: key_pem.into(),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("party", &self.party)
            .finish_non_exhaustive()
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            attempt: Duration::from_secs(10),
            call: Duration::from_secs(30),
            silence: Duration::from_secs(90),
        }
    }
}

/// The host of `host:port`, without the brackets of an IPv6 address.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_must_be_for_the_host_of_the_address() {
        assert_eq!(host("broker.example.nl:7443"), "broker.example.nl");
        assert_eq!(host("[::1]:7443"), "::1");
        assert_eq!(host("localhost"), "localhost");
    }

    #[test]
    fn debug_output_never_shows_the_private_key() {
        let identity = Identity::new("wonen-zuid", "CERTIFICATE", "SECRET");
        let shown = format!("{identity:?}");
        assert!(
            shown.contains("wonen-zuid") && !shown.contains("SECRET"),
            "{shown}"
        );
    }
}
