//! What the person consented to, and how to stop it.

use super::{Block, names};
use crate::statement::{Consent, ConsentEnd, Language, Told, day};

pub(super) fn section(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(
        language
            .of(
                "Waarvoor hebt u toestemming gegeven?",
                "What have you consented to?",
            )
            .to_owned(),
    ));
    if told.consents.is_empty() {
        let nothing = language.of("Er is geen toestemming.", "There is no consent.");
        blocks.push(Block::Paragraph(nothing.to_owned()));
    }
    let pairs = |consent| Block::Pairs(consent_pairs(consent, language));
    blocks.extend(told.consents.iter().map(pairs));
    blocks.push(Block::Paragraph(
        language
            .of(
                "U mag een toestemming altijd stoppen. U hoeft niet te zeggen waarom. Zeg het tegen een van de \
                 organisaties op dit overzicht, of vraag het uw casemanager. Vanaf dat moment krijgt niemand meer \
                 iets op grond van die toestemming. Wie eerder iets kreeg, hoort dat u bent gestopt.",
                "You may stop a consent at any time. You need not say why. Tell one of the organisations on this \
                 statement, or ask your case manager. From that moment nobody receives anything on that consent \
                 any more. Whoever received something before is told that you stopped.",
            )
            .to_owned(),
    ));
}

fn consent_pairs(consent: &Consent, language: Language) -> Vec<(String, String)> {
    let stands = matches!(consent.state.as_str(), "GIVEN" | "RENEWED");
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let mut pairs = vec![
        pair(
            language.of("Toestemming", "Consent"),
            state(consent, stands, language),
        ),
        pair(
            language.of("Om te", "To allow"),
            language.consent_kind(&consent.kind).to_owned(),
        ),
        pair(
            language.of("Waarover", "About what"),
            language.conditions(&consent.conditions),
        ),
        pair(
            language.of("Waarvoor", "What for"),
            language.purposes(consent),
        ),
        pair(language.of("Van", "From"), names(&consent.providers)),
        pair(language.of("Aan", "To"), names(&consent.recipients)),
    ];
    pairs.extend(period(consent, language));
    let answered = !matches!(consent.state.as_str(), "REQUESTED" | "DEFERRED" | "REFUSED");
    let by = if answered {
        language.of("Gegeven bij", "Given at")
    } else {
        language.of("Gevraagd door", "Asked by")
    };
    pairs.push(pair(by, consent.collected_by.name.clone()));
    if stands {
        let reach = consent.collected_by.reach();
        pairs.push(pair(language.of("Stoppen kan bij", "To stop it"), reach));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
}

fn state(consent: &Consent, stands: bool, language: Language) -> String {
    let part = language.of(", maar een deel is gestopt", ", but a part was stopped");
    let part = if stands && consent.narrowed { part } else { "" };
    format!("{}{part}", language.state(&consent.state))
}

/// From when until when it holds: one that was stopped until it was, one that was refused never.
fn period(consent: &Consent, language: Language) -> Vec<(String, String)> {
    let moment = |at: &Option<String>| day::moment(at.as_ref(), language);
    let whole = consent.ended.iter().rfind(|end| end.is_whole());
    let stopped = whole.filter(|_| ENDED.contains(&consent.state.as_str()));
    let mut pairs = Vec::new();
    let mut pair = |name: &str, value| pairs.push((name.to_owned(), value));
    if consent.state != "REFUSED" {
        pair(
            language.of("Geldig vanaf", "Valid from"),
            moment(&consent.valid_from),
        );
        if stopped.is_none() {
            pair(
                language.of("Geldig tot", "Valid until"),
                moment(&consent.valid_until),
            );
        }
    }
    for end in consent.ended.iter().filter(|end| !end.is_whole()) {
        let name = language.of("Deel gestopt", "Part stopped");
        pair(name, said(end, language));
    }
    if let Some(end) = stopped {
        let name = language.of("Gestopt op", "Stopped on");
        pair(name, said(end, language));
    }
    pairs
}

/// The states that come of an end that somebody recorded.
const ENDED: [&str; 3] = ["WITHDRAWN", "REVOKED", "INVALIDATED"];

/// When it was stopped, at which organisation, and for a part which.
fn said(end: &ConsentEnd, language: Language) -> String {
    let mut said = day::moment(end.at.as_ref(), language);
    let mut add = |before: &str, value: &str| {
        if !value.is_empty() {
            said.push_str(before);
            said.push_str(value);
        }
    };
    add(language.of(", bij ", ", at "), &end.party.name);
    add(
        language.of(", over ", ", about "),
        &language.conditions(&end.conditions),
    );
    let recipient = end.recipient.as_ref();
    add(
        language.of(", aan ", ", to "),
        recipient.map_or("", |party| &party.name),
    );
    said
}
