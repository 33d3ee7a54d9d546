//! Purposes: what data may be exchanged for, by whom, on which bases, and up to which detail.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    code::{Art9Ground, Basis, Condition, CriminalDataGround, Granularity, Regime, Role},
    id::PurposeCode,
    invalid::Invalid,
    time::Period,
};

/// One version of a purpose. Versions are never changed: a new one is registered, old ones stay for replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeVersion {
    /// The purpose.
    pub code: PurposeCode,
    /// Its version, from 1.
    pub version: u32,
    /// What it is for, in one line of 1 to 200 characters.
    pub title: String,
    /// The conditions it is about: its ceiling.
    pub conditions: BTreeSet<Condition>,
    /// The most that may be told: its ceiling.
    pub granularity: Granularity,
    /// The ways data may go under it. What no route admits is denied.
    pub routes: Vec<Route>,
    /// When it is in force.
    pub validity: Period,
    /// How many days the recipient must and may keep what it received, 1 to 3650.
    pub retention_days: u16,
    /// Whether the person must be told of the exchange.
    #[serde(default)]
    pub notify_person: bool,
    /// Whether a changed status is put in the inbox of those who may receive it under this purpose.
    #[serde(default)]
    pub deliver: bool,
    /// The five steps of Wjsg 51c, required when a route rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wjsg_51c: Option<Wjsg51cChecklist>,
}

/// From whom to whom, on which pair of bases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The roles that may provide.
    pub from: BTreeSet<Role>,
    /// The roles that may receive.
    pub to: BTreeSet<Role>,
    /// The conditions this route admits; empty means all of the purpose.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub conditions: BTreeSet<Condition>,
    /// The roles from which the data may originally stem.
    pub origins: BTreeSet<Role>,
    /// The basis for providing.
    pub provider_basis: LegalBasis,
    /// The basis for receiving.
    pub recipient_basis: LegalBasis,
    /// The regime under which the recipient holds what it receives.
    pub regime: Regime,
    /// The ground for data that reveal detention. Without it they are denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criminal_data_ground: Option<CriminalDataGround>,
    /// The ground for data on care. Without it they are denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art9_ground: Option<Art9Ground>,
    /// Whether the provider is bound by medical secrecy, so that the person must have waived it as well.
    #[serde(default)]
    pub secrecy_waiver: bool,
}

/// A basis with its place in the law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    /// The basis.
    pub basis: Basis,
    /// The place in the law, as the party that registered the purpose reviewed it; 1 to 100 characters.
    pub law_ref: String,
}

/// The steps of Wjsg 51c that must be taken, and shown, before data go out on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wjsg51cChecklist {
    /// Why no more specific basis applies.
    pub no_specific_basis: String,
    /// The weighty public interest.
    pub public_interest: String,
    /// Which of the five purposes of 51c(2).
    pub purpose: String,
    /// Why it is necessary and proportional, and no more than needed.
    pub necessity: String,
    /// What is documented (kept at least four years, 51c(4)).
    pub documentation: String,
}

/// Purposes for which nothing may ever be exchanged here: public order, risk, investigation, enforcement.
/// They belong to other systems with other safeguards.
pub const REFUSED_BY_DESIGN: [&str; 4] = [
    "P-PUBLIC-ORDER",
    "P-RISK",
    "P-INVESTIGATION",
    "P-ENFORCEMENT",
];
/// The most routes of a version.
pub const MOST_ROUTES: usize = 8;
/// The most bytes of a version as it is kept: this broker's own bound.
const MOST_BYTES: usize = 3700;

impl PurposeVersion {
    /// Checks what holds for a version by itself.
    ///
    /// # Errors
    /// The first rule that is broken, with the field it is about.
    pub fn check(&self) -> Result<(), (&'static str, Invalid)> {
        if REFUSED_BY_DESIGN.contains(&self.code.as_str()) {
            let rule = "must not be a purpose that is refused by design: \
                        public order, risk, investigation or enforcement";
            return Err(("code", Invalid::new(rule)));
        }
        if self.version == 0 {
            return Err(("version", Invalid::new("must be 1 or more")));
        }
        if !(1..=200).contains(&self.title.chars().count()) {
            return Err(("title", Invalid::new("must have 1 to 200 characters")));
        }
        let validity = &self.validity;
        if validity.until.is_some_and(|until| until <= validity.from) {
            return Err(("validity", Invalid::new("must end after it begins")));
        }
        if !(1..=3650).contains(&self.retention_days) {
            return Err(("retention_days", Invalid::new("must be 1 to 3650 days")));
        }
        if self.routes.len() > MOST_ROUTES {
            return Err(("routes", Invalid::new("must be at most 8 routes")));
        }
        if self.bytes() > MOST_BYTES {
            let rule = "must be shorter in all: split the purpose, or shorten its texts";
            return Err(("routes", Invalid::new(rule)));
        }
        let on_51c = self
            .routes
            .iter()
            .any(|route| route.provider_basis.basis.is_wjsg_51c());
        if on_51c != self.wjsg_51c.is_some() {
            let rule = "must be given when a route rests on Wjsg 51c, and only then";
            return Err(("wjsg_51c", Invalid::new(rule)));
        }
        if let Some(checklist) = &self.wjsg_51c {
            checklist.check()?;
        }
        self.routes.iter().try_for_each(|route| route.check(self))
    }

    /// Whether any route leads to one of these roles.
    #[must_use]
    pub fn leads_to(&self, roles: &[Role]) -> bool {
        let mut routes = self.routes.iter();
        routes.any(|route| roles.iter().any(|role| route.to.contains(role)))
    }

    /// The routes that may carry this condition between these roles, whatever the origin, each with its
    /// number from 0.
    pub fn routes_between<'a>(
        &'a self,
        from: &'a [Role],
        to: &'a [Role],
        condition: Condition,
    ) -> impl Iterator<Item = (u8, &'a Route)> {
        (0..).zip(&self.routes).filter(move |(_, route)| {
            self.conditions.contains(&condition)
                && route.admits(condition)
                && from.iter().any(|role| route.from.contains(role))
                && to.iter().any(|role| route.to.contains(role))
        })
    }

    /// An upper bound of the bytes in which the version is kept.
    fn bytes(&self) -> usize {
        let steps = self.wjsg_51c.iter().flat_map(Wjsg51cChecklist::steps);
        let routes = self.routes.iter().map(Route::bytes);
        steps
            .map(|(_, text)| text.len())
            .chain(routes)
            .fold(340 + self.title.len(), usize::saturating_add)
    }
}

impl Route {
    /// Whether the route is open for this condition.
    #[must_use]
    pub fn admits(&self, condition: Condition) -> bool {
        self.conditions.is_empty() || self.conditions.contains(&condition)
    }

    /// Whether one of the two bases is a consent of the person.
    #[must_use]
    pub const fn needs_consent(&self) -> bool {
        self.provider_basis.basis.is_consent() || self.recipient_basis.basis.is_consent()
    }

    /// Whether the consent, where one is needed, must be an explicit one.
    #[must_use]
    pub fn needs_explicit_consent(&self, condition: Condition, reveals_detention: bool) -> bool {
        self.provider_basis.basis == Basis::ExplicitConsent
            || self.recipient_basis.basis == Basis::ExplicitConsent
            || (condition == Condition::Care && self.art9_ground == Some(Art9Ground::Avg9_2a))
            || (reveals_detention && self.criminal_data_ground == Some(CriminalDataGround::Uavg32a))
    }

    fn check(&self, purpose: &PurposeVersion) -> Result<(), (&'static str, Invalid)> {
        if self.from.is_empty() || self.to.is_empty() || self.origins.is_empty() {
            return Err(("routes", Invalid::new("must name from, to and origins")));
        }
        let mut roles = self.from.iter().chain(&self.to).chain(&self.origins);
        if !roles.all(|role| role.is_partner()) {
            let rule = "must name partners: not an officer, auditor, administrator or broker";
            return Err(("routes", Invalid::new(rule)));
        }
        if !self.conditions.is_subset(&purpose.conditions) {
            return Err((
                "routes.conditions",
                Invalid::new("must lie within the purpose's conditions"),
            ));
        }
        let to_outsiders = self.to.iter().any(|role| !role.knows_of_detention());
        let telling = self.recipient_basis.basis.tells_of_detention();
        if to_outsiders && (telling || self.regime == Regime::Wjsg) {
            let rule = "must let others than PI, municipality and probation receive under the AVG \
                        and on a basis that does not tell of detention";
            return Err(("routes.recipient_basis", Invalid::new(rule)));
        }
        let law = [&self.provider_basis.law_ref, &self.recipient_basis.law_ref];
        if law
            .iter()
            .any(|text| !(1..=100).contains(&text.chars().count()))
        {
            return Err((
                "routes.law_ref",
                Invalid::new("must have 1 to 100 characters"),
            ));
        }
        let care = purpose.conditions.contains(&Condition::Care) && self.admits(Condition::Care);
        let on_consent =
            self.needs_consent() || self.needs_explicit_consent(Condition::Care, false);
        if care && on_consent && self.to.contains(&Role::Pi) {
            let rule = "must not let care go to a PI on consent (Raad van State W16.20.0450/II)";
            return Err(("routes.to", Invalid::new(rule)));
        }
        Ok(())
    }

    /// An upper bound of the bytes in which the route is kept.
    fn bytes(&self) -> usize {
        let roles = [&self.from, &self.to, &self.origins];
        let roles = roles.into_iter().flatten().map(|role| role.as_str().len());
        let conditions = self.conditions.iter().map(|code| code.as_str().len());
        let law = [&self.provider_basis.law_ref, &self.recipient_basis.law_ref];
        let law = law.into_iter().map(String::len);
        // Every text has a head of at most two bytes.
        let texts = roles.chain(conditions).chain(law).map(|length| length + 2);
        texts.fold(230, usize::saturating_add)
    }
}

impl Wjsg51cChecklist {
    /// The five steps in order, each with what it asks.
    #[must_use]
    pub fn steps(&self) -> [(&'static str, &str); 5] {
        [
            ("no more specific basis", &self.no_specific_basis),
            ("weighty public interest", &self.public_interest),
            ("purpose of 51c(2)", &self.purpose),
            ("necessary and proportional", &self.necessity),
            ("documentation", &self.documentation),
        ]
    }

    fn check(&self) -> Result<(), (&'static str, Invalid)> {
        let fits = |text: &str| (1..=200).contains(&text.chars().count());
        if self.steps().iter().all(|(_, text)| fits(text)) {
            return Ok(());
        }
        let rule = "must answer all five steps, each in 1 to 200 characters";
        Err(("wjsg_51c", Invalid::new(rule)))
    }
}

impl std::fmt::Display for Wjsg51cChecklist {
    /// The five steps, numbered, on one line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, (step, answer)) in (1..).zip(self.steps()) {
            let space = if number == 1 { "" } else { " " };
            write!(f, "{space}({number}) {step}: {answer};")?;
        }
        Ok(())
    }
}
