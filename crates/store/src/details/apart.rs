//! What links the entries about one person across controllers: the broker's own id of the person and the keys. The
//! leaf is committed to details as a whole, so that nothing can be left out of them where they are shown. So these
//! stand beside the details, and the details hold a salted digest of them: bound as before, and shown to nobody.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use aws_lc_rs::digest::{SHA256, digest as hash};
use ciborium::Value;
use schakel_core::{
    event::{Call, Details, Event, SlotUse},
    id::{PartyId, SlotId, SubjectId},
};
use serde::{Deserialize, Serialize};

use super::{DetailsError, read, write};

/// Details as they are sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What the leaf is committed to.
    pub details: Vec<u8>,
    /// What links them to others: 32 random bytes, then CBOR. Empty where nothing is kept apart.
    pub links: Vec<u8>,
}

impl fmt::Debug for Encoded {
    /// Shows nothing of the details.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoded(redacted)")
    }
}

/// Instead of a person in what is shown: no person is ever drawn this id.
const NOBODY: SubjectId = SubjectId::from_bytes([0; 16]);
/// Separates this digest from every other.
const DIGEST: &[u8] = b"schakel/details/links/v1\0";

/// What is kept apart.
#[derive(Serialize, Deserialize)]
struct Links<'d> {
    #[serde(default)]
    subject: Option<SubjectId>,
    #[serde(default)]
    binds: Cow<'d, [(SlotUse, SlotId)]>,
    /// Whom the messages in the event are about.
    #[serde(default)]
    messages: Option<SubjectId>,
}

/// What is shown, with the names and the order of [`Details`].
#[derive(Serialize)]
struct Shown<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'d Call>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controllers: Option<&'d BTreeSet<PartyId>>,
    event: Cow<'d, Event>,
    /// SHA-256 over what is kept apart, 32 bytes.
    links: Value,
}

/// [`Details`] as they were written, together or apart.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    call: Option<Call>,
    #[serde(default)]
    subject: Option<SubjectId>,
    #[serde(default)]
    controllers: BTreeSet<PartyId>,
    #[serde(default)]
    binds: Vec<(SlotUse, SlotId)>,
    event: Event,
    #[serde(default)]
    links: Option<Value>,
}

/// Writes details down, apart from what links them to others. Everything about a person is written so, known or not.
///
/// # Errors
/// As [`super::encode`].
pub fn encode_apart(details: &Details, salt: [u8; 32]) -> Result<Encoded, DetailsError> {
    let mut event = Cow::Borrowed(&details.event);
    let messages = event.messages().first().map(|message| message.subject);
    if messages.is_some() {
        for message in event.to_mut().messages_mut() {
            message.subject = NOBODY;
        }
    }
    let links = Links {
        subject: details.subject,
        binds: Cow::Borrowed(&details.binds),
        messages,
    };
    let links = [salt.to_vec(), write(&links)?].concat();
    let shown = Shown {
        call: details.call.as_ref(),
        controllers: Some(&details.controllers).filter(|all| !all.is_empty()),
        event,
        links: Value::Bytes(digest(&links)),
    };
    Ok(Encoded {
        details: write(&shown)?,
        links,
    })
}

/// Reads details back, together with what was kept apart of them, or whole, as they were written before.
///
/// # Errors
/// When the bytes are not exactly the details of one entry, or the links are not those that belong to them.
pub fn decode_with(details: &[u8], links: &[u8]) -> Result<Details, DetailsError> {
    let Written {
        call,
        mut subject,
        controllers,
        mut binds,
        mut event,
        links: digested,
    } = read(details)?;
    match digested {
        Some(Value::Bytes(expected)) if expected == digest(links) => {
            let (_, links) = links.split_at_checked(32).ok_or(DetailsError::Links)?;
            let links: Links<'_> = read(links)?;
            subject = links.subject;
            binds = links.binds.into_owned();
            for (message, about) in event
                .messages_mut()
                .into_iter()
                .zip(links.messages.iter().cycle())
            {
                message.subject = *about;
            }
        }
        None if links.is_empty() => {}
        Some(_) | None => return Err(DetailsError::Links),
    }
    Ok(Details {
        call,
        subject,
        controllers,
        binds,
        event,
    })
}

fn digest(links: &[u8]) -> Vec<u8> {
    let hash = hash(&SHA256, &[DIGEST, links].concat());
    hash.as_ref().to_vec()
}
