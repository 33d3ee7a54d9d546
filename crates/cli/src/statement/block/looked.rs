//! Who looked: of one day, organisation and purpose one row, with how often and the number of each entry.

use super::Block;
use crate::statement::{Language, Line, Told, day};

/// Something was taken out of the broker, along with much else.
const EXPORTED: &str = "EXPORTED";

pub(super) fn section(told: &Told, language: Language, blocks: &mut Vec<Block>) {
    let looks = joined(told, language);
    let any = !looks.is_empty();
    let rows = looks.iter().map(|look| look.row(language)).collect();
    super::section(
        blocks,
        language.of(
            "Wie heeft gekeken naar wat over u is opgeschreven?",
            "Who looked at what is written down about you?",
        ),
        language.of("Niemand.", "Nobody."),
        &[
            language.of("Wanneer", "When"),
            language.of("Organisatie", "Organisation"),
            language.of("Waarvoor", "What for"),
            language.of("Hoe vaak", "How often"),
        ],
        rows,
    );
    let name = &told.controller.name;
    blocks.extend(any.then(|| {
        Block::Paragraph(match language {
            Language::Nl => format!(
                "Elke keer dat iemand kijkt, wordt dat opgeschreven onder een nummer. Wilt u er meer over weten? Noem het nummer bij {name}."
            ),
            Language::En => format!(
                "Each time somebody looks is written down under a number. Do you want to know more about it? Tell {name} the number."
            ),
        })
    }));
}

/// What one organisation looked at on one day for one purpose, in the order of the trail, never empty.
struct Looks<'t> {
    first: &'t Line,
    last: &'t Line,
    numbers: Vec<u64>,
}

/// The looks, those that belong together at the place of the first.
fn joined(told: &Told, language: Language) -> Vec<Looks<'_>> {
    let lines = told.lines.iter();
    let mut all: Vec<Looks<'_>> = Vec::new();
    for line in lines.filter(|line| ["LOOKED", EXPORTED].contains(&line.kind.as_str())) {
        let like = |looks: &&mut Looks<'_>| {
            let day = |line: &Line| day::date(line.at.as_ref(), language);
            let first = looks.first;
            (&first.kind, &first.purpose, first.who(), day(first))
                == (&line.kind, &line.purpose, line.who(), day(line))
        };
        match all.iter_mut().find(like) {
            Some(looks) => {
                looks.last = line;
                looks.numbers.push(line.index);
            }
            None => all.push(Looks {
                first: line,
                last: line,
                numbers: vec![line.index],
            }),
        }
    }
    all
}

impl Looks<'_> {
    fn row(&self, language: Language) -> Vec<String> {
        let purpose = match language.purpose(self.first) {
            said if said.is_empty() => language.of("niet gezegd", "not said").to_owned(),
            said => said,
        };
        let copied = language.of("overgenomen in een bestand", "copied into a file");
        vec![
            day::span(self.first.at.as_ref(), self.last.at.as_ref(), language),
            self.first.who(),
            if self.first.kind == EXPORTED {
                format!("{purpose} ({copied})")
            } else {
                purpose
            },
            self.often(language),
        ]
    }

    fn often(&self, language: Language) -> String {
        let times = self.numbers.len();
        let numbers = numbers(&self.numbers, language);
        match (language, times) {
            (Language::Nl, 1) => format!("1 keer, nummer {numbers}"),
            (Language::Nl, _) => format!("{times} keer, nummers {numbers}"),
            (Language::En, 1) => format!("once, number {numbers}"),
            (Language::En, _) => format!("{times} times, numbers {numbers}"),
        }
    }
}

/// Numbers in order, those that follow each other as a range.
fn numbers(numbers: &[u64], language: Language) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers.iter().copied() {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let to = language.of("tot en met", "to");
    let ranges = ranges.into_iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} {to} {last}"),
    });
    ranges.collect::<Vec<_>>().join(", ")
}
