//! What a certificate is for: its usages, and how long it may hold. It never says what its holder may do:
//! that is what the registry says.

use std::{fmt, net::IpAddr, str::FromStr};

use schakel_core::id::Oin;
use serde::{Deserialize, Serialize};

/// The most characters a name in a certificate may have (RFC 5280, appendix A.1, `ub-common-name`).
pub(crate) const NAME_MAX: usize = 64;

/// The most hosts of one broker.
const HOSTS_MAX: usize = 16;

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// An administrator of the broker.
    Administrator,
    /// An auditor.
    Auditor,
    /// The broker: it serves at its hosts, and calls as a client too.
    Broker,
    /// Somebody who uses the console in a browser.
    Browser,
    /// The system of a party, or of a supplier that acts for parties.
    Party,
    /// The privacy officer of a controller.
    PrivacyOfficer,
}

/// For how many days of 24 hours a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The fewest.
    pub least: u32,
    /// When nothing is asked.
    pub usual: u32,
    /// The most.
    pub most: u32,
}

/// For whom a certificate is issued, in words the registry stands for: nothing of it is taken from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What for.
    pub profile: Profile,
    /// Subject.serialNumber.
    pub oin: Oin,
    /// organizationName and commonName: 1 to 64 characters.
    pub name: String,
    /// organizationalUnitName: 1 to 64 characters.
    pub unit: Option<String>,
    /// Host names and addresses: 1 to 16 for a broker, none for anybody else.
    pub hosts: Vec<String>,
}

/// Why no certificate can be issued for a holder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HolderError {
    /// A host is neither an address nor a DNS name.
    #[error("host `{host}` is neither an IP address nor a DNS name")]
    Host {
        /// The host.
        host: String,
    },
    /// The wrong number of hosts.
    #[error("a broker needs 1 to 16 hosts to serve at, and nobody else has any")]
    Hosts,
    /// A name does not fit.
    #[error("the {what} must have 1 to 64 characters, none of them a control character")]
    Name {
        /// Name or unit.
        what: &'static str,
    },
    /// The term is out of bounds.
    #[error("a certificate of profile `{profile}` holds {} to {} days, not {days}", profile.term().least, profile.term().most)]
    Term {
        /// The profile.
        profile: Profile,
        /// What was asked.
        days: u32,
    },
}

/// Not a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("choose from party, broker, privacy-officer, administrator, auditor, browser")]
pub struct UnknownProfile;

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 6] = [
        Self::Administrator,
        Self::Auditor,
        Self::Broker,
        Self::Browser,
        Self::Party,
        Self::PrivacyOfficer,
    ];

    /// How it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Broker => "broker",
            Self::Browser => "browser",
            Self::Party => "party",
            Self::PrivacyOfficer => "privacy-officer",
        }
    }

    /// How long such a certificate holds. Short, because renewing is one command; shorter where one key
    /// opens more.
    #[must_use]
    pub const fn term(self) -> Term {
        let most = match self {
            Self::Administrator | Self::Browser => 180,
            Self::Auditor | Self::Broker | Self::Party | Self::PrivacyOfficer => 398,
        };
        Term {
            least: 1,
            usual: 90,
            most,
        }
    }

    /// Whether its holder serves.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::Broker)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        let found = Self::ALL.into_iter().find(|profile| profile.code() == text);
        found.ok_or(UnknownProfile)
    }
}

impl Holder {
    /// Checks what holds for a holder by itself.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), HolderError> {
        let fits = |text: &str| {
            (1..=NAME_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        };
        if !fits(&self.name) {
            return Err(HolderError::Name { what: "name" });
        }
        if !self.unit.as_deref().is_none_or(fits) {
            return Err(HolderError::Name { what: "unit" });
        }
        if self.profile.serves() == self.hosts.is_empty() || self.hosts.len() > HOSTS_MAX {
            return Err(HolderError::Hosts);
        }
        match self.hosts.iter().find(|host| !is_host(host)) {
            None => Ok(()),
            Some(host) => Err(HolderError::Host { host: host.clone() }),
        }
    }

    /// The term in days: the one asked for, or the usual one.
    ///
    /// # Errors
    /// When it is out of the bounds of the profile.
    pub fn days(&self, asked: Option<u32>) -> Result<u32, HolderError> {
        let (profile, term) = (self.profile, self.profile.term());
        match asked {
            None => Ok(term.usual),
            Some(days) if (term.least..=term.most).contains(&days) => Ok(days),
            Some(days) => Err(HolderError::Term { profile, days }),
        }
    }
}

/// Whether a certificate can be issued for a host: an IP address, or a DNS name without wildcards.
pub(crate) fn is_host(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
        || (host.len() <= 253
            && host.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            }))
}

/// The address that these bytes of an alternative name are.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(profile: Profile) -> Holder {
        Holder {
            profile,
            oin: "00000099000000010000".parse().unwrap(),
            name: "Testgemeente Oost".to_owned(),
            unit: None,
            hosts: Vec::new(),
        }
    }

    #[test]
    fn every_profile_reads_back_and_its_usual_term_is_within_its_bounds() {
        for profile in Profile::ALL {
            assert_eq!(profile.code().parse(), Ok(profile));
            let Term { least, usual, most } = profile.term();
            assert!(least <= usual && usual <= most, "{profile}");
        }
        assert_eq!("root".parse::<Profile>(), Err(UnknownProfile));
    }

    #[test]
    fn a_term_out_of_bounds_is_refused_with_the_bounds() {
        let administrator = holder(Profile::Administrator);
        assert_eq!(administrator.days(None), Ok(90));
        assert_eq!(administrator.days(Some(180)), Ok(180));
        for days in [0, 181] {
            let error = administrator.days(Some(days)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("a certificate of profile `administrator` holds 1 to 180 days, not {days}")
            );
        }
    }

    #[test]
    fn only_a_broker_has_hosts_and_they_are_names() {
        let mut broker = holder(Profile::Broker);
        assert_eq!(broker.check(), Err(HolderError::Hosts));
        broker.hosts = vec!["broker.example".to_owned(), "::1".to_owned()];
        assert_eq!(broker.check(), Ok(()));
        for bad in [
            "",
            "*.example",
            "-a.example",
            "a..example",
            "bücher.example",
        ] {
            broker.hosts = vec![bad.to_owned()];
            let host = bad.to_owned();
            assert_eq!(broker.check(), Err(HolderError::Host { host }));
        }
        let mut party = holder(Profile::Party);
        assert_eq!(party.check(), Ok(()));
        party.hosts = vec!["party.example".to_owned()];
        assert_eq!(party.check(), Err(HolderError::Hosts));
        party = holder(Profile::Party);
        party.unit = Some("two\nlines".to_owned());
        assert_eq!(party.check(), Err(HolderError::Name { what: "unit" }));
    }
}
