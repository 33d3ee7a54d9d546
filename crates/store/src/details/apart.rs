//! What links the entries about one person across controllers: the broker's own id of the person and the keys; and what
//! says that the person is known to others: the controllers concerned, and what follows from what is held of the person.
//! The leaf is committed to details as a whole, so that nothing can be left out of them where they are shown. So these
//! stand beside the details, and the details hold a salted digest of them: bound as before, and shown to nobody.
//!
//! Older brokers kept the id and the keys apart alone. By whose digest it is, is seen which was done.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use aws_lc_rs::digest::{SHA256, digest as hash};
use ciborium::Value;
use schakel_core::{
    event::{Call, Details, Event, FromRecords, SlotUse},
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
/// Separate these digests from every other: of the links alone, and of everything that is kept apart now.
const LINKS: &[u8] = b"schakel/details/links/v1\0";
const ALL: &[u8] = b"schakel/details/links/v2\0";

/// What was kept apart of details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Apart {
    /// Nothing: they name nobody, or an older broker wrote them.
    Nothing,
    /// What links them to others about the person.
    Links,
    /// That, and everything that says whether the person is known: of details of one kind what is left is the same
    /// for somebody known elsewhere and for nobody.
    All,
}

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
    /// The controllers concerned.
    #[serde(default)]
    controllers: Cow<'d, BTreeSet<PartyId>>,
    /// What the event says that follows from what was held of the person.
    #[serde(default)]
    from_records: FromRecords,
}

/// What is shown, with the names and the order of [`Details`].
#[derive(Serialize)]
struct Shown<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'d Call>,
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

/// Writes details down, apart from what links them to others and what says whether the person is known. Everything about a person is written so, known or not.
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
    let mut from_records = FromRecords::default();
    if event.follows_from_records() {
        event.to_mut().exchange_from_records(&mut from_records);
    }
    let links = Links {
        subject: details.subject,
        binds: Cow::Borrowed(&details.binds),
        messages,
        controllers: Cow::Borrowed(&details.controllers),
        from_records,
    };
    let links = [salt.to_vec(), write(&links)?].concat();
    let shown = Shown {
        call: details.call.as_ref(),
        event,
        links: Value::Bytes(digest(ALL, &links)),
    };
    Ok(Encoded {
        details: write(&shown)?,
        links,
    })
}

/// Reads details back, together with what was kept apart of them, or whole, as they were written before; and what was
/// kept apart.
///
/// # Errors
/// When the bytes are not exactly the details of one entry, or the links are not those that belong to them.
pub fn decode_with(details: &[u8], links: &[u8]) -> Result<(Details, Apart), DetailsError> {
    let Written {
        call,
        subject,
        controllers,
        binds,
        event,
        links: digested,
    } = read(details)?;
    let apart = apart(digested.as_ref(), links)?;
    let mut details = Details {
        call,
        subject,
        controllers,
        binds,
        event,
    };
    if apart > Apart::Nothing {
        let (_, links) = links.split_at_checked(32).ok_or(DetailsError::Links)?;
        put_back(&mut details, read(links)?, apart);
    }
    Ok((details, apart))
}

/// What was kept apart, by the digest in the details; an error where it is not what is there.
fn apart(digested: Option<&Value>, links: &[u8]) -> Result<Apart, DetailsError> {
    match digested {
        None if links.is_empty() => Ok(Apart::Nothing),
        Some(Value::Bytes(expected)) if *expected == digest(ALL, links) => Ok(Apart::All),
        Some(Value::Bytes(expected)) if *expected == digest(LINKS, links) => Ok(Apart::Links),
        Some(_) | None => Err(DetailsError::Links),
    }
}

fn put_back(details: &mut Details, links: Links<'_>, apart: Apart) {
    let Links {
        subject,
        binds,
        messages,
        controllers,
        mut from_records,
    } = links;
    details.subject = subject;
    details.binds = binds.into_owned();
    for (message, about) in details
        .event
        .messages_mut()
        .into_iter()
        .zip(messages.iter().cycle())
    {
        message.subject = *about;
    }
    if apart == Apart::All {
        details.controllers = controllers.into_owned();
        details.event.exchange_from_records(&mut from_records);
    }
}

fn digest(of: &[u8], links: &[u8]) -> Vec<u8> {
    let hash = hash(&SHA256, &[of, links].concat());
    hash.as_ref().to_vec()
}
