//! What stands on the statement, in order: the same as text and as a page to print.

mod consent;
mod looked;

use super::{Erased, Language, Line, Named, Notice, Told, day};

/// A part of the statement.
#[derive(Debug)]
pub(super) enum Block {
    /// The title.
    Title(String),
    /// What a section is about.
    Heading(String),
    /// A paragraph.
    Paragraph(String),
    /// Names and values.
    Pairs(Vec<(String, String)>),
    /// A table.
    Table {
        /// What it shows, for whoever cannot see it.
        caption: String,
        /// The names of its columns.
        head: Vec<String>,
        /// Its rows.
        rows: Vec<Vec<String>>,
    },
}

/// The whole statement.
pub(super) fn blocks(told: &Told, language: Language) -> Vec<Block> {
    let mut blocks = Vec::new();
    introduction(told, language, &mut blocks);
    supplied(told, language, &mut blocks);
    received(told, language, &mut blocks);
    asked(told, language, &mut blocks);
    looked::section(told, language, &mut blocks);
    consent::section(told, language, &mut blocks);
    notices(told, language, &mut blocks);
    recorded(told, language, &mut blocks);
    left_out(told, language, &mut blocks);
    rights(told, language, &mut blocks);
    blocks
}

fn introduction(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    let at = day::moment(told.at.as_ref(), language);
    let name = &told.controller.name;
    blocks.push(Block::Title(
        language
            .of("Overzicht van uw gegevens", "Statement of your data")
            .to_owned(),
    ));
    blocks.push(Block::Paragraph(match language {
        Language::Nl => format!(
            "Dit overzicht is voor u gemaakt door {name}, op {at}. U ziet welke organisaties via Schakel iets \
             over u hebben gedeeld, gekregen of bekeken. Het gaat alleen om wat met {name} te maken heeft. Andere \
             organisaties kunnen u hun eigen overzicht geven."
        ),
        Language::En => format!(
            "This statement was made for you by {name}, on {at}. It shows which organisations shared, received \
             or looked at something about you through Schakel. It is only about what concerns {name}. Other \
             organisations can give you a statement of their own."
        ),
    }));
    blocks.push(Block::Paragraph(
        language
            .of(
                "Namen van medewerkers staan er niet in. Alle tijden zijn Nederlandse tijden.",
                "Names of employees are not in it. All times are Dutch times.",
            )
            .to_owned(),
    ));
}

fn of_kind<'t>(told: &'t Told, kind: &'static str) -> impl Iterator<Item = &'t Line> {
    told.lines.iter().filter(move |line| line.kind == kind)
}

/// A section with a table, or the sentence that there is nothing.
fn section(
    blocks: &mut Vec<Block>,
    heading: &str,
    nothing: &str,
    head: &[&str],
    rows: Vec<Vec<String>>,
) {
    blocks.push(Block::Heading(heading.to_owned()));
    if rows.is_empty() {
        blocks.push(Block::Paragraph(nothing.to_owned()));
        return;
    }
    blocks.push(Block::Table {
        caption: heading.to_owned(),
        head: head.iter().map(|name| (*name).to_owned()).collect(),
        rows,
    });
}

/// What was supplied to others stands with what they received: a controller has an entry of its own reports alone.
fn supplied(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    let rows = of_kind(told, "SUPPLIED").map(|line| {
        vec![
            day::moment(line.at.as_ref(), language),
            line.who(),
            language.conditions(&line.conditions),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let (any, elsewhere) = (
        !rows.is_empty(),
        passed_on(told, language, !rows.is_empty()),
    );
    section(
        blocks,
        language.of(
            "Wie heeft iets over u doorgegeven?",
            "Who passed on something about you?",
        ),
        elsewhere
            .as_deref()
            .unwrap_or_else(|| language.of("Niemand.", "Nobody.")),
        &[
            language.of("Wanneer", "When"),
            language.of("Organisatie", "Organisation"),
            language.of("Waarover", "About what"),
        ],
        rows,
    );
    blocks.extend(elsewhere.filter(|_| any).map(Block::Paragraph));
}

/// Where to find what was passed on, as far as anything was received. To whoever may not know of detention the broker
/// names no other provider: such a line has none, and the sentence is the same whoever it was.
fn passed_on(told: &Told, language: Language, by_others: bool) -> Option<String> {
    let is_hidden = of_kind(told, "RECEIVED")
        .map(|line| line.providers.is_empty())
        .reduce(|one, other| one || other)?;
    let what = match (language, by_others) {
        (Language::Nl, false) => "Dat staat in de volgende tabel",
        (Language::Nl, true) => "Wat anderen hebben doorgegeven, staat in de volgende tabel",
        (Language::En, false) => "That is in the next table",
        (Language::En, true) => "What others passed on is in the next table",
    };
    let name = &told.controller.name;
    Some(match (language, is_hidden) {
        (Language::Nl, false) => format!("{what}, onder \u{201c}Van wie\u{201d}."),
        (Language::En, false) => format!("{what}, under \u{201c}From whom\u{201d}."),
        (Language::Nl, true) => format!(
            "{what}. Van wie iets kwam, staat er niet altijd bij: {name} krijgt dat niet altijd te horen."
        ),
        (Language::En, true) => format!(
            "{what}. It does not always say from whom something came: {name} is not always told."
        ),
    })
}

fn received(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    let rows = of_kind(told, "RECEIVED").map(|line| {
        let conditions = language.conditions(&line.conditions);
        let detail = language.granularity(line.granularity.as_ref());
        vec![
            day::moment(line.at.as_ref(), language),
            line.who(),
            names(&line.providers),
            format!("{conditions}: {detail}"),
            language.purpose(line),
            language.bases(&line.bases),
        ]
    });
    section(
        blocks,
        language.of(
            "Wie heeft iets over u gekregen?",
            "Who received something about you?",
        ),
        language.of("Niemand.", "Nobody."),
        &[
            language.of("Wanneer", "When"),
            language.of("Organisatie", "Organisation"),
            language.of("Van wie", "From whom"),
            language.of("Wat", "What"),
            language.of("Waarvoor", "What for"),
            language.of("Waarom dat mag", "Why that is allowed"),
        ],
        rows.collect(),
    );
}

fn asked(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    let rows = of_kind(told, "ASKED").map(|line| {
        vec![
            day::moment(line.at.as_ref(), language),
            line.who(),
            language.conditions(&line.conditions),
            language.purpose(line),
        ]
    });
    section(
        blocks,
        language.of(
            "Wie heeft iets over u gevraagd en niets gekregen?",
            "Who asked something about you and received nothing?",
        ),
        language.of("Niemand.", "Nobody."),
        &[
            language.of("Wanneer", "When"),
            language.of("Organisatie", "Organisation"),
            language.of("Waarover", "About what"),
            language.of("Waarvoor", "What for"),
        ],
        rows.collect(),
    );
}

fn notices(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    let rows = told.notices.iter().map(|notice: &Notice| {
        let heard = day::moment(notice.acknowledged_at.as_ref(), language);
        let not_yet = language.of("nog niet", "not yet");
        vec![
            day::moment(notice.issued_at.as_ref(), language),
            notice.recipient.name.clone(),
            format!(
                "{}: {}",
                language.conditions(&notice.conditions),
                language.notice(&notice.kind)
            ),
            if heard.is_empty() {
                not_yet.to_owned()
            } else {
                heard
            },
        ]
    });
    section(
        blocks,
        language.of(
            "Wie is verteld dat er iets is veranderd?",
            "Who was told that something changed?",
        ),
        language.of("Niemand; dat was niet nodig.", "Nobody; there was no need."),
        &[
            language.of("Wanneer", "When"),
            language.of("Organisatie", "Organisation"),
            language.of("Wat", "What"),
            language.of("Bevestigd op", "Acknowledged on"),
        ],
        rows.collect(),
    );
}

fn recorded(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    const OTHERS: [&str; 5] = ["SUPPLIED", "RECEIVED", "ASKED", "LOOKED", "EXPORTED"];
    let others = told.lines.iter();
    let others = others.filter(|line| !OTHERS.contains(&line.kind.as_str()));
    let rows = others.map(|line| {
        let about = language.conditions(&line.conditions);
        let what = language.recorded(line);
        vec![
            day::moment(line.at.as_ref(), language),
            line.who(),
            if about.is_empty() {
                what
            } else {
                format!("{what} ({about})")
            },
        ]
    });
    section(
        blocks,
        language.of(
            "Wat is er verder opgeschreven?",
            "What else was written down?",
        ),
        language.of("Niets.", "Nothing."),
        &[
            language.of("Wanneer", "When"),
            language.of("Organisatie", "Organisation"),
            language.of("Wat", "What"),
        ],
        rows.collect(),
    );
}

/// What does not stand on the statement. The first sentence stands on every statement, so that it tells
/// nothing.
fn left_out(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    let heading = language.of("Wat staat er niet in?", "What is not in it?");
    blocks.push(Block::Heading(heading.to_owned()));
    blocks.push(Block::Paragraph(
        language
            .of(
                "Soms mag een organisatie volgens de wet een regel niet laten zien (artikel 41 van de \
                 Uitvoeringswet AVG). Deze zin staat op elk overzicht, ook als er niets is weggelaten.",
                "Sometimes the law allows an organisation to leave out a line (article 41 of the Dutch GDPR \
                 Implementation Act). This sentence is on every statement, also when nothing was left out.",
            )
            .to_owned(),
    ));
    let mut more = |count: u64, nl: String, en: String| {
        if count > 0 {
            blocks.push(Block::Paragraph(match language {
                Language::Nl => nl,
                Language::En => en,
            }));
        }
    };
    let withheld = told.withheld;
    more(
        withheld.into(),
        format!("Aantal regels dat nu om die reden is weggelaten: {withheld}."),
        format!("Number of lines left out for that reason now: {withheld}."),
    );
    for Erased {
        rule,
        law_ref,
        lines,
    } in &told.erased_by
    {
        let why = language.erased(rule);
        more(
            (*lines).into(),
            format!(
                "Aantal regels dat is gewist {why}: {lines}. Niemand kan die nog lezen. De regel staat in de wet: \
                 {law_ref}."
            ),
            format!(
                "Number of lines that were erased {why}: {lines}. Nobody can read them any more. The rule is in the \
                 law: {law_ref}."
            ),
        );
    }
    let older = told.left_out;
    more(
        older,
        format!("Er zijn nog {older} oudere regels. Vraag een overzicht van een eerdere periode."),
        format!("There are {older} older lines. Ask for a statement of an earlier period."),
    );
}

fn rights(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    let (name, reach) = (&told.controller.name, told.controller.reach());
    let heading = language.of("Klopt er iets niet?", "Is something wrong?");
    blocks.push(Block::Heading(heading.to_owned()));
    blocks.push(Block::Paragraph(match language {
        Language::Nl => format!(
            "U mag vragen om iets te verbeteren, te wissen of tijdelijk niet te gebruiken. Vraag het aan {name}: \
             {reach}. U kunt ook een klacht sturen aan de Autoriteit Persoonsgegevens."
        ),
        Language::En => format!(
            "You may ask to correct something, to erase it or not to use it for a time. Ask {name}: {reach}. You \
             can also send a complaint to the Autoriteit Persoonsgegevens, the Dutch data protection authority."
        ),
    }));
    if let Some(receipt) = &told.receipt {
        blocks.push(Block::Paragraph(match language {
            Language::Nl => format!("Nummer van dit overzicht: {}.", receipt.index()),
            Language::En => format!("Number of this statement: {}.", receipt.index()),
        }));
    }
}

fn names(parties: &[Named]) -> String {
    let names = parties.iter().map(|party| party.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}
