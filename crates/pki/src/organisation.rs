//! The development organisations, as `certs-dev/organisations.toml` describes them.

use std::collections::BTreeSet;

use schakel_core::{
    code::Role,
    id::{Oin, PartyId},
    party::{Contact, DatedOin, Party},
    time::{Period, Timestamp},
};
use serde::Deserialize;

use crate::{identity::is_test_oin, profile::NAME_MAX};

/// The development organisations that come with the project: the text of `certs-dev/organisations.toml`.
pub const DEVELOPMENT: &str = include_str!("../../../certs-dev/organisations.toml");

/// One organisation for development or tests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Its party id, and the first part of its file names.
    pub id: PartyId,
    /// commonName and organizationName of its certificate: 1 to 64 characters.
    pub name: String,
    /// organizationalUnitName of its certificate: 1 to 64 characters.
    #[serde(default)]
    pub unit: Option<String>,
    /// Subject.serialNumber of its certificate: a test number.
    pub oin: Oin,
    /// What the registry lets it do.
    pub roles: Vec<Role>,
    /// Host names and addresses it serves at. Set for a broker, whose certificate is then good for serving.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// For a privacy officer: the controller it belongs to.
    #[serde(default)]
    pub officer_for: Option<PartyId>,
    /// The functional contact the registry gives it.
    pub contact: Contact,
}

/// The organisations of one development environment: checked, with exactly one broker among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisations(Vec<Organisation>);

/// Why a description of organisations is refused.
#[derive(Debug, thiserror::Error)]
pub enum OrganisationsError {
    /// Exactly one organisation must be the broker.
    #[error("{count} organisations have the role `BROKER`: give it to exactly one")]
    Brokers {
        /// How many have the role.
        count: usize,
    },
    /// Two organisations share what must be unique.
    #[error("`{id}`: another organisation has the same {field}: give each its own")]
    Duplicate {
        /// The second of the two.
        id: PartyId,
        /// What they share.
        field: &'static str,
    },
    /// A field breaks its rule.
    #[error("`{id}`: `{field}` {rule}")]
    Field {
        /// The organisation.
        id: PartyId,
        /// The field.
        field: &'static str,
        /// Its rule.
        rule: &'static str,
    },
    /// The text is not a list of organisations.
    #[error("not a list of organisations")]
    Unreadable(#[source] Box<toml::de::Error>),
}

impl Organisations {
    /// The development organisations that come with the project.
    ///
    /// # Errors
    /// As [`Self::parse`]; a test holds that there are none.
    pub fn of_development() -> Result<Self, OrganisationsError> {
        Self::parse(DEVELOPMENT)
    }

    /// Reads and checks a description in TOML: one `[[organisation]]` for each.
    ///
    /// # Errors
    /// When the text cannot be read, a field breaks its rule, an id or number is used twice, or there is
    /// not exactly one broker. Every number must be a test number: no other is ever issued for.
    pub fn parse(text: &str) -> Result<Self, OrganisationsError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            organisation: Vec<Organisation>,
        }
        let file: File =
            toml::from_str(text).map_err(|error| OrganisationsError::Unreadable(error.into()))?;
        Self::check(&file.organisation)?;
        Ok(Self(file.organisation))
    }

    /// All of them, in the order of the description.
    pub fn iter(&self) -> impl Iterator<Item = &Organisation> {
        self.0.iter()
    }

    /// The organisation with this party id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Organisation> {
        self.iter()
            .find(|organisation| organisation.id.as_str() == id)
    }

    /// The first organisation with this role.
    #[must_use]
    pub fn with_role(&self, role: Role) -> Option<&Organisation> {
        self.iter()
            .find(|organisation| organisation.roles.contains(&role))
    }

    fn check(all: &[Organisation]) -> Result<(), OrganisationsError> {
        let (mut ids, mut oins) = (BTreeSet::new(), BTreeSet::new());
        for organisation in all {
            organisation.check()?;
            let duplicate = |field| OrganisationsError::Duplicate {
                id: organisation.id.clone(),
                field,
            };
            if !ids.insert(&organisation.id) {
                return Err(duplicate("id"));
            }
            if !oins.insert(&organisation.oin) {
                return Err(duplicate("number"));
            }
        }
        let brokers = all
            .iter()
            .filter(|organisation| organisation.is_broker())
            .count();
        if brokers != 1 {
            return Err(OrganisationsError::Brokers { count: brokers });
        }
        Ok(())
    }
}

impl Organisation {
    /// The party as the registry of a development broker knows it, with its number from this instant on.
    #[must_use]
    pub fn party(&self, from: Timestamp) -> Party {
        Party {
            id: self.id.clone(),
            name: self.name.clone(),
            roles: self.roles.clone(),
            oins: vec![DatedOin {
                oin: self.oin.clone(),
                period: Period { from, until: None },
                anchor: None,
            }],
            contact: self.contact.clone(),
            officer_for: self.officer_for.clone(),
            delegates: Vec::new(),
            suspensions: Vec::new(),
            succession: None,
            units: Vec::new(),
        }
    }

    /// Whether it is the broker: then its certificate is good for serving.
    #[must_use]
    pub fn is_broker(&self) -> bool {
        self.roles.contains(&Role::Broker)
    }

    fn check(&self) -> Result<(), OrganisationsError> {
        let refuse = |field, rule| {
            Err(OrganisationsError::Field {
                id: self.id.clone(),
                field,
                rule,
            })
        };
        let fits = |text: &str| (1..=NAME_MAX).contains(&text.chars().count());
        if !fits(&self.name) {
            return refuse("name", "must have 1 to 64 characters");
        }
        if !self.unit.as_deref().is_none_or(fits) {
            return refuse("unit", "must have 1 to 64 characters, or be left out");
        }
        if !is_test_oin(&self.oin) {
            return refuse("oin", "must be a test number: it begins with 00000099");
        }
        if self.is_broker() == self.hosts.is_empty() {
            return refuse("hosts", "must be set for the broker, and for nobody else");
        }
        match self.party(Timestamp::MAX).check() {
            Ok(()) => Ok(()),
            Err((field, invalid)) => refuse(field, invalid.rule()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(from: &str, to: &str) -> String {
        assert!(DEVELOPMENT.contains(from), "nothing to edit: {from}");
        Organisations::parse(&DEVELOPMENT.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_development_organisations_are_the_ones_the_story_needs() {
        let organisations = Organisations::of_development().unwrap();
        let count = |role| {
            organisations
                .iter()
                .filter(|o| o.roles.contains(&role))
                .count()
        };
        assert_eq!(count(Role::Pi), 1);
        assert_eq!(count(Role::Municipality), 2);
        assert_eq!(count(Role::CareProvider), 1);
        assert_eq!(count(Role::HousingAssociation), 1);
        assert_eq!(count(Role::PrivacyOfficer), 1);
        assert_eq!(count(Role::Administrator), 2);
        assert_eq!(count(Role::Auditor), 1);
        assert_eq!(count(Role::Broker), 1);
        let first = organisations.with_role(Role::Municipality).unwrap();
        let officer = organisations.with_role(Role::PrivacyOfficer).unwrap();
        assert_eq!(officer.officer_for.as_ref(), Some(&first.id));
        assert_eq!(
            organisations.find("broker").unwrap().hosts,
            ["localhost", "127.0.0.1", "::1"]
        );
    }

    #[test]
    fn an_organisation_becomes_a_party_the_registry_accepts() {
        let from = "2026-11-23T00:00:00Z".parse().unwrap();
        for organisation in Organisations::of_development().unwrap().iter() {
            let party = organisation.party(from);
            assert_eq!(party.check(), Ok(()), "{}", organisation.id);
            assert!(party.holds(&organisation.oin, from));
        }
    }

    #[test]
    fn a_number_of_a_real_organisation_is_refused() {
        let error = edited("00000099000000010000", "00000001000000010000");
        assert_eq!(
            error,
            "`pi-noord`: `oin` must be a test number: it begins with 00000099"
        );
    }

    #[test]
    fn ids_and_numbers_used_twice_are_refused() {
        let error = edited("00000099000000020000", "00000099000000010000");
        assert!(
            error.starts_with("`gemeente-oost`") && error.contains("same number"),
            "{error}"
        );
        let error = edited("id = \"gemeente-oost\"", "id = \"pi-noord\"");
        assert!(
            error.starts_with("`pi-noord`") && error.contains("same id"),
            "{error}"
        );
    }

    #[test]
    fn there_is_one_broker_and_only_it_serves() {
        let error = edited(
            "hosts = [\"localhost\", \"127.0.0.1\", \"::1\"]",
            "hosts = []",
        );
        assert!(
            error.contains("`hosts` must be set for the broker"),
            "{error}"
        );
        let error = edited(
            "roles = [\"PI\"]",
            "roles = [\"PI\"]\nhosts = [\"localhost\"]",
        );
        assert!(error.starts_with("`pi-noord`: `hosts`"), "{error}");
        let error = edited(
            "roles = [\"PI\"]",
            "roles = [\"BROKER\"]\nhosts = [\"localhost\"]",
        );
        assert!(
            error.starts_with("2 organisations have the role"),
            "{error}"
        );
    }

    #[test]
    fn names_that_do_not_fit_a_certificate_are_refused() {
        let error = edited("Test-PI Noord", &"x".repeat(65));
        assert_eq!(error, "`pi-noord`: `name` must have 1 to 64 characters");
    }

    #[test]
    fn unknown_fields_are_refused() {
        let error = edited("roles = [\"PI\"]", "role = [\"PI\"]");
        assert_eq!(error, "not a list of organisations");
    }
}
