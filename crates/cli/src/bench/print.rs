//! What a benchmark found, for people: within 80 columns.

use std::fmt::{Display, Write as _};

use super::{
    report::{IndexLag, Kind, Lag, Log, Report, Unloaded},
    statistics::real,
};

/// What `schakel bench` found.
pub(super) fn throughput(report: &Report) -> String {
    [
        heading(report),
        compared(&report.echo, &report.disclosure, report.ratio),
        unloaded(&report.unloaded),
        log(&report.log, &report.index_lag),
        processor(&report.disclosure),
        meaning(report),
    ]
    .join("\n")
}

/// A table: the first column to the left, the others to the right, two blanks between.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match at {
                0 => write!(line, "  {cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A whole number in groups of three.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && text != "-" {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text in lines of at most 80 columns, broken between words.
pub(super) fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut room = 0;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if room > len {
            lines.push(' ');
            room -= len + 1;
        } else {
            lines.push_str(if lines.is_empty() { "" } else { "\n" });
            room = 80_usize.saturating_sub(len);
        }
        lines.push_str(word);
    }
    lines.push('\n');
    lines
}

fn heading(report: &Report) -> String {
    let (machine, load) = (&report.machine, &report.load);
    let verified = if load.receipts_verified {
        "every receipt verified by the client"
    } else {
        "receipts not verified by the client"
    };
    let mut text = "Audited disclosures against a bare echo\n\n".to_owned();
    text.push_str(&wrapped(&format!(
        "{} requests in flight over {} connections of mutual TLS, for {} s in each of {} rounds of \
         both kinds in turn, the median round told; {} persons; {verified}. A question has {} \
         bytes, an answer with its receipt {}, and the echo the same. {} processors; the log on {} \
         in {}; {} build.",
        load.in_flight,
        load.connections,
        load.seconds,
        load.rounds,
        grouped(f64::from(load.persons)),
        grouped(real(load.request_bytes)),
        grouped(real(load.answer_bytes)),
        machine.processors,
        machine.file_system,
        machine.directory,
        machine.build,
    )));
    text
}

fn compared(echo: &Kind, disclosure: &Kind, ratio: f64) -> String {
    let row = |name: &str, figure: &dyn Fn(&Kind) -> String| {
        vec![name.to_owned(), figure(echo), figure(disclosure)]
    };
    let mut first = row("a second", &|kind| grouped(kind.per_second));
    first.push(format!("{:.0} %", ratio * 100.0));
    table(&[
        vec![String::new(), "echo".to_owned(), "disclosure".to_owned()],
        first,
        row("in the slowest and fastest round", &spread),
        row("latency p50", &|kind| millis(kind.latency.p50_us)),
        row("latency p90", &|kind| millis(kind.latency.p90_us)),
        row("latency p99", &|kind| millis(kind.latency.p99_us)),
        row("latency p99.9", &|kind| millis(kind.latency.p999_us)),
        row("processor time each", &|kind| micros(kind.processor_us())),
        row("processors busy with other work", &|kind| {
            format!("{:.0} %", kind.others * 100.0)
        }),
    ])
}

fn spread(kind: &Kind) -> String {
    let least = kind.rounds.iter().copied().fold(f64::INFINITY, f64::min);
    let most = kind.rounds.iter().copied().fold(0.0, f64::max);
    format!("{} - {}", grouped(least), grouped(most))
}

fn unloaded(unloaded: &Unloaded) -> String {
    let row = |name: &str, took: f64| vec![name.to_owned(), micros(took)];
    let mut text = "One at a time, over one connection (medians)\n\n".to_owned();
    text.push_str(&table(&[
        row("echo", unloaded.echo_us),
        row(
            "disclosure, until the answer is there",
            unloaded.disclosure_us,
        ),
        row(
            "disclosure, until its receipt is verified",
            unloaded.verified_us,
        ),
        row("one flush of the log", unloaded.flush_us),
        vec![
            "flushes that a disclosure takes longer than an echo".to_owned(),
            format!("{:.2}", unloaded.flushes_more()),
        ],
    ]));
    text
}

fn log(log: &Log, lag: &IndexLag) -> String {
    let took = &log.flush;
    let of = |lag: Lag| format!("{} (most {})", lag.median, lag.most);
    let mut text = "The log during the disclosures\n\n".to_owned();
    text.push_str(&table(&[
        pair(
            "entries a flush, on average",
            format!("{:.1}", log.entries_per_flush),
        ),
        pair("flush p50", micros(took.p50_us)),
        pair("flush p90", micros(took.p90_us)),
        pair("flush p99", micros(took.p99_us)),
        pair("flush p99.9", micros(took.p999_us)),
        pair(
            &format!(
                "entries not yet indexed, at the start of round {}",
                lag.round
            ),
            of(lag.start),
        ),
        pair("in the middle", of(lag.middle)),
        pair("at the end", of(lag.end)),
    ]));
    text.push('\n');
    text.push_str(&wrapped(if lag.grows {
        "THE INDEXES FELL BEHIND: in that round the lag grew to more than twice what it was, and by more \
         than is under way at a time. Under this load searches wait longer and longer."
    } else {
        "In no round did the lag grow to more than twice what it was and by more than is under way at a \
         time; the round in which it grew most is told."
    }));
    text
}

fn processor(kind: &Kind) -> String {
    let all = kind.processor_us().max(f64::MIN_POSITIVE);
    let row = |(name, used): &(String, f64)| {
        vec![
            name.clone(),
            micros(*used),
            format!("{:.0} %", used / all * 100.0),
        ]
    };
    let mut text = "Processor time of a disclosure by threads\n\n".to_owned();
    let large = kind
        .processor_us
        .iter()
        .filter(|(_, used)| used / all >= 0.005);
    text.push_str(&table(&large.map(row).collect::<Vec<_>>()));
    text
}

fn meaning(report: &Report) -> String {
    let disclosures = grouped(report.disclosure.per_second);
    wrapped(&format!(
        "What this means: deciding, sealing, storing durably and proving {disclosures} disclosures \
         a second leaves {:.0} % of what the same connections carry when nothing but the echo is \
         done, client and broker sharing the processors. A single disclosure takes {:.2} flushes of \
         this disk longer than an echo.",
        report.ratio * 100.0,
        report.unloaded.flushes_more(),
    ))
}

fn pair(name: &str, figure: impl Display) -> Vec<String> {
    vec![name.to_owned(), figure.to_string()]
}

fn millis(micros: f64) -> String {
    format!("{:.2} ms", micros / 1000.0)
}

fn micros(micros: f64) -> String {
    format!("{} µs", grouped(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0.0, "0"),
            (999.4, "999"),
            (1000.0, "1,000"),
            (-123_456.0, "-123,456"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn text_is_wrapped_between_words_and_loses_none() {
        let text = "one two three four five six seven ".repeat(20);
        let lines = wrapped(&text);
        assert!(lines.lines().all(
            |line| line.len() <= 80 && line.len() > 70 || lines.ends_with(&format!("{line}\n"))
        ));
        assert!(lines.split_whitespace().eq(text.split_whitespace()));
    }

    #[test]
    fn a_table_has_figures_to_the_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let text = table(&[row(["", "a", "bb"]), row(["name", "1,000", "2"])]);
        assert_eq!(text, "            a  bb\n  name  1,000   2\n");
    }
}
