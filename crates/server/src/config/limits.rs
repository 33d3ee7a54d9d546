//! Section `[limits]`: how much at once.

use std::time::Duration;

use serde::Deserialize;

/// How much at once, and how long.
///
/// Memory is bounded by these: at most `calls` messages of `message_bytes` are worked on, and at most
/// `connections` times 256 KiB waits in connections.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections of all parties together: 1 to 65,536.
    pub connections: usize,
    /// Connections of one party: 1 to 1,024.
    pub connections_per_party: usize,
    /// Handshakes at a time: 1 to 4,096, a quarter of them from one address (IPv6: network of 64 bits). When there are
    /// more, the oldest ends.
    pub handshakes: usize,
    /// How long a handshake may take, and the first call after it: 1 s to 1 m.
    #[serde(with = "humantime_serde")]
    pub handshake_timeout: Duration,
    /// How old a connection may become: 1 m to 1 d. Clients connect anew.
    #[serde(with = "humantime_serde")]
    pub connection_age: Duration,
    /// After how long a silent client is asked whether it is still there: 1 s to 10 m.
    #[serde(with = "humantime_serde")]
    pub keepalive_interval: Duration,
    /// How long it may take to answer that: 1 s to 1 m.
    #[serde(with = "humantime_serde")]
    pub keepalive_timeout: Duration,
    /// Calls and subscriptions at a time over one connection: 1 to 1,024.
    pub streams_per_connection: u32,
    /// Calls of all parties at a time: 1 to 65,536. Withdrawals are never refused for this or the next.
    pub calls: usize,
    /// Calls of one party at a time: 1 to 4,096.
    pub calls_per_party: usize,
    /// Subscriptions of one party at a time: 1 to 1,024.
    pub subscriptions_per_party: usize,
    /// Calls in a minute for one party of the methods that can make a person known by a number, whatever such a call names
    /// the person by: 1 to 1,000,000. As many at once, and then evenly; withdrawals are not counted. Bounds how fast one party makes people known, and notices in the inboxes of others.
    pub named_per_minute: u32,
    /// The longest a call may take, whatever deadline its caller set: 1 s to 5 m. Subscriptions live as
    /// long as their connection.
    #[serde(with = "humantime_serde")]
    pub call_timeout: Duration,
    /// The largest message that is read: 4,096 to 1,048,576 bytes.
    pub message_bytes: usize,
    /// How long calls under way may still take when the broker stops: 1 s to 5 m.
    #[serde(with = "humantime_serde")]
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_party: 32,
            handshakes: 256,
            handshake_timeout: Duration::from_secs(10),
            connection_age: Duration::from_hours(1),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
            streams_per_connection: 256,
            calls: 8192,
            calls_per_party: 1024,
            subscriptions_per_party: 64,
            named_per_minute: 600,
            call_timeout: Duration::from_secs(30),
            message_bytes: 64 * 1024,
            stop_timeout: Duration::from_secs(20),
        }
    }
}
