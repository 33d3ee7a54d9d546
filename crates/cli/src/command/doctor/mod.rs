//! `schakel doctor`: what is wrong with a connection, or with a broker's certificates, in plain words.

mod broker;
mod exposed;
mod line;

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    connection::ConnectionArgs,
    exit::{Exit, Failure},
    output::{Output, View},
    page::Page,
    session::block_on,
};

/// What `doctor` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Look at a broker's configuration and what its certificates are verified by, instead of at a connection.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What was found, in the order in which it was looked at.
#[derive(Debug, Default, Serialize)]
struct Findings {
    findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// In order.
    Passed,
    /// In order, and not for long or not quite.
    Warned,
    /// Wrong: what comes after it was not looked at.
    Failed,
}

pub(super) fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let mut findings = Findings::default();
    match &args.config {
        Some(file) => broker::examine(file, &mut findings),
        None => match args.connection.resolve() {
            Ok(connection) => block_on(async {
                line::examine(&connection.config, &mut findings).await;
                Ok(())
            })?,
            Err(failure) => findings.failed("files", failure.message, "schakel doctor --help"),
        },
    }
    let failed = |finding: &Finding| finding.verdict == Verdict::Failed;
    let exit = if findings.findings.iter().any(failed) {
        Exit::Failed
    } else {
        Exit::Done
    };
    Output::new(args.json).show(&findings);
    Ok(exit)
}

impl Findings {
    fn passed(&mut self, check: &'static str, said: impl Into<String>) {
        self.push(check, Verdict::Passed, said, None);
    }

    fn warned(&mut self, check: &'static str, said: impl Into<String>, mend: &str) {
        self.push(check, Verdict::Warned, said, Some(mend));
    }

    fn failed(&mut self, check: &'static str, said: impl Into<String>, mend: &str) {
        self.push(check, Verdict::Failed, said, Some(mend));
    }

    fn push(
        &mut self,
        check: &'static str,
        verdict: Verdict,
        said: impl Into<String>,
        mend: Option<&str>,
    ) {
        self.findings.push(Finding {
            check,
            verdict,
            said: said.into(),
            mend: mend.map(str::to_owned),
        });
    }
}

impl View for Findings {
    fn write(&self, page: &mut Page) {
        for finding in &self.findings {
            let mark = match finding.verdict {
                Verdict::Passed => "ok",
                Verdict::Warned => "warning",
                Verdict::Failed => "WRONG",
            };
            page.pair(finding.check, &format!("{mark}: {}", finding.said));
            if let Some(mend) = &finding.mend {
                page.pair("", &format!("Mend it: {mend}."));
            }
        }
        page.blank();
        let worst = self.findings.iter().map(|finding| finding.verdict).max();
        page.line(match worst {
            None | Some(Verdict::Passed) => "Nothing is wrong.",
            Some(Verdict::Warned) => "Nothing is wrong yet; mend what is warned of.",
            Some(Verdict::Failed) => {
                "Something is wrong. Mend it and look again: more may come after it."
            }
        });
    }
}
