//! The purposes as they ship.

use schakel_core::{
    code::{Basis, Condition, Granularity, Role},
    purpose::{PurposeVersion, REFUSED_BY_DESIGN},
};

use super::scene::{Altered, catalogue};

#[test]
fn every_purpose_that_ships_can_be_registered() {
    catalogue().check().unwrap();
}

#[test]
fn a_catalogue_reads_back_what_it_wrote() {
    let shipped = catalogue();
    let text = toml::to_string(&shipped).unwrap();
    assert_eq!(
        toml::from_str::<schakel_core::catalogue::Catalogue>(&text).unwrap(),
        shipped
    );
}

#[test]
fn an_unknown_key_in_a_catalogue_is_refused() {
    let text = "[[purpose]]\nsurprise = true\n";
    let read = toml::from_str::<schakel_core::catalogue::Catalogue>(text);
    assert!(read.unwrap_err().to_string().contains("surprise"));
}

#[test]
fn purposes_refused_by_design_are_refused_whoever_registers_them() {
    for code in REFUSED_BY_DESIGN {
        let mut version = shipped("P-PLAN");
        version.code = code.parse().unwrap();
        assert_eq!(version.check().unwrap_err().0, "code", "{code}");
    }
}

#[test]
fn care_is_never_provided_to_a_pi_by_a_shipped_purpose() {
    for version in catalogue().purposes {
        let routes = version.routes_between(Role::ALL, &[Role::Pi], Condition::Care);
        assert_eq!(routes.count(), 0, "{}", version.code);
    }
}

#[test]
fn without_a_consent_nothing_goes_outside_pi_municipality_and_probation() {
    for version in catalogue().purposes {
        for route in &version.routes {
            let inside = route
                .from
                .iter()
                .chain(&route.to)
                .all(|role| role.knows_of_detention());
            assert!(inside || route.needs_consent(), "{}", version.code);
        }
    }
}

#[test]
fn the_plan_rests_on_the_law_alone() {
    for route in shipped("P-PLAN").routes {
        assert_eq!(route.provider_basis.basis, Basis::Pbw18a);
        assert_eq!(route.recipient_basis.basis, Basis::Pbw18a);
    }
    assert!(shipped("P-PLAN").deliver);
}

#[test]
fn a_housing_association_is_told_a_signal_at_most() {
    assert_eq!(
        shipped("P-ARRANGE-HOUSING").granularity,
        Granularity::Signal
    );
}

#[test]
fn a_version_that_breaks_a_rule_is_refused_by_its_field() {
    let breaks: [Altered<PurposeVersion>; 12] = [
        ("validity", |version| {
            version.validity.until = Some(version.validity.from);
        }),
        ("routes", |version| {
            version.routes[0].to.insert(Role::Auditor);
        }),
        ("routes", |version| {
            version.routes[0].from.insert(Role::Broker);
        }),
        ("version", |version| version.version = 0),
        ("title", |version| version.title.clear()),
        ("retention_days", |version| version.retention_days = 0),
        ("wjsg_51c", |version| version.wjsg_51c = None),
        ("wjsg_51c", |version| {
            version.wjsg_51c.as_mut().unwrap().necessity = "x".repeat(201);
        }),
        ("routes", |version| {
            version.routes = vec![version.routes[0].clone(); 9];
        }),
        ("routes", |version| version.routes[0].origins.clear()),
        ("routes.law_ref", |version| {
            version.routes[0].provider_basis.law_ref.clear();
        }),
        ("routes.conditions", |version| {
            version.routes[0].conditions = [Condition::Housing].into();
        }),
    ];
    for (field, alter) in breaks {
        let mut version = shipped("P-ARRANGE-CARE");
        version.check().unwrap();
        alter(&mut version);
        assert_eq!(version.check().unwrap_err().0, field);
    }
}

#[test]
fn care_on_consent_to_a_pi_cannot_be_registered() {
    let mut version = shipped("P-ARRANGE-CARE");
    version.routes[0].to = [Role::Pi].into();
    assert_eq!(version.check().unwrap_err().0, "routes.to");

    // Nor when only the ground for data on health is a consent.
    let statutory = shipped("P-PLAN").routes[0].provider_basis.clone();
    version.routes[0].provider_basis = statutory.clone();
    version.routes[0].recipient_basis = statutory;
    version.wjsg_51c = None;
    assert!(!version.routes[0].needs_consent());
    assert_eq!(version.check().unwrap_err().0, "routes.to");
}

#[test]
fn what_outsiders_are_told_cannot_be_registered_to_tell_of_detention() {
    let mut version = shipped("P-ARRANGE-HOUSING");
    version.routes[0].recipient_basis = version.routes[0].provider_basis.clone();
    assert_eq!(version.check().unwrap_err().0, "routes.recipient_basis");

    let mut version = shipped("P-ARRANGE-HOUSING");
    version.routes[1].regime = schakel_core::code::Regime::Wjsg;
    assert_eq!(version.check().unwrap_err().0, "routes.recipient_basis");
}

#[test]
fn a_version_too_large_to_keep_is_refused() {
    let mut version = shipped("P-ARRANGE-CARE");
    let partners = Role::ALL.iter().copied().filter(|role| role.is_partner());
    let roles: std::collections::BTreeSet<Role> = partners.collect();
    for route in &mut version.routes {
        route.from = roles.clone();
        route.origins = roles.clone();
        route.provider_basis.law_ref = "§".repeat(100);
        route.recipient_basis.law_ref = "§".repeat(100);
    }
    version.check().unwrap();
    version.routes.extend(version.routes.clone());
    assert_eq!(version.check().unwrap_err().0, "routes");
}

fn shipped(code: &str) -> PurposeVersion {
    let mut purposes = catalogue().purposes.into_iter();
    purposes
        .find(|version| version.code.as_str() == code)
        .unwrap()
}
