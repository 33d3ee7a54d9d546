//! The commands, one file a group.

mod audit;
mod case;
mod certificate;
mod completions;
mod consent;
mod doctor;
mod enrolment;
mod erasure;
mod export;
mod inbox;
mod key;
mod notice;
mod opening;
mod party;
mod pki;
mod proposal;
mod purpose;
mod reconcile;
mod restriction;
mod retention;
mod serve;
mod status;
mod verify;

use std::process::ExitCode;

use tokio::runtime::Runtime;

pub(crate) use opening::progress;
pub(crate) use serve::end;
pub(crate) use verify::{verify_files, verify_log};

use crate::{
    exit::{EXIT_CODES, Exit, Failure},
    output,
};

/// The broker of prisons, municipalities and their partners, and everything around it.
///
/// Every exchange rests on a recorded legal basis, is no more than its purpose needs, and stands in an audit
/// trail that nobody can alter unnoticed.
#[derive(Debug, clap::Parser)]
#[command(name = "schakel", version, max_term_width = 80, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start a development broker and play a story through it.
    Dev(crate::dev::DevArgs),
    /// Run the broker.
    Serve(serve::ServeArgs),
    /// Say what is wrong with a configuration.
    CheckConfig(serve::CheckConfigArgs),
    /// Let a broker that a witness stopped sign again.
    ///
    /// The witness had seen more of the log than there is: the log was taken back, or the witness is wrong. Find out
    /// which before anything else. What was said, and the ground given here, become an entry of the next start.
    Resume(serve::ResumeArgs),
    /// Make, issue, renew, revoke, check and rehearse certificates.
    Pki(pki::PkiArgs),
    /// Make and show the keys that sign the log's checkpoints.
    Key(key::KeyArgs),
    /// Show and change the registered parties.
    Party(party::PartyArgs),
    /// Show and change the registered purposes.
    Purpose(purpose::PurposeArgs),
    /// Show the certificates that are used, block them, and look at your own.
    Certificate(certificate::CertificateArgs),
    /// Invite to ask for a certificate, sign what waits, renew.
    Enrolment(enrolment::EnrolmentArgs),
    /// Show, approve and reject changes that wait for a second administrator.
    Proposal(proposal::ProposalArgs),
    /// Open, show, change and close cases.
    Case(case::CaseArgs),
    /// Record, show and withdraw consents.
    Consent(consent::ConsentArgs),
    /// Record and lift restrictions and objections.
    Restriction(restriction::RestrictionArgs),
    /// Report and ask how conditions stand; introduce partners.
    Status(status::StatusArgs),
    /// Receive what comes, and acknowledge it.
    Inbox(inbox::InboxArgs),
    /// Show who was told to stop using something, and who has acknowledged.
    Notice(notice::NoticeArgs),
    /// Erase a person for a controller, by two actors.
    Erasure(erasure::ErasureArgs),
    /// Show how long details are kept, and what is due.
    Retention(retention::RetentionArgs),
    /// Change the key that wraps the keyring.
    Keyring(retention::KeyringArgs),
    /// Ask the trail who got what, why and on which basis.
    Audit(audit::AuditArgs),
    /// Export entries, processing lines and transactions from the log, and go on where it was.
    Export(export::ExportArgs),
    /// Compare the receipts held with the broker's log: which entries does one side lack?
    ///
    /// What is compared is what was handed over: disclosures, messages and notices. Exit code 1 when only this
    /// side lacks something, 65 when the broker's log is not what it signed for.
    Reconcile(reconcile::ReconcileArgs),
    /// Verify receipts, checkpoints and published logs offline.
    Verify(verify::VerifyArgs),
    /// Measure disclosures against a bare echo, and whether denials look alike.
    Bench(crate::bench::BenchArgs),
    /// Say in plain words what is wrong with a connection, or with a broker's certificates.
    Doctor(doctor::DoctorArgs),
    /// Write completions for a shell.
    Completions(completions::CompletionsArgs),
}

impl Arguments {
    /// Does what the command line says.
    pub(crate) fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Dev(args) => played(crate::dev::run(args)),
            Command::Serve(args) => serve::serve(&args),
            Command::CheckConfig(args) => serve::check(&args),
            Command::Resume(args) => serve::resume(&args),
            Command::Pki(args) => pki::run(args),
            Command::Key(args) => key::run(args),
            Command::Party(args) => party::run(args),
            Command::Purpose(args) => purpose::run(args),
            Command::Proposal(args) => proposal::run(args),
            Command::Case(args) => case::run(args),
            Command::Certificate(args) => certificate::run(args),
            Command::Enrolment(args) => enrolment::run(args),
            Command::Consent(args) => consent::run(args),
            Command::Restriction(args) => restriction::run(args),
            Command::Status(args) => status::run(args),
            Command::Inbox(args) => inbox::run(args),
            Command::Notice(args) => notice::run(args),
            Command::Erasure(args) => erasure::run(args),
            Command::Retention(args) => retention::run(args),
            Command::Keyring(args) => retention::run_keyring(args),
            Command::Audit(args) => audit::run(args),
            Command::Export(args) => export::run(args),
            Command::Reconcile(args) => reconcile::run(args),
            Command::Doctor(args) => doctor::run(&args),
            // With exit codes of their own.
            Command::Bench(args) => return measured(crate::bench::run(args)),
            Command::Verify(args) => return verify::run(&args),
            Command::Completions(args) => Ok(completions::run(&args)),
        };
        match done {
            Ok(exit) => exit.into(),
            Err(failure) => failed(&failure),
        }
    }
}

/// Runs what plays a broker and its partners in this process.
fn played(story: impl Future<Output = anyhow::Result<()>>) -> Result<Exit, Failure> {
    match runtime()?.block_on(story) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(Failure::new(Exit::Failed, format!("{error:#}."))),
    }
}

/// Runs what says by itself how it ends.
fn measured(bench: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(failure) => return failed(&failure),
    };
    match runtime.block_on(bench) {
        Ok(exit) => exit,
        Err(error) => failed(&Failure::new(Exit::Failed, format!("{error:#}."))),
    }
}

fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("The program cannot be started: {error}."),
        )
    })
}

fn failed(failure: &Failure) -> ExitCode {
    output::fail(failure);
    failure.exit.into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// An option of a command with the name of one that holds for all would hide it.
    #[test]
    fn every_command_of_a_group_takes_what_the_group_takes() {
        let mut all = Arguments::command();
        all.build();
        let options = |command: &clap::Command| -> Vec<String> {
            command
                .get_arguments()
                .filter_map(|arg| arg.get_long().map(str::to_owned))
                .collect()
        };
        let mut seen = 0;
        for group in all.get_subcommands() {
            let shared: Vec<_> = group
                .get_arguments()
                .filter(|arg| arg.is_global_set())
                .filter_map(|arg| arg.get_long())
                .collect();
            for command in group.get_subcommands().filter(|_| !shared.is_empty()) {
                let taken = options(command);
                for option in &shared {
                    let times = taken.iter().filter(|taken| taken == option).count();
                    let ordinary = command.get_name() == "help";
                    assert!(times == 1 || ordinary, "{} {option}", command.get_name());
                    seen += 1;
                }
            }
        }
        assert!(seen > 300, "{seen}");
    }
}
