//! What came of the test, for people.

use std::fmt::Write as _;

use super::{
    class::Class,
    verdict::{Conclusion, MOST, Pair, Verdict, enough},
};
use crate::bench::print::{grouped, table, wrapped};
use crate::bench::statistics::real;

/// What came of it.
pub(super) fn verdict(verdict: &Verdict, planted: Option<(Class, u32)>) -> String {
    let mut text = "Can the reason of a denial be told from its answer?\n\n".to_owned();
    text.push_str(&wrapped(&format!(
        "{} denials for each of six reasons, in random order over several connections. For every \
         two reasons the best classifier, as the area under its ROC curve: 0.5 is a coin. They go by \
         the latency, by how far it lies off the median, by where it lies within the grid of 10 ms, \
         by what was learned from half of the samples, and by the size.",
        grouped(real(verdict.samples)),
    )));
    if let Some((class, micros)) = planted {
        text.push_str(&wrapped(&format!(
            "On purpose, the broker took {micros} µs longer over denials for `{class}`."
        )));
    }
    text.push('\n');
    text.push_str(&table(&verdict.pairs.iter().map(row).collect::<Vec<_>>()));
    text.push('\n');
    text.push_str(&wrapped(&conclusion(verdict)));
    text
}

fn row(pair: &Pair) -> Vec<String> {
    let (one, other) = pair.classes;
    let (name, auc) = pair.best();
    vec![
        format!("{one} / {other}"),
        format!("{auc:.4}"),
        name.to_owned(),
    ]
}

fn conclusion(verdict: &Verdict) -> String {
    let alike = match verdict.different_answers {
        1 => "All answers are the same in every byte, headers and trailers included, but for the \
              random reference."
            .to_owned(),
        count => format!("There are {count} different answers: their bytes tell reasons apart."),
    };
    let found = match verdict.conclusion {
        Conclusion::Passed => "PASSED",
        Conclusion::Failed => "FAILED",
        Conclusion::TooFewSamples => "TOO FEW SAMPLES TO TELL",
    };
    let mut text = format!(
        "{found}: the best classifier has {:.4}, allowed is {:.4} (one standard error of chance is \
         {:.4}). {alike}",
        verdict.most, verdict.allowed, verdict.standard_error,
    );
    if verdict.conclusion == Conclusion::TooFewSamples {
        let enough = grouped(enough());
        let _ = write!(
            text,
            " Chance alone comes as far. From {enough} denials of each reason on it stays within {MOST}."
        );
    }
    text
}
