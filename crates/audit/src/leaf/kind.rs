//! The codes of a leaf: what happened, and how long its details are kept.

use std::fmt;

/// What an entry records. The numbers are part of the format and never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum EntryType {
    /// A status was released to a party that asked or was waiting for it.
    Disclosure = 1,
    /// A request was decided against.
    Denial = 2,
    /// A consent was recorded or changed its state.
    Consent = 3,
    /// A case was opened, changed or closed.
    Case = 4,
    /// A status was reported.
    Status = 5,
    /// A partner was introduced to a case, or redeemed an introduction.
    Introduction = 6,
    /// A party, a certificate or a purpose was registered or changed.
    Registry = 7,
    /// A message left an inbox, or was held back when it would have.
    Delivery = 8,
    /// A receiver acknowledged.
    Acknowledgement = 9,
    /// A withdrawal, correction, restriction or recall was sent to a receiver.
    Notice = 10,
    /// Somebody looked something up in the trail.
    LookUp = 11,
    /// Requests refused before they were decided, counted over a while.
    Refusals = 12,
    /// The use of a person's data was restricted, or no longer.
    Restriction = 13,
    /// Keys were destroyed, and with them the details of earlier entries.
    Erasure = 14,
    /// A key of the broker was taken into use or put out of it.
    Key = 15,
    /// The broker started, stopped or met something that bears on the trail itself.
    System = 16,
    /// The checkpoint of another log was seen.
    PeerCheckpoint = 17,
}

impl EntryType {
    /// All of them, by number.
    pub const ALL: [Self; 17] = [
        Self::Disclosure,
        Self::Denial,
        Self::Consent,
        Self::Case,
        Self::Status,
        Self::Introduction,
        Self::Registry,
        Self::Delivery,
        Self::Acknowledgement,
        Self::Notice,
        Self::LookUp,
        Self::Refusals,
        Self::Restriction,
        Self::Erasure,
        Self::Key,
        Self::System,
        Self::PeerCheckpoint,
    ];

    /// The type with this number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        Self::ALL.get(at).copied()
    }

    /// The number in the leaf.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name, as in `leaf.cddl`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disclosure => "disclosure",
            Self::Denial => "denial",
            Self::Consent => "consent",
            Self::Case => "case",
            Self::Status => "status",
            Self::Introduction => "introduction",
            Self::Registry => "registry",
            Self::Delivery => "delivery",
            Self::Acknowledgement => "acknowledgement",
            Self::Notice => "notice",
            Self::LookUp => "look-up",
            Self::Refusals => "refusals",
            Self::Restriction => "restriction",
            Self::Erasure => "erasure",
            Self::Key => "key",
            Self::System => "system",
            Self::PeerCheckpoint => "peer-checkpoint",
        }
    }
}

impl fmt::Display for EntryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How long the details of an entry are kept. The numbers are part of the format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum RetentionClass {
    /// As long as the log.
    Permanent = 1,
    /// The ordinary term, until the leaf's month of destruction.
    Standard = 2,
    /// The term for care, until the leaf's month of destruction.
    Care = 3,
    /// A set time after an end that is logged later, as for consents and cases.
    OpenEnded = 4,
}

impl RetentionClass {
    /// All of them, by number.
    pub const ALL: [Self; 4] = [Self::Permanent, Self::Standard, Self::Care, Self::OpenEnded];

    /// The class with this number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        Self::ALL.get(at).copied()
    }

    /// The number in the leaf.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name, as in `leaf.cddl`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Standard => "standard",
            Self::Care => "care",
            Self::OpenEnded => "open-ended",
        }
    }

    /// Whether a leaf of this class names the month in which its details are destroyed.
    #[must_use]
    pub const fn has_month(self) -> bool {
        matches!(self, Self::Standard | Self::Care)
    }
}

impl fmt::Display for RetentionClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
