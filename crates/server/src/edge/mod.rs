//! The edge: everything between a socket and a service.
//!
//! A connection is accepted when its handshake proves a certificate ([`accept`], [`tls`]), and cut when it may not be used any more ([`link`]). Each call over it
//! is then admitted or refused by what the request and the registry alone say ([`admit`]): whose certificate
//! it is and for whom it calls ([`identify`]), whether a role of that party may call the method ([`crate::access`]),
//! whether too much runs already ([`limits`]). What is refused is counted and becomes an entry of the trail
//! ([`refusals`]). Nothing here knows of any person.

pub mod accept;
pub mod admit;
pub(crate) mod attempts;
mod body;
mod context;
mod end;
mod faults;
pub(crate) mod guest;
pub mod identify;
pub mod limits;
pub mod link;
mod outflow;
mod proxy;
pub mod refusals;
mod sockets;
pub mod tls;
mod turns;
pub mod uses;

pub(crate) use context::TraceParent;
