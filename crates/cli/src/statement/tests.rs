//! The statement to the letter: `crates/cli/tests/golden/statement.*`. When one changes on purpose,
//! `SCHAKEL_OVERWRITE=1` writes it.

use std::{env, fs, path::Path};

use super::*;

fn named(id: &str, name: &str) -> v1::NamedParty {
    v1::NamedParty {
        party_id: id.into(),
        name: name.into(),
        contact: Some(v1::Contact {
            team: "Team nazorg".into(),
            email: format!("team@{id}.example"),
            telephone: "0800 0000".into(),
        }),
    }
}

fn at(hours: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: 1_795_442_400 + hours * 3600,
        nanos: 0,
    }
}

fn line(hours: i64, kind: v1::StatementKind, party: v1::NamedParty) -> v1::StatementLine {
    v1::StatementLine {
        index: u64::try_from(hours).unwrap() + 40,
        at: Some(at(hours)),
        kind: kind.into(),
        party: Some(party),
        ..v1::StatementLine::default()
    }
}

fn law(basis: &str, law_ref: &str) -> v1::LegalBasis {
    v1::LegalBasis {
        basis: basis.into(),
        law_ref: law_ref.into(),
    }
}

fn lines() -> Vec<v1::StatementLine> {
    use v1::StatementKind as Kind;
    let (pi, town) = (
        named("pi-noord", "PI Noord"),
        named("gemeente-oost", "Gemeente Oost"),
    );
    let (home, officer) = (
        named("wonen-zuid", "Wonen Zuid & <Zn>"),
        named("fg-oost", "Functionaris gegevensbescherming Oost"),
    );
    vec![
        line(0, Kind::CaseOpened, pi.clone()),
        line(0, Kind::Case, pi.clone()),
        v1::StatementLine {
            conditions: vec![v1::Condition::Housing.into()],
            ..line(1, Kind::Supplied, pi.clone())
        },
        v1::StatementLine {
            providers: vec![pi.clone()],
            conditions: vec![v1::Condition::Housing.into(), v1::Condition::Debt.into()],
            purpose: Some("P-PLAN".into()),
            purpose_title: Some("Align the plan".into()),
            granularity: Some(v1::Granularity::StatusWithDates.into()),
            bases: vec![law("PBW_18A", "Penitentiaire beginselenwet art. 18a")],
            ..line(2, Kind::Received, town.clone())
        },
        v1::StatementLine {
            conditions: vec![v1::Condition::Housing.into()],
            purpose: Some("P-ARRANGE-HOUSING".into()),
            ..line(3, Kind::Asked, home.clone())
        },
        v1::StatementLine {
            providers: vec![pi, town.clone()],
            conditions: vec![v1::Condition::Housing.into()],
            purpose: Some("P-ARRANGE-HOUSING".into()),
            granularity: Some(v1::Granularity::Signal.into()),
            bases: vec![law("CONSENT_AVG_6_1_A", "AVG art. 6(1)(a)")],
            ..line(5, Kind::Received, home.clone())
        },
        looked(6, 46, Kind::Looked, &officer),
        looked(7, 47, Kind::Looked, &officer),
        looked(7, 48, Kind::Looked, &officer),
        looked(8, 50, Kind::Looked, &officer),
        looked(8, 51, Kind::Exported, &officer),
        // The next day in the Netherlands, and not yet in UTC.
        looked(9, 52, Kind::Looked, &officer),
        v1::StatementLine {
            conditions: vec![v1::Condition::Housing.into()],
            ..line(7, Kind::Consent, town.clone())
        },
        v1::StatementLine {
            conditions: vec![v1::Condition::Housing.into()],
            partner: Some(home.clone()),
            ..line(7, Kind::Introduced, town.clone())
        },
        line(8, Kind::Redeemed, home),
        line(8, Kind::ConsentEnded, town.clone()),
        line(8, Kind::CaseClosed, town),
    ]
}

fn looked(
    hours: i64,
    index: u64,
    kind: v1::StatementKind,
    party: &v1::NamedParty,
) -> v1::StatementLine {
    v1::StatementLine {
        index,
        purpose: Some("P-ACCOUNTABILITY".into()),
        ..line(hours, kind, party.clone())
    }
}

fn response() -> v1::GetStatementResponse {
    let town = named("gemeente-oost", "Gemeente Oost");
    let home = named("wonen-zuid", "Wonen Zuid & <Zn>");
    let consent = v1::StatementConsent {
        consent_id: "00000000-0000-0000-0000-000000000001".into(),
        state: v1::ConsentState::Given.into(),
        kind: v1::ConsentKind::ProcessingBasis.into(),
        conditions: vec![v1::Condition::Housing.into()],
        purposes: vec!["P-ARRANGE-HOUSING".into()],
        purpose_titles: vec!["Arrange a place to stay".into()],
        providers: vec![town.clone()],
        recipients: vec![home.clone()],
        valid_from: Some(at(4)),
        valid_until: Some(at(24 * 60)),
        collected_by: Some(town.clone()),
        narrowed: true,
        ended: vec![v1::StatementConsentEnd {
            conditions: vec![v1::Condition::Housing.into()],
            recipient: Some(home.clone()),
            ..ended(7, &town)
        }],
    };
    let refused = v1::StatementConsent {
        state: v1::ConsentState::Refused.into(),
        narrowed: false,
        ended: Vec::new(),
        ..consent.clone()
    };
    let withdrawn = v1::StatementConsent {
        state: v1::ConsentState::Withdrawn.into(),
        ended: vec![ended(8, &town)],
        purposes: vec!["P-OF-OUR-OWN".into()],
        purpose_titles: vec!["As it is registered".into()],
        ..consent.clone()
    };
    let notice = v1::StatementNotice {
        recipient: Some(home),
        kind: v1::NoticeKind::Withdrawal.into(),
        conditions: vec![v1::Condition::Housing.into()],
        issued_at: Some(at(8)),
        acknowledged_at: None,
    };
    v1::GetStatementResponse {
        controller: Some(town),
        at: Some(at(9)),
        lines: lines(),
        consents: vec![consent, withdrawn, refused],
        notices: vec![
            notice.clone(),
            v1::StatementNotice {
                kind: v1::NoticeKind::Correction.into(),
                acknowledged_at: Some(at(9)),
                ..notice
            },
        ],
        withheld: 2,
        erased: 3,
        erased_by: vec![erased("RECORD_OVER", 1), erased("RETENTION_OVER", 2)],
        left_out: 4,
        receipt: None,
    }
}

fn ended(hours: i64, party: &v1::NamedParty) -> v1::StatementConsentEnd {
    v1::StatementConsentEnd {
        state: v1::ConsentState::Withdrawn.into(),
        at: Some(at(hours)),
        party: Some(party.clone()),
        ..v1::StatementConsentEnd::default()
    }
}

fn erased(code: &str, lines: u32) -> v1::StatementErased {
    v1::StatementErased {
        code: code.into(),
        law_ref: "AVG 5(1)(e)".into(),
        lines,
    }
}

fn is_as_written_down(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if env::var_os("SCHAKEL_OVERWRITE").is_some() {
        fs::write(&path, text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(text, written, "{name}");
}

fn text(statement: &Statement) -> String {
    let mut page = Page::default();
    statement.write(&mut page);
    page.as_str().to_owned()
}

#[test]
fn statements_are_as_written_down_in_both_languages() {
    for (language, tag) in [(Language::Nl, "nl"), (Language::En, "en")] {
        let statement = Statement::new(&response(), language);
        is_as_written_down(&format!("statement.{tag}.txt"), &text(&statement));
        is_as_written_down(&format!("statement.{tag}.html"), &statement.html());
    }
}

#[test]
fn the_sentence_about_withholding_stands_on_every_statement_and_a_number_only_when_there_is_one() {
    for language in [Language::Nl, Language::En] {
        let empty = v1::GetStatementResponse {
            controller: response().controller,
            at: Some(at(9)),
            ..v1::GetStatementResponse::default()
        };
        let sentence = language.of(
            "Deze zin staat op elk overzicht",
            "This sentence is on every",
        );
        let number = language.of("Aantal regels", "Number of lines");
        let (none, some) = (
            text(&Statement::new(&empty, language)),
            text(&Statement::new(&response(), language)),
        );
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&none).contains(sentence) && flat(&some).contains(sentence));
        assert!(!none.contains(number), "{none}");
        // What is withheld, and what went by each of two rules.
        assert_eq!(some.matches(number).count(), 3);
    }
}

/// A controller that reported nothing itself has no entry of who did; who received it has.
#[test]
fn nobody_is_said_to_have_passed_on_what_somebody_received() {
    let mut told = response();
    told.lines
        .retain(|line| line.kind() != v1::StatementKind::Supplied);
    let received = text(&Statement::new(&told, Language::Nl));
    for line in &mut told.lines {
        line.providers.clear();
    }
    let hidden =
        [Language::Nl, Language::En].map(|language| text(&Statement::new(&told, language)));
    told.lines
        .retain(|line| line.kind() != v1::StatementKind::Received);
    let nothing = text(&Statement::new(&told, Language::Nl));
    // Where the broker names no provider, because the controller may not know of detention.
    let [nl, en] = hidden.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let name = &told.controller.as_ref().unwrap().name;
    let told_so = [
        format!(
            "--- Dat staat in de volgende tabel. Van wie iets kwam, staat er niet altijd bij: {name} krijgt dat niet altijd te horen. Wie"
        ),
        format!(
            "--- That is in the next table. It does not always say from whom something came: {name} is not always told. Who"
        ),
    ];
    assert!(nl.contains(&told_so[0]), "{nl}");
    assert!(en.contains(&told_so[1]), "{en}");
    let under = |text: &str| {
        text.split("doorgegeven?")
            .nth(1)
            .unwrap()
            .lines()
            .nth(3)
            .map(str::to_owned)
    };
    assert_eq!(
        under(&received).unwrap(),
        "Dat staat in de volgende tabel, onder \u{201c}Van wie\u{201d}."
    );
    assert_eq!(under(&nothing).unwrap(), "Niemand.");
}

#[test]
fn what_is_registered_cannot_become_part_of_the_page() {
    let html = Statement::new(&response(), Language::Nl).html();
    assert!(html.contains("Wonen Zuid &amp; &lt;Zn&gt;") && !html.contains("<Zn>"));
    for from_elsewhere in [
        "http:", "https:", "src=", "href=", "url(", "@import", "<script",
    ] {
        assert!(!html.contains(from_elsewhere), "{from_elsewhere}");
    }
    assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"nl\">"));
    assert_eq!(
        html.matches("<th scope=\"col\">").count(),
        html.matches("<th").count() - html.matches("<thead").count()
    );
}

/// What stands in a table of its own.
const TABLES: [v1::StatementKind; 5] = [
    v1::StatementKind::Supplied,
    v1::StatementKind::Received,
    v1::StatementKind::Asked,
    v1::StatementKind::Looked,
    v1::StatementKind::Exported,
];

#[test]
fn every_code_has_words_in_both_languages() {
    use crate::code::Code;
    for language in [Language::Nl, Language::En] {
        for code in <v1::Condition as Code>::ALL {
            let words = language.conditions(&[code.short().to_owned()]);
            assert!(
                !words.is_empty() && words != code.short(),
                "{}",
                code.short()
            );
        }
        let granularities = <v1::Granularity as Code>::ALL.iter();
        assert!(
            granularities
                .map(|code| code.short().to_owned())
                .all(|code| { !language.granularity(Some(&code)).is_empty() })
        );
        assert!(
            <v1::ConsentState as Code>::ALL
                .iter()
                .all(|code| !language.state(code.short()).is_empty())
        );
        assert!(
            <v1::NoticeKind as Code>::ALL
                .iter()
                .all(|code| !language.notice(code.short()).is_empty())
        );
        let told: Vec<_> = <v1::StatementKind as Code>::ALL
            .iter()
            .filter(|kind| !TABLES.contains(kind))
            .map(|kind| {
                let party = named("gemeente-oost", "Gemeente Oost");
                let partner = (*kind == v1::StatementKind::Introduced).then(|| party.clone());
                let line = line(0, *kind, party);
                language.recorded(&Line::of(&v1::StatementLine { partner, ..line }))
            })
            .collect();
        let different: std::collections::BTreeSet<_> = told.iter().collect();
        assert_eq!(different.len(), told.len(), "{told:?}");
        let kinds = <v1::ConsentKind as Code>::ALL.iter();
        assert!(
            kinds
                .map(|kind| kind.short())
                .all(|kind| !language.consent_kind(kind).is_empty())
        );
    }
}
