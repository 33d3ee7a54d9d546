//! `schakel enrolment sign`.

use std::collections::BTreeSet;

use schakel_api::v1;
use schakel_pki::{
    issuing::SigningAuthority,
    ledger::Issuance,
    office::{Asked, Office},
    profile::Holder,
    request::CertificateRequest,
};
use schakel_server::clock::{Clock as _, SystemClock};
use schakel_store::random::OsRandom;

use super::list;
use crate::{
    command::pki::{AuthorityArgs, refused},
    exit::{Exit, Failure},
    output::complain,
    session::Session,
    view,
};

/// What `enrolment sign` takes.
#[derive(Debug, clap::Args)]
pub(super) struct SignArgs {
    /// The enrolments, as `schakel enrolment list` shows them.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    enrolments: Vec<String>,
    /// Everything that waits, whoever asked for it.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    authority: AuthorityArgs,
}

/// Shows what is going to be issued, and issues one after the other: each certificate stands in the ledger before it is
/// handed over.
pub(super) async fn sign(session: &Session, args: &SignArgs) -> Result<Exit, Failure> {
    let enrolments = list::enrolments(session).await?;
    let mut waiting: Vec<_> = enrolments
        .into_iter()
        .filter(|enrolment| enrolment.progress() == v1::EnrolmentProgress::Waiting)
        .collect();
    if !args.all {
        waiting = chosen(waiting, &args.enrolments)?;
    }
    if waiting.is_empty() {
        return Ok(session.show(&view::Done::new("No request waits.", None)));
    }
    for enrolment in &waiting {
        session.show_next(&view::Enrolment::from(enrolment.clone()));
    }
    let known = list::certificates(session).await?.into_iter();
    let known = known.map(|one| one.sha256.to_vec()).collect();
    let mut office = Office::open(&args.authority.authority).map_err(refused)?;
    let authority = office
        .unlock(&args.authority.passphrase.read()?)
        .map_err(refused)?;
    let mut all = Exit::Done;
    for enrolment in &waiting {
        let done = match issue(&mut office, &authority, enrolment, &known) {
            Ok((issued, name)) => hand_over(session, enrolment, issued, &name).await,
            Err(failure) => Err(failure),
        };
        // One that cannot be issued or handed over keeps no other waiting.
        if let Err(failure) = done {
            complain(&format!("{}: {}", enrolment.enrolment_id, failure.message));
            all = Exit::Failed;
        }
    }
    Ok(all)
}

/// Those that were named, each of which must wait.
fn chosen(waiting: Vec<v1::Enrolment>, named: &[String]) -> Result<Vec<v1::Enrolment>, Failure> {
    let ids: BTreeSet<_> = waiting.iter().map(|one| one.enrolment_id.clone()).collect();
    if let Some(unknown) = named.iter().find(|id| !ids.contains(*id)) {
        let said = format!(
            "No request waits under `{unknown}`: `schakel enrolment list` shows what does. Nothing was signed."
        );
        return Err(Failure::usage(said));
    }
    let is_named = |one: &v1::Enrolment| named.contains(&one.enrolment_id);
    Ok(waiting.into_iter().filter(is_named).collect())
}

async fn hand_over(
    session: &Session,
    enrolment: &v1::Enrolment,
    issued: Issuance,
    name: &str,
) -> Result<(), Failure> {
    let answered = session
        .write(async |idempotency_key| {
            let request = v1::AnswerEnrolmentRequest {
                idempotency_key,
                enrolment_id: enrolment.enrolment_id.clone(),
                certificate: issued.der.into(),
            };
            session.client.answer_enrolment(request).await
        })
        .await
        .map_err(|failure| {
            failure.and(&format!(
                "A certificate for {name} stands in the ledger all the same, and holds: serial number {}. Sign again \
                 to hand it over, or end it with `schakel pki revoke`.",
                issued.serial
            ))
        })?;
    session.keep(answered.receipt.as_ref())?;
    session.show_next(&view::Done::new(
        format!("Issued to {name}."),
        answered.receipt,
    ));
    Ok(())
}

fn issue(
    office: &mut Office,
    authority: &SigningAuthority,
    enrolment: &v1::Enrolment,
    known: &BTreeSet<Vec<u8>>,
) -> Result<(Issuance, String), Failure> {
    let unreadable = || Failure::new(Exit::Failed, "The broker's answer cannot be read.");
    let wanted = enrolment.holder.as_ref().ok_or_else(unreadable)?;
    let holder = Holder {
        profile: wanted.profile.parse().map_err(|_| unreadable())?,
        oin: wanted.oin.parse().map_err(|_| unreadable())?,
        name: wanted.name.clone(),
        unit: wanted.unit.clone(),
        hosts: Vec::new(),
    };
    let request = enrolment.request.as_deref().ok_or_else(unreadable)?;
    let request = CertificateRequest::read(request).map_err(|_| unreadable())?;
    let name = format!("{} ({})", holder.name, holder.oin);
    // The broker looked at it as well; what signs believes nobody.
    let asked = Asked {
        request: &request,
        holder,
        replaces: enrolment
            .replaces_sha256
            .as_deref()
            .and_then(|sha256| sha256.try_into().ok()),
        days: None,
    };
    let is_known = |issuance: &Issuance| known.contains(issuance.sha256.as_slice());
    let issued = office.answer(authority, asked, is_known, SystemClock.now(), &mut OsRandom);
    Ok((issued.map_err(refused)?, name))
}
