//! `schakel pki list`, `revoke` and `crl`.

use std::path::PathBuf;

use schakel_pki::{
    issuing::Reason,
    ledger::Ledger,
    office::{LEDGER, Level},
};
use schakel_server::clock::{Clock as _, SystemClock};

use super::{
    AuthorityArgs, named, open, refused, show_to_all,
    uses::Uses,
    view::{Ledgered, Listed},
};
use crate::{
    exit::{Exit, Failure, chain, sentence},
    output::Output,
};

/// For how many days a list of an issuing authority counts.
pub(super) const LIST_DAYS: u32 = 7;
/// For how many days a list of a root counts: it is signed where the root is, which is far away.
pub(super) const ROOT_LIST_DAYS: u32 = 180;

/// What `pki list` takes.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// The directory of the authority.
    #[arg(long, value_name = "DIR", default_value = "pki/issuing")]
    authority: PathBuf,
    /// Show what ended and what was revoked as well.
    #[arg(long)]
    all: bool,
    /// Show only what ends within this many days.
    #[arg(long, value_name = "DAYS")]
    ending: Option<u32>,
    /// Show when each was last used: what `schakel certificate list --json` printed; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    uses: Option<PathBuf>,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// What `pki revoke` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RevokeArgs {
    /// The certificate: its serial number, or a file with it.
    certificate: String,
    /// Why; key-compromise revokes every other certificate of the same key as well: key-compromise, superseded, cessation-of-operation, affiliation-changed, privilege-withdrawn,
    /// ca-compromise or unspecified.
    #[arg(long)]
    reason: Reason,
    #[command(flatten)]
    crl: CrlArgs,
}

/// What `pki crl` takes.
#[derive(Debug, clap::Args)]
pub(super) struct CrlArgs {
    /// For how many days the list counts [default: 7; 180 for a root].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=400))]
    list_days: Option<u32>,
    /// The directory that is published [default: public, beside that of the authority].
    #[arg(long, value_name = "DIR")]
    public: Option<PathBuf>,
    #[command(flatten)]
    authority: AuthorityArgs,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let path = args.authority.join(LEDGER);
    let ledger = Ledger::read(&path).map_err(|error| {
        let said = format!("`{}`: {}", path.display(), chain(&error));
        Failure::configuration(sentence(&said))
    })?;
    let uses = args.uses.as_deref().map(Uses::read).transpose()?;
    let now = SystemClock.now();
    let shown = |issuance: &&schakel_pki::ledger::Issuance| {
        let ending = args
            .ending
            .is_none_or(|days| issuance.validity.not_after() < now.plus_days(days));
        (args.all || issuance.holds(now)) && ending
    };
    let why_not = match (args.all, args.ending) {
        (false, None) => ", ended or revoked: see --all",
        (false, Some(_)) => ", ended, revoked, or ending later: see --all, or leave out --ending",
        (true, _) => ", ending later: leave out --ending",
    };
    Output::new(args.json).show(&Ledgered::new(&ledger, shown, uses.as_ref(), why_not, now));
    Ok(Exit::Done)
}

pub(super) fn revoke(args: &RevokeArgs) -> Result<Exit, Failure> {
    let mut office = open(&args.crl.authority)?;
    let serial = named(&office, &args.certificate)?.serial;
    // Before anything is written, so that a wrong passphrase leaves nothing half done.
    let authority = office
        .unlock(&args.crl.authority.passphrase.read()?)
        .map_err(refused)?;
    let now = SystemClock.now();
    let revoked = office.revoke(&serial, args.reason, now).map_err(refused)?;
    args.crl.publish(&mut office, &authority, &revoked)
}

pub(super) fn crl(args: &CrlArgs) -> Result<Exit, Failure> {
    let mut office = open(&args.authority)?;
    let authority = office
        .unlock(&args.authority.passphrase.read()?)
        .map_err(refused)?;
    args.publish(&mut office, &authority, &[])
}

impl CrlArgs {
    fn publish(
        &self,
        office: &mut schakel_pki::office::Office,
        authority: &schakel_pki::issuing::SigningAuthority,
        revoked: &[schakel_pki::ledger::Issuance],
    ) -> Result<Exit, Failure> {
        let usual = match office.level() {
            Level::Issuing => LIST_DAYS,
            Level::Root => ROOT_LIST_DAYS,
        };
        let days = self.list_days.unwrap_or(usual);
        let list = office
            .list(authority, days, SystemClock.now())
            .map_err(refused)?;
        let dir = &self.authority.authority;
        let files = show_to_all(office, dir, &list, self.public.as_ref())?;
        Output::new(self.json).show(&Listed::new(&list, files, revoked));
        Ok(Exit::Done)
    }
}
