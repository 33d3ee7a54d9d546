//! The decision matrix: every decision of the purposes that ship, as a text that a lawyer can read.
//!
//! `SCHAKEL_REWRITE_GOLDEN=1 cargo test -p schakel-core` writes it anew; read what changed before it is
//! committed.

mod situations;

use std::fmt::Write as _;

use schakel_core::{
    code::{Condition, Role, Status},
    consent::ConsentKind,
    decide::{Denial, Permit},
    purpose::PurposeVersion,
};

use self::situations::{
    consent_situations, dossier_circumstances, given, plain, registry_circumstances, reported,
};
use super::scene::{
    CARE, DEBT, EAST, HOUSING, PARTIES, PI, WEST, catalogue, decided, dossier, keep, registry,
    report,
};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/decisions.txt");

#[test]
fn every_decision_of_the_shipped_purposes_is_the_one_that_was_read() {
    let mut text = String::from(HEAD);
    by_purpose(&mut text);
    by_consent(&mut text);
    by_status(&mut text);
    by_circumstance(&mut text);
    if std::env::var_os("SCHAKEL_REWRITE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let first = text
        .lines()
        .zip(golden.lines())
        .position(|(new, old)| new != old);
    let line = first.unwrap_or_else(|| text.lines().count().min(golden.lines().count()));
    assert!(
        text == golden,
        "line {} of tests/golden/decisions.txt differs.\n  decided now: {:?}\n  was read:    {:?}\n\
         If the change is meant, run with SCHAKEL_REWRITE_GOLDEN=1 and read the difference.",
        line + 1,
        text.lines().nth(line),
        golden.lines().nth(line),
    );
}

const HEAD: &str = "\
Who is told what
================

Decided by the purposes in deploy/purposes.toml. This file is made by a test and compared by it.

The person has one case, opened by a PI. Municipality `gemeente-oost` is the municipality of return;
`gemeente-west` has no place in the case; one party of every other role has. Unless a line says otherwise
everyone reported ACTION_NEEDED on every condition, first-hand, and everyone asks for all there is.

`told` is followed by what is told, by whom it was reported, and the route of the purpose by which it goes.
`denied` is followed by the most telling reason, which the caller does not see.
";

/// Every purpose, condition and role, in four situations of consent.
fn by_purpose(text: &mut String) {
    heading(text, "1. Every purpose, condition and role");
    for version in catalogue().purposes {
        writeln!(text, "\n{}: {}", version.code, version.title).unwrap();
        routes(text, &version);
        let mut blocks: Vec<(Vec<&str>, String)> = Vec::new();
        for condition in Condition::ALL {
            if !version.conditions.contains(condition) {
                nobody_is_told(&version, *condition);
                continue;
            }
            let block = every_role(&version, *condition);
            match blocks.iter_mut().find(|(_, same)| *same == block) {
                Some((conditions, _)) => conditions.push(condition.as_str()),
                None => blocks.push((vec![condition.as_str()], block)),
            }
        }
        for (conditions, block) in blocks {
            write!(text, "  {}\n{block}", conditions.join(", ")).unwrap();
        }
        writeln!(
            text,
            "  every other condition\n    everyone: denied CONDITION_NOT_IN_SCOPE"
        )
        .unwrap();
    }
}

fn routes(text: &mut String, version: &PurposeVersion) {
    let names = |roles: &std::collections::BTreeSet<Role>| {
        roles
            .iter()
            .map(|role| role.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (number, route) in (1..).zip(&version.routes) {
        writeln!(
            text,
            "  route {number}: {} to {}",
            names(&route.from),
            names(&route.to)
        )
        .unwrap();
        writeln!(text, "    stemming from {}", names(&route.origins)).unwrap();
        let (provided, received) = (&route.provider_basis, &route.recipient_basis);
        writeln!(
            text,
            "    provided on {} ({})",
            provided.basis, provided.law_ref
        )
        .unwrap();
        writeln!(
            text,
            "    received on {} ({})",
            received.basis, received.law_ref
        )
        .unwrap();
        let grounds = [
            route
                .criminal_data_ground
                .map(|ground| format!("ground for data that reveal detention: {ground}")),
            route
                .art9_ground
                .map(|ground| format!("ground for data on health: {ground}")),
            route
                .secrecy_waiver
                .then(|| "the provider's secrecy must be waived".to_owned()),
        ];
        for ground in grounds.into_iter().flatten() {
            writeln!(text, "    {ground}").unwrap();
        }
    }
}

fn every_role(version: &PurposeVersion, condition: Condition) -> String {
    let waiver = given(ConsentKind::SecrecyWaiver);
    let explicit = given(ConsentKind::ProcessingBasis);
    let situations = [
        ("no consent", Vec::new()),
        ("consent", vec![plain()]),
        ("explicit consent", vec![explicit.clone()]),
        (
            "explicit consent and waiver of secrecy",
            vec![explicit, waiver],
        ),
    ];
    let mut told = String::new();
    let mut alike: Vec<(Vec<&str>, String)> = Vec::new();
    for (who, role) in PARTIES.into_iter().filter(|(who, _)| *who != WEST) {
        let mut outcomes: Vec<(Vec<&str>, String)> = Vec::new();
        for (situation, consents) in &situations {
            let dossier = reported(condition, consents);
            let decision = decided(who, version.code.as_str(), condition, &dossier, &registry());
            add(&mut outcomes, situation, outcome(&decision));
        }
        if let [(_, outcome)] = outcomes.as_slice() {
            add(&mut alike, role.as_str(), outcome.clone());
            continue;
        }
        for (situations, outcome) in outcomes {
            writeln!(
                told,
                "    {role} with {}: {outcome}",
                situations.join(", or ")
            )
            .unwrap();
        }
    }
    for (roles, outcome) in alike {
        writeln!(
            told,
            "    {}, whatever the consent: {outcome}",
            roles.join(", ")
        )
        .unwrap();
    }
    told
}

/// Adds to the group with the same outcome, or begins one.
fn add<'n>(groups: &mut Vec<(Vec<&'n str>, String)>, name: &'n str, outcome: String) {
    match groups.iter_mut().find(|(_, same)| *same == outcome) {
        Some((names, _)) => names.push(name),
        None => groups.push((vec![name], outcome)),
    }
}

fn nobody_is_told(version: &PurposeVersion, condition: Condition) {
    let dossier = reported(condition, &[given(ConsentKind::ProcessingBasis)]);
    for (who, _) in PARTIES {
        let decision = decided(who, version.code.as_str(), condition, &dossier, &registry());
        assert_eq!(
            outcome(&decision),
            "denied CONDITION_NOT_IN_SCOPE",
            "{who} {}",
            version.code
        );
    }
}

/// Every situation of consent, for one purpose of each kind.
fn by_consent(text: &mut String) {
    heading(text, "2. Every situation of consent");
    let cases = [
        (HOUSING, "P-ARRANGE-HOUSING", Condition::Housing),
        (CARE, "P-ARRANGE-CARE", Condition::Care),
        (EAST, "P-ARRANGE-CARE", Condition::Care),
        (EAST, "P-PLAN", Condition::Housing),
    ];
    for (who, code, condition) in cases {
        writeln!(text, "\n{who} asks for {code}, {condition}").unwrap();
        for (situation, consents) in consent_situations() {
            let dossier = reported(condition, &consents);
            let decision = decided(who, code, condition, &dossier, &registry());
            writeln!(text, "  {situation}: {}", outcome(&decision)).unwrap();
        }
    }
}

/// Every status, at every granularity, for each kind of asker.
fn by_status(text: &mut String) {
    heading(text, "3. Every status");
    let cases = [
        (EAST, "P-PLAN"),
        (HOUSING, "P-ARRANGE-HOUSING"),
        (DEBT, "P-ARRANGE-DEBT"),
    ];
    for (who, code) in cases {
        let condition = if who == DEBT {
            Condition::Debt
        } else {
            Condition::Housing
        };
        writeln!(
            text,
            "\n{who} asks for {code}, {condition}; the PI alone reported; consent given; \
             help was declined from `{HOUSING}`"
        )
        .unwrap();
        for status in Status::ALL {
            let mut dossier = dossier();
            report(&mut dossier, PI, condition, *status);
            keep(&mut dossier, given(ConsentKind::ProcessingBasis));
            let decision = decided(who, code, condition, &dossier, &registry());
            writeln!(text, "  {status}: {}", outcome(&decision)).unwrap();
        }
    }
}

/// What else may stand in the way.
fn by_circumstance(text: &mut String) {
    heading(text, "4. What else may stand in the way");
    for (who, code) in [(EAST, "P-PLAN"), (HOUSING, "P-ARRANGE-HOUSING")] {
        writeln!(
            text,
            "\n{who} asks for {code}, HOUSING; the PI alone reported; consent given"
        )
        .unwrap();
        for (circumstance, alter) in dossier_circumstances() {
            let mut dossier = dossier();
            report(&mut dossier, PI, Condition::Housing, Status::ActionNeeded);
            keep(&mut dossier, given(ConsentKind::ProcessingBasis));
            alter(&mut dossier);
            let decision = decided(who, code, Condition::Housing, &dossier, &registry());
            writeln!(text, "  {circumstance}: {}", outcome(&decision)).unwrap();
        }
        for (circumstance, registry) in registry_circumstances(code) {
            let dossier = {
                let mut dossier = dossier();
                report(&mut dossier, PI, Condition::Housing, Status::ActionNeeded);
                keep(&mut dossier, given(ConsentKind::ProcessingBasis));
                dossier
            };
            let decision = decided(who, code, Condition::Housing, &dossier, &registry);
            writeln!(text, "  {circumstance}: {}", outcome(&decision)).unwrap();
        }
    }
    writeln!(text, "\n{WEST} has no place in the case").unwrap();
    let dossier = reported(Condition::Housing, &[given(ConsentKind::ProcessingBasis)]);
    let decision = decided(WEST, "P-PLAN", Condition::Housing, &dossier, &registry());
    writeln!(text, "  P-PLAN, HOUSING: {}", outcome(&decision)).unwrap();
}

fn outcome(decision: &Result<Permit, Denial>) -> String {
    match decision {
        Err(denial) => format!("denied {}", denial.reason()),
        Ok(permit) => {
            let grants = permit.grants().iter().map(|grant| {
                let route = grant.route + 1;
                format!(
                    "{} by {} (route {route})",
                    grant.granularity, grant.provider
                )
            });
            format!("told {}", grants.collect::<Vec<_>>().join(", "))
        }
    }
}

fn heading(text: &mut String, title: &str) {
    let line = "-".repeat(title.len());
    writeln!(text, "\n\n{title}\n{line}").unwrap();
}
