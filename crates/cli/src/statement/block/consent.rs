//! What the person consented to, and how to stop it.

use super::{Block, names};
use crate::statement::{Consent, Language, Told, day};

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
    let until = day::moment(consent.valid_until.as_ref(), language);
    let state = language.state(&consent.state);
    let part = language.of(", maar een deel is gestopt", ", but a part was stopped");
    let stands = matches!(consent.state.as_str(), "GIVEN" | "RENEWED");
    let in_part = stands && consent.narrowed;
    let state = format!("{state}{}", if in_part { part } else { "" });
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let mut pairs = vec![
        pair(language.of("Toestemming", "Consent"), state),
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
        pair(
            language.of("Geldig vanaf", "Valid from"),
            day::moment(consent.valid_from.as_ref(), language),
        ),
        pair(language.of("Geldig tot", "Valid until"), until),
        pair(
            language.of("Gegeven bij", "Given at"),
            consent.collected_by.name.clone(),
        ),
    ];
    if stands {
        let reach = consent.collected_by.reach();
        pairs.push(pair(language.of("Stoppen kan bij", "To stop it"), reach));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
}
