//! What the benchmark of the trail found, for people: within 80 columns.

use super::report::{Batches, Bytes, Published, Report, Single, Size, Start, Verification};
use crate::bench::{
    print::{grouped, table, wrapped},
    statistics::real,
};

/// What `schakel bench trail` found.
pub(super) fn trail(report: &Report) -> String {
    [
        heading(report),
        durable(&report.batches, &report.single),
        verified(&report.verification, &report.published),
        taken(&report.bytes),
        grown(&report.sizes),
    ]
    .join("\n")
}

fn heading(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = "The trail alone, against what no trail can do without\n\n".to_owned();
    text.push_str(&wrapped(&format!(
        "Invented disclosures, sealed for two controllers. {} processors; on {} in {}; {} build.",
        machine.processors, machine.file_system, machine.directory, machine.build,
    )));
    text
}

fn durable(batches: &Batches, single: &Single) -> String {
    let row = |name: &str, append: f64, flush: f64| {
        vec![
            name.to_owned(),
            micros(append),
            micros(flush),
            format!("{:.2}", append / flush),
        ]
    };
    let head = ["", "appended", "flush alone", "ratio"];
    let of_batch = format!("{} entries, median", batches.entries);
    let mut text = "Made durable\n\n".to_owned();
    text.push_str(&table(&[
        head.map(str::to_owned).to_vec(),
        row("one entry, median", single.append_us, single.flush_us),
        row("one entry, p99", single.append_p99_us, single.flush_p99_us),
        row(&of_batch, batches.append_us, batches.flush_us),
    ]));
    text.push('\n');
    text.push_str(&wrapped(&format!(
        "In such batches the log takes {} entries a second; sealed, appended, and applied to view and \
         indexes by one thread, {}.",
        grouped(batches.log_per_second),
        grouped(batches.recorded_per_second),
    )));
    text
}

fn verified(found: &Verification, published: &Published) -> String {
    let mut text = "Verified\n\n".to_owned();
    text.push_str(&wrapped(&format!(
        "Reading {} entries against their checksums and computing the tree anew takes {} ms; SHA-256 of \
         the same {} bytes, {} ms: {:.2} times as long.",
        grouped(real(usize::try_from(found.entries).unwrap_or(usize::MAX))),
        grouped(found.verify_ms),
        grouped(real(usize::try_from(found.bytes).unwrap_or(usize::MAX))),
        grouped(found.sha256_ms),
        found.ratio,
    )));
    text.push('\n');
    text.push_str(&wrapped(&format!(
        "Published, it is {} bytes in {} files. `schakel verify log` takes {} ms for them, {} MB a second; \
         SHA-256 of the same files, {} ms: {:.2} times as long.",
        grouped(real(usize::try_from(published.bytes).unwrap_or(usize::MAX))),
        grouped(real(usize::try_from(published.files).unwrap_or(usize::MAX))),
        grouped(published.verify_ms),
        grouped(published.megabytes_per_second),
        grouped(published.sha256_ms),
        published.ratio,
    )));
    text
}

fn taken(bytes: &Bytes) -> String {
    let rows = [
        ("leaf", bytes.leaf),
        ("sealed details", bytes.sealed),
        ("frames", bytes.frame),
        ("nodes of the tree", bytes.tree),
        ("search indexes", bytes.index),
        ("view", bytes.view),
        ("keyring", bytes.keyring),
    ];
    let row = |(name, bytes): (&str, f64)| vec![name.to_owned(), format!("{bytes:.1}")];
    let all: f64 = rows.iter().map(|(_, bytes)| bytes).sum();
    let mut text = "Bytes on disk for each entry\n\n".to_owned();
    text.push_str(&table(
        &rows
            .into_iter()
            .chain([("together", all)])
            .map(row)
            .collect::<Vec<_>>(),
    ));
    text
}

fn grown(sizes: &[Size]) -> String {
    let row = |name: &str, figure: &dyn Fn(&Size) -> String| {
        let mut row = vec![name.to_owned()];
        row.extend(sizes.iter().map(figure));
        row
    };
    let entries = |size: &Size| grouped(real(usize::try_from(size.entries).unwrap_or(usize::MAX)));
    let parts = |start: &Start| {
        let together = start.log + start.view + start.index;
        format!("{} ms", grouped(together))
    };
    let mut text = "As it grows\n\n".to_owned();
    text.push_str(&table(&[
        row("entries", &entries),
        row("search, oldest person, median", &|size| {
            micros(size.search_us)
        }),
        row("search, oldest person, p99", &|size| {
            micros(size.search_p99_us)
        }),
        row("search, newest person, median", &|size| {
            micros(size.search_newest_us)
        }),
        row("inclusion proof, median", &|size| micros(size.proof_us)),
        row("start", &|size| parts(&size.start_ms)),
        row("of which log", &|size| {
            format!("{} ms", grouped(size.start_ms.log))
        }),
        row("of which view", &|size| {
            format!("{} ms", grouped(size.start_ms.view))
        }),
        row("of which indexes", &|size| {
            format!("{} ms", grouped(size.start_ms.index))
        }),
        row("start without view and indexes", &|size| {
            parts(&size.rebuild_ms)
        }),
    ]));
    text
}

fn micros(micros: f64) -> String {
    format!("{} µs", grouped(micros))
}
