//! Section `[retention]`: for how long what is kept.

use std::time::Duration;

use serde::Deserialize;

/// For how long what is kept, and how what is erased leaves the disk and its backups.
///
/// The least values of the first two are the law's; a longer time needs a reason. A change counts for entries from then on: how
/// long an entry is kept stands in the entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Months for which the details of an entry are kept, the month that has begun among them: 49 (four years,
    /// Wjsg 51c(4)) to 240.
    pub standard_months: u32,
    /// The same for entries about care: 61 (five years, Stcrt 2019, 38007) to 252.
    pub care_months: u32,
    /// Months for which a consent is kept after its end: 61 to 252. AVG 7(1) asks that it can be
    /// shown and names no term: five years are this broker's own choice.
    pub consent_months: u32,
    /// Days for which a case, and with it how a person is found by a number, is kept after it was closed:
    /// 1 to 184.
    pub case_days: u32,
    /// How often it is looked what is due: 10 ms to 1 h.
    #[serde(with = "humantime_serde")]
    pub look_every: Duration,
    /// How long after an erasure the keyring is written again under a new key-encryption key: 0 s to 1 d.
    #[serde(with = "humantime_serde")]
    pub rotate_kek_after: Duration,
    /// Days for which a backup of the keyring lives: 0 to 90. An erasure is final when the last one lapses.
    pub keyring_backup_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            standard_months: 61,
            care_months: 61,
            consent_months: 61,
            case_days: 180,
            look_every: Duration::from_mins(1),
            rotate_kek_after: Duration::from_hours(12),
            keyring_backup_days: 30,
        }
    }
}
