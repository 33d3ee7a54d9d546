//! The client of the broker: mutual TLS, retries only where they are safe, and nothing taken on trust.
//!
//! Whatever [`Client`] answers has been checked: the entry that the broker says it wrote stands in the
//! signed tree, the signature is by the key that was pinned, the leaf names the caller as the party that
//! acted, what was disclosed is what the log is committed to, and no checkpoint contradicts one seen
//! before. An answer that fails any of this is an error that keeps the evidence; it is never returned.
//!
//! ```no_run
//! use std::sync::Arc;
//! use schakel_api::v1;
//! use schakel_client::{Client, ClientConfig, Identity, Trail};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let read = std::fs::read_to_string;
//! let identity = Identity::new("wonen-zuid", read("party.cert.pem")?, read("party.key.pem")?);
//! // Pinned: had from the operator on paper or by another way than this connection.
//! let trail = Trail::pinned("schakel.example.nl/log", &read("log.vkey")?)?;
//! let config = ClientConfig::new("broker.example.nl:7443", read("ca.cert.pem")?, identity, Arc::new(trail));
//! let client = Client::connect(config).await?;
//! let answer = client
//!     .ask(v1::AskRequest {
//!         actor: Some(v1::Actor { actor_ref: "medewerker-12".into(), responsible_ref: None }),
//!         item: Some(v1::AskItem {
//!             subject: Some(v1::SubjectRef {
//!                 reference: Some(v1::subject_ref::Reference::ClientRef("huurder-1".into())),
//!             }),
//!             purpose: "P-ARRANGE-HOUSING".into(),
//!             purpose_version: None,
//!             conditions: vec![v1::Condition::Housing.into()],
//!             granularity: v1::Granularity::Signal.into(),
//!         }),
//!     })
//!     .await?;
//! # let _ = answer;
//! # Ok(())
//! # }
//! ```
//!
//! * [`Client`]: one method an RPC; [`Client::subscribe`] for what comes by itself.
//! * [`ClientConfig`], [`Identity`], [`Timeouts`], [`RetryPolicy`]: whom to call, as whom, how patiently.
//! * [`Trail`]: what this program knows of the log, shared by as many clients as it likes.
//! * [`Renewal`]: the next certificate, by itself; [`enrol`]: the first, by a token.
//! * [`Register`]: the receipts a party holds, on disk; [`Client::reconcile`] compares them with the broker's log.
//! * [`ClientError`], [`Refusal`], [`ReceiptError`], [`Fork`]: what went wrong, precisely.

mod answer;
mod client;
mod config;
mod connect;
mod enrol;
mod entropy;
mod method;
mod receipt;
mod reconcile;
mod refusal;
mod register;
mod renewal;
mod retry;
mod subscription;
mod trail;

pub use answer::Incomplete;
pub use client::{Client, ClientError};
pub use config::{ClientConfig, Identity, PRINCIPAL_HEADER, Timeouts, UNIT_HEADER};
pub use connect::{ConnectError, channels, shake_hands};
pub use enrol::{EnrolError, Enrolled, EnrolmentAddress, enrol};
pub use entropy::{Entropy, EntropyError, SystemEntropy};
pub use method::{Extension, Section, SectionError};
pub use receipt::{ReceiptError, proof};
pub use reconcile::Reconciliation;
pub use refusal::{Refusal, Violation};
pub use register::{Register, RegisterError};
pub use renewal::{FileError, IdentityFiles, Renewal, RenewalError, Step, Told, renew_at};
pub use retry::RetryPolicy;
pub use subscription::Subscription;
pub use trail::{Fork, Head, HeadError, PinError, Trail};
