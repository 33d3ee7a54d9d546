//! The story `schakel dev` plays: one person, four partners, one privacy officer, from the first report to
//! the last notice, every call over real mutual TLS.

use anyhow::{Context as _, Result, bail, ensure};
use prost::Message as _;
use schakel_api::v1;
use schakel_client::Client;
use schakel_core::time::Timestamp;

use super::{
    say::Teller,
    scene::{self, BSN, HOUSING, HOUSING_REF, MUNICIPALITY, PI, Scene},
};

/// Plays the story. Every claim it prints was checked just before.
pub(super) async fn play(scene: &Scene, tell: &Teller) -> Result<()> {
    let case = the_case_is_opened(scene, tell).await?;
    the_municipality_gets_its_plan(scene, tell, &case).await?;
    let denial = the_association_is_told_nothing(scene, tell, &case).await?;
    consent_lets_a_signal_through(scene, tell).await?;
    let withdrawal = the_person_withdraws(scene, tell).await?;
    nothing_is_told_any_more(scene, tell, &denial).await?;
    the_notice_is_acknowledged(scene, tell, withdrawal).await?;
    the_officer_asks(scene, tell).await
}

async fn the_case_is_opened(scene: &Scene, tell: &Teller) -> Result<String> {
    let request = v1::OpenCaseRequest {
        idempotency_key: scene::KEY,
        actor: scene::actor(),
        skn: Some(scene::SKN.into()),
        bsn: Some(BSN.into()),
        municipality_party_id: None,
    };
    let outcome = scene.pi.open_case(request).await?.outcome;
    let Some(v1::open_case_response::Outcome::Opened(opened)) = outcome else {
        bail!("the case was not opened");
    };
    let assign = v1::AssignMunicipalityRequest {
        idempotency_key: scene::KEY,
        actor: scene::actor(),
        case_id: opened.case_id.clone(),
        municipality_party_id: MUNICIPALITY.into(),
    };
    scene.pi.assign_municipality(assign).await?;
    tell.step("The prison opens a case and names the municipality of return.");
    for (condition, status) in [
        (v1::Condition::Housing, v1::ConditionStatus::ActionNeeded),
        (v1::Condition::Debt, v1::ConditionStatus::InProgress),
    ] {
        scene
            .pi
            .report_status(scene.report(&opened.case_id, condition, status))
            .await?;
    }
    tell.step("It reports two conditions: housing (action needed) and debt (in progress).");
    Ok(opened.case_id)
}

async fn the_municipality_gets_its_plan(scene: &Scene, tell: &Teller, case: &str) -> Result<()> {
    let asked = [v1::Condition::Housing, v1::Condition::Debt];
    let subject = v1::subject_ref::Reference::CaseId(case.into());
    let item = scene::item(subject, "P-PLAN", &asked, v1::Granularity::StatusWithDates);
    let disclosure = disclosed(&scene.municipality, item)
        .await?
        .context("the plan was denied")?;
    ensure!(
        disclosure.items.len() == 2,
        "the municipality should get both conditions"
    );
    let basis = disclosure
        .items
        .iter()
        .find_map(|item| item.provider_basis.as_ref())
        .context("the basis should be told")?;
    ensure!(basis.basis == "PBW_18A", "the plan should rest on Pbw 18a");
    tell.step("The municipality asks for its plan and gets both, without consent:");
    tell.detail(&format!(
        "the law allows it ({}, told with the answer).",
        basis.law_ref
    ));
    Ok(())
}

async fn the_association_is_told_nothing(
    scene: &Scene,
    tell: &Teller,
    case: &str,
) -> Result<Vec<u8>> {
    let introduce = v1::IntroduceRequest {
        idempotency_key: scene::KEY,
        actor: scene::actor(),
        case_id: case.into(),
        partner_party_id: HOUSING.into(),
        condition: v1::Condition::Housing.into(),
    };
    let code = match scene.municipality.introduce(introduce).await?.outcome {
        Some(v1::introduce_response::Outcome::Introduction(introduction)) => introduction.code,
        _ => bail!("the introduction was denied"),
    };
    let redeem = v1::RedeemRequest {
        idempotency_key: scene::KEY,
        actor: scene::actor(),
        code,
        client_ref: HOUSING_REF.into(),
    };
    scene.housing.redeem(redeem).await?;
    tell.step(
        "The person hands the housing association a code and is known there by its own mark.",
    );

    let introduced = scene.housing.ask(scene::housing_ask(HOUSING_REF)).await?;
    let unknown = scene
        .housing
        .ask(scene::housing_ask("nobody-knows-this-mark"))
        .await?;
    let introduced = denial(introduced).context("nothing may be told without consent")?;
    let unknown = denial(unknown).context("nothing may be told of nobody")?;
    ensure!(introduced == unknown, "denials must look alike");
    tell.step("The association asks about housing: not_disclosed.");
    tell.detail("It asks about somebody nobody knows: the same answer, in every byte but its");
    tell.detail("random reference.");
    Ok(introduced)
}

async fn consent_lets_a_signal_through(scene: &Scene, tell: &Teller) -> Result<()> {
    let response = scene.municipality.record_consent(scene.consent()).await?;
    let recorded = matches!(
        response.outcome,
        Some(v1::record_consent_response::Outcome::Recorded(_))
    );
    ensure!(recorded, "the consent was not recorded");
    tell.step("The municipality records the person's consent: housing, for this association.");

    let ask = scene::housing_ask(HOUSING_REF)
        .item
        .context("an ask has an item")?;
    let disclosure = disclosed(&scene.housing, ask)
        .await?
        .context("consent should let it through")?;
    let [item] = disclosure.items.as_slice() else {
        bail!("one item should be told")
    };
    let signal = matches!(item.told, Some(v1::disclosed_item::Told::HelpNeeded(true)));
    ensure!(signal, "the association should get a signal");
    ensure!(
        item.moment.is_none() && item.provider_basis.is_none(),
        "nothing may tell of detention"
    );
    ensure!(
        item.counterpart_party_id == MUNICIPALITY,
        "the municipality is the counterpart"
    );
    let bytes = disclosure.encode_to_vec();
    let betrays = bytes
        .windows(PI.len())
        .any(|window| window == PI.as_bytes());
    ensure!(!betrays, "the prison must not be named");
    tell.step("The association asks again and gets a signal: help with housing is needed.");
    tell.detail("Nothing in it tells of detention; the municipality is its contact.");

    let debt = v1::subject_ref::Reference::ClientRef(HOUSING_REF.into());
    let debt = scene::item(
        debt,
        "P-ARRANGE-HOUSING",
        &[v1::Condition::Debt],
        v1::Granularity::Signal,
    );
    ensure!(
        disclosed(&scene.housing, debt).await?.is_none(),
        "debt was not consented to"
    );
    tell.step("It asks about debt: not_disclosed.");
    Ok(())
}

async fn the_person_withdraws(scene: &Scene, tell: &Teller) -> Result<u64> {
    let request = v1::WithdrawConsentRequest {
        idempotency_key: scene::KEY,
        actor: scene::actor(),
        subject: Some(v1::SubjectRef {
            reference: Some(v1::subject_ref::Reference::Bsn(BSN.into())),
        }),
        conditions: Vec::new(),
        recipient_party_id: None,
    };
    let receipt = scene.care.withdraw_consent(request).await?.receipt;
    tell.step("The person withdraws, at the care provider: one call, no form, no consent number.");
    Ok(receipt.context("a withdrawal has a receipt")?.index)
}

async fn nothing_is_told_any_more(scene: &Scene, tell: &Teller, first: &[u8]) -> Result<()> {
    let again = scene.housing.ask(scene::housing_ask(HOUSING_REF)).await?;
    let again = denial(again).context("nothing may be told after a withdrawal")?;
    ensure!(again == first, "denials must look alike");
    tell.step("The association's next question is answered as its first was: not_disclosed.");
    Ok(())
}

async fn the_notice_is_acknowledged(scene: &Scene, tell: &Teller, withdrawal: u64) -> Result<()> {
    let notices = notices_of(scene, withdrawal).await?;
    ensure!(notices.outstanding == 1, "one notice should be outstanding");
    let pull = v1::PullRequest {
        actor: scene::actor(),
        cursor: None,
        max_messages: 10,
    };
    let messages = scene.housing.pull(pull).await?.messages;
    let (delivery, notice) = messages
        .into_iter()
        .find_map(|message| match message.content {
            Some(v1::message::Content::Notice(notice)) => Some((message.delivery_id, notice)),
            _ => None,
        })
        .context("the association should get a notice")?;
    let issued = notices.notices.iter().map(|state| &state.notice_id);
    ensure!(
        notice.kind() == v1::NoticeKind::Withdrawal && issued.eq([&notice.notice_id]),
        "the notice should be that of the withdrawal"
    );
    let acknowledge = v1::AcknowledgeRequest {
        idempotency_key: scene::KEY,
        actor: scene::actor(),
        delivery_ids: vec![delivery],
    };
    scene.housing.acknowledge(acknowledge).await?;
    ensure!(
        notices_of(scene, withdrawal).await?.outstanding == 0,
        "the notice should be acknowledged"
    );
    tell.step("A notice tells it to stop using what it got; it acknowledges.");
    tell.detail("The municipality, which has the case, sees that nobody is outstanding.");
    Ok(())
}

/// The notices that an entry caused, as the municipality sees them.
async fn notices_of(scene: &Scene, entry: u64) -> Result<v1::NoticeStates> {
    let request = v1::GetNoticeRequest {
        actor: scene::actor(),
        subject: Some(v1::SubjectRef {
            reference: Some(v1::subject_ref::Reference::Bsn(BSN.into())),
        }),
        entry_index: entry,
    };
    match scene.municipality.get_notice(request).await?.outcome {
        Some(v1::get_notice_response::Outcome::Notices(notices)) => Ok(notices),
        _ => bail!("the municipality should see who was told to stop"),
    }
}

async fn the_officer_asks(scene: &Scene, tell: &Teller) -> Result<()> {
    let request = v1::SearchEntriesRequest {
        actor: scene::actor(),
        purpose: "P-ACCOUNTABILITY".into(),
        subject: Some(v1::SubjectRef {
            reference: Some(v1::subject_ref::Reference::Bsn(BSN.into())),
        }),
        outcome: v1::Outcome::Disclosed.into(),
        page_size: 20,
        ..v1::SearchEntriesRequest::default()
    };
    let entries = scene.officer.search_entries(request).await?.entries;
    ensure!(
        !entries.is_empty(),
        "the officer should see the municipality's disclosures"
    );
    tell.step("The municipality's privacy officer asks who got what, why, and on which basis:");
    for entry in &entries {
        show(entry, *tell)?;
    }
    let newest = entries.first().context("there is an entry")?.index;
    let explain = v1::ExplainEntryRequest {
        actor: scene::actor(),
        index: newest,
        reference: None,
        purpose: "P-ACCOUNTABILITY".into(),
    };
    let explained = scene.officer.explain_entry(explain).await?.outcome;
    let Some(v1::explain_entry_response::Outcome::Explanation(explained)) = explained else {
        bail!("the officer should be told why");
    };
    let why = explained.reasons.first().context("there is a reason")?;
    tell.detail(&format!("Why entry {newest}: {}", why.text));
    Ok(())
}

fn show(entry: &v1::Entry, tell: Teller) -> Result<()> {
    let bases = entry.bases.iter().map(|basis| basis.basis.as_str());
    let bases = bases.collect::<Vec<_>>().join(", ");
    let seconds = entry.at.as_ref().map_or(0, |at| at.seconds.unsigned_abs());
    let at = Timestamp::from_millis(seconds.saturating_mul(1000))?.to_string();
    tell.row(&format!(
        "entry {:>3}  {}  {:<14} {}",
        entry.index,
        at.get(..19).unwrap_or_default(),
        entry.party_id,
        entry.purpose.as_deref().unwrap_or("-"),
    ));
    tell.row(&format!("           {}; {bases}", entry.summary));
    Ok(())
}

/// Asks, and decodes what is disclosed; `None` when nothing is.
async fn disclosed(party: &Client, item: v1::AskItem) -> Result<Option<v1::Disclosure>> {
    let request = v1::AskRequest {
        actor: scene::actor(),
        item: Some(item),
    };
    match party.ask(request).await?.outcome {
        Some(v1::ask_response::Outcome::Disclosed(disclosed)) => {
            Ok(Some(v1::Disclosure::decode(disclosed.disclosure)?))
        }
        Some(v1::ask_response::Outcome::NotDisclosed(_)) => Ok(None),
        None => bail!("the broker gave no outcome"),
    }
}

/// Everything of a denial but its random reference; `None` when the answer is none.
fn denial(mut answer: v1::AskResponse) -> Option<Vec<u8>> {
    let Some(v1::ask_response::Outcome::NotDisclosed(denial)) = &mut answer.outcome else {
        return None;
    };
    denial.reference = vec![0; denial.reference.len()].into();
    Some(answer.encode_to_vec())
}
