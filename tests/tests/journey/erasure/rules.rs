//! Who may erase, and what stands in the way.

use schakel_api::v1::{
    approve_erasure_response::Outcome as Approved, propose_erasure_response::Outcome as Asked,
};
use schakel_audit::leaf::EntryType;
use schakel_tests::{bsn, by_case, mark, reason, violations};
use tonic::Code;

use super::{LoggedWrongly, NotNeeded, Unlawful, lived, proposed, start};

/// Two actors with two certificates, both of the controller or an administrator; and both mean the same person.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_two() {
    let broker = start().await;
    let (scene, other) = (lived(&broker, 1).await, lived(&broker, 2).await);
    let officer = broker.party("fg-wonen-zuid").await;
    let proposal = proposed(&officer, by_case(&scene.case), LoggedWrongly).await;
    let refused = officer.approve_erasure(&proposal, None).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    let stranger = broker.party("gemeente-oost").await;
    let refused = stranger.approve_erasure(&proposal, None).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_FOUND");
    let association = broker.party("wonen-zuid").await;
    let unnamed = association
        .approve_erasure(&proposal, None)
        .await
        .unwrap_err();
    let rule = "must name the person a second time, so that both mean the same: an administrator alone leaves it out";
    assert_eq!(
        (unnamed.code(), violations(&unnamed)),
        (
            Code::InvalidArgument,
            vec![("subject".to_owned(), rule.to_owned())]
        )
    );
    let wrong = association
        .approve_erasure(&proposal, Some(mark(&other.mark)))
        .await;
    assert!(matches!(wrong, Ok(Approved::NotDisclosed(_))), "{wrong:?}");
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "nothing was erased"
    );
    let waiting = officer.erasures().await.waiting;
    assert_eq!(waiting.len(), 1);
    assert!(stranger.erasures().await.waiting.is_empty());
    let administrator = broker.party("beheer-een").await;
    let done = administrator.approve_erasure(&proposal, None).await;
    assert!(
        matches!(done, Ok(Approved::Erased(ref done)) if done.entries > 0),
        "{done:?}"
    );
    assert!(association.ask_housing(&scene.mark).await.is_none());
    assert!(association.ask_housing(&other.mark).await.is_some());
    let shown = officer.erasures().await;
    assert_eq!((shown.waiting.len(), shown.done.len()), (0, 1));
    let again = association
        .approve_erasure(&proposal, None)
        .await
        .unwrap_err();
    assert_eq!(reason(&again), "NOT_FOUND");
}

/// An approval that is refused leaves nothing behind: what was withdrawn since stays withdrawn, whatever is erased
/// later.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_approval_never_brings_back_what_was_withdrawn_since() {
    let broker = start().await;
    let scene = lived(&broker, 1).await;
    let officer = broker.party("fg-wonen-zuid").await;
    let proposal = proposed(&officer, by_case(&scene.case), LoggedWrongly).await;
    let refused = officer.approve_erasure(&proposal, None).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    let municipality = broker.party("gemeente-oost").await;
    municipality.withdraw(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    assert!(association.ask_housing(&scene.mark).await.is_none());
    let nobody = bsn(&schakel_tests::bsn_number(77));
    let officer = broker.party("fg-gemeente-oost").await;
    let unknown = proposed(&officer, nobody.clone(), LoggedWrongly).await;
    let done = municipality.approve_erasure(&unknown, Some(nobody)).await;
    assert!(matches!(done, Ok(Approved::Erased(_))), "{done:?}");
    assert!(association.ask_housing(&scene.mark).await.is_none());
}

/// While the law has a controller keep what it asks to be erased, it is told which duty and until when; a
/// ground that goes before the duty does not wait. Somebody of whom nothing is held looks like anybody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_duty_to_keep_stands_in_the_way_and_is_named() {
    let broker = start().await;
    let scene = lived(&broker, 1).await;
    let officer = broker.party("fg-wonen-zuid").await;
    match officer
        .propose_erasure(by_case(&scene.case), NotNeeded)
        .await
    {
        Asked::Retained(retained) => {
            assert_eq!(
                (retained.code.as_str(), retained.law_ref.as_str()),
                ("OWN_TERM_CONSENT_RECORD", "AVG 7(1), which names no term")
            );
        }
        Asked::Proposed(_) => panic!("the consent is to be kept"),
    }
    let nobody = bsn(&schakel_tests::bsn_number(77));
    let officer = broker.party("fg-gemeente-oost").await;
    let unknown = proposed(&officer, nobody.clone(), NotNeeded).await;
    let second = broker.party("gemeente-oost").await;
    match second.approve_erasure(&unknown, Some(nobody)).await {
        Ok(Approved::Erased(done)) => assert_eq!(done.entries, 0),
        other => panic!("{other:?}"),
    }
    // Seen from outside, proposals and what came of them are the same for both.
    let known = proposed(&officer, by_case(&scene.case), Unlawful).await;
    let done = second
        .approve_erasure(&known, Some(by_case(&scene.case)))
        .await;
    assert!(
        matches!(done, Ok(Approved::Erased(ref done)) if done.entries > 0),
        "{done:?}"
    );
    let log = broker.check_log().await;
    let outside = |kind: EntryType| -> Vec<_> {
        let all = log.leaves.iter().zip(&log.sealed);
        all.filter(|(leaf, _)| leaf.entry_type == kind)
            .map(|(leaf, sealed)| (leaf.encode().len(), sealed.len()))
            .collect()
    };
    let [one, two, three, four] = outside(EntryType::Restriction)[..] else {
        panic!("two proposals and two approvals");
    };
    assert_eq!(one.0, three.0, "leaves of proposals");
    assert_eq!(two, four, "approvals");
    assert_eq!(outside(EntryType::Erasure).len(), 2);
}
