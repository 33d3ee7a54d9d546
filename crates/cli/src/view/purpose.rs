//! Purposes.

use schakel_api::v1;
use serde::Serialize;

use super::{LegalBasis, Period, all};
use crate::{
    code::{all_spoken, short, shorts, spoken},
    instant,
    output::View,
    page::Page,
};

/// The purposes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Purposes {
    purposes: Vec<PurposeVersion>,
}

/// One version of a purpose.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PurposeVersion {
    code: String,
    version: u32,
    title: String,
    conditions: Vec<String>,
    granularity: String,
    routes: Vec<Route>,
    validity: Option<Period>,
    retention_days: u32,
    notify_person: bool,
    deliver: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    wjsg_51c: Option<Checklist>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn_at: Option<String>,
}

/// From whom to whom, on which bases.
#[derive(Clone, Debug, Serialize)]
struct Route {
    from: Vec<String>,
    to: Vec<String>,
    conditions: Vec<String>,
    origins: Vec<String>,
    provider_basis: Option<LegalBasis>,
    recipient_basis: Option<LegalBasis>,
    regime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    criminal_data_ground: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    art9_ground: Option<String>,
    secrecy_waiver: bool,
}

/// The five steps of Wjsg 51c.
#[derive(Clone, Debug, Serialize)]
struct Checklist {
    no_specific_basis: String,
    public_interest: String,
    purpose: String,
    necessity: String,
    documentation: String,
}

impl From<Vec<v1::PurposeVersion>> for Purposes {
    fn from(purposes: Vec<v1::PurposeVersion>) -> Self {
        Self {
            purposes: all(purposes),
        }
    }
}

impl From<v1::PurposeVersion> for PurposeVersion {
    fn from(version: v1::PurposeVersion) -> Self {
        Self {
            code: version.code,
            version: version.version,
            title: version.title,
            conditions: shorts::<v1::Condition>(&version.conditions),
            granularity: short::<v1::Granularity>(version.granularity),
            routes: all(version.routes),
            validity: version.validity.map(Period::from),
            retention_days: version.retention_days,
            notify_person: version.notify_person,
            deliver: version.deliver,
            wjsg_51c: version.wjsg_51c.map(Checklist::from),
            withdrawn_at: instant::shown_if(version.withdrawn_at.as_ref()),
        }
    }
}

impl From<v1::Route> for Route {
    fn from(route: v1::Route) -> Self {
        Self {
            from: shorts::<v1::Role>(&route.from),
            to: shorts::<v1::Role>(&route.to),
            conditions: shorts::<v1::Condition>(&route.conditions),
            origins: shorts::<v1::Role>(&route.origins),
            provider_basis: route.provider_basis.map(LegalBasis::from),
            recipient_basis: route.recipient_basis.map(LegalBasis::from),
            regime: short::<v1::Regime>(route.regime),
            criminal_data_ground: route.criminal_data_ground,
            art9_ground: route.art9_ground,
            secrecy_waiver: route.secrecy_waiver,
        }
    }
}

impl From<v1::Wjsg51cChecklist> for Checklist {
    fn from(checklist: v1::Wjsg51cChecklist) -> Self {
        let v1::Wjsg51cChecklist {
            no_specific_basis,
            public_interest,
            purpose,
            necessity,
            documentation,
        } = checklist;
        Self {
            no_specific_basis,
            public_interest,
            purpose,
            necessity,
            documentation,
        }
    }
}

impl View for Purposes {
    fn write(&self, page: &mut Page) {
        for version in &self.purposes {
            let withdrawn = if version.withdrawn_at.is_some() {
                " (withdrawn)"
            } else {
                ""
            };
            page.line(&format!(
                "{} version {}{withdrawn}",
                version.code, version.version
            ));
            page.indented(|page| page.line(&version.title));
        }
    }
}

impl View for PurposeVersion {
    fn write(&self, page: &mut Page) {
        page.line(&format!(
            "{} version {}: {}",
            self.code, self.version, self.title
        ));
        page.blank();
        page.indented(|page| {
            page.pair_if("conditions", Some(&all_spoken(&self.conditions)));
            page.pair("at most", &spoken(&self.granularity));
            page.pair_if(
                "in force",
                self.validity.as_ref().map(Period::spoken).as_deref(),
            );
            page.pair_if(
                "withdrawn",
                self.withdrawn_at.as_deref().map(instant::spoken).as_deref(),
            );
            page.pair("retention", &format!("{} days", self.retention_days));
            page.pair("tell person", yes_or_no(self.notify_person));
            page.pair("to inboxes", yes_or_no(self.deliver));
            for (at, route) in self.routes.iter().enumerate() {
                page.blank();
                page.line(&format!("Route {}", at + 1));
                page.indented(|page| route.write(page));
            }
            if let Some(checklist) = &self.wjsg_51c {
                page.blank();
                page.line("Wjsg 51c");
                page.indented(|page| checklist.write(page));
            }
        });
    }
}

impl Route {
    fn write(&self, page: &mut Page) {
        page.pairs("from", &self.from);
        page.pairs("to", &self.to);
        page.pair_if("conditions", Some(&all_spoken(&self.conditions)));
        page.pairs("origins", &self.origins);
        let basis = |basis: &Option<LegalBasis>| basis.as_ref().map(LegalBasis::spoken);
        page.pair_if("provided under", basis(&self.provider_basis).as_deref());
        page.pair_if("received under", basis(&self.recipient_basis).as_deref());
        page.pair("held under", &self.regime);
        page.pair_if("criminal data", self.criminal_data_ground.as_deref());
        page.pair_if("health data", self.art9_ground.as_deref());
        if self.secrecy_waiver {
            page.pair("secrecy", "must have been waived");
        }
    }
}

impl Checklist {
    fn write(&self, page: &mut Page) {
        page.pair("no other basis", &self.no_specific_basis);
        page.pair("interest", &self.public_interest);
        page.pair("purpose", &self.purpose);
        page.pair("necessity", &self.necessity);
        page.pair("documentation", &self.documentation);
    }
}

const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
