//! For whom a withdrawal or an objection by a number of criminal justice counts, and what it shows.

use schakel_api::v1;
use schakel_core::event::Event;
use schakel_tests::{TestBroker, bsn, bsn_number, by_case};

use super::{
    acts::{Acts, by_skn},
    settled::objected,
};

const SKN: &str = "SKN0000B5";

/// A consent of its own is what it would see it by. It has one by the case, and passes on by a number that is the
/// person's in the words of another institution alone.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_what_a_partner_takes_part_in_does_not_show_whose_number_others_say_it_is() {
    let broker = TestBroker::start().await;
    let number = bsn_number(1);
    let north = broker.party("pi-noord").await;
    let (case, _) = north.open(None, Some(&number)).await;
    let probation = broker.party("reclassering-test").await;
    let code = north.introduce(&case, "reclassering-test", v1::Condition::Housing);
    probation.redeem(&code.await, "r-1").await;
    let agreed = probation.agree(by_case(&case), "gemeente-west", "wonen-noord");
    agreed.await.expect("a consent");
    let west = broker.party("gemeente-west").await;
    let theirs = west.agree(bsn(&number), "gemeente-oost", "wonen-zuid");
    let theirs = theirs.await.expect("a consent");
    let south = broker.party("pi-zuid").await;
    south.open(Some(SKN), Some(&number)).await;

    let own = probation.agreed(by_case(&case)).await.expect("its own");
    let state = async |id: &str| {
        let shown = west.agreed(bsn(&number)).await.expect("its own");
        shown.into_iter().find(|(one, _)| one == id).expect("it").1
    };
    let given = state(&theirs).await;
    probation.withdraw(by_skn(SKN)).await;
    assert_eq!(probation.agreed(by_case(&case)).await, Some(own.clone()));
    assert_ne!(state(&theirs).await, given, "it reaches the person");
    probation.withdraw(by_case(&case)).await;
    assert_ne!(probation.agreed(by_case(&case)).await, Some(own));

    objected(&probation, SKN).await;
    let log = broker.check_log().await;
    let details = log.details(broker.place()).into_iter().flatten();
    let restricted = details.filter_map(|details| match details.event {
        Event::Restricted { between_others, .. } => details.subject.map(|_| between_others),
        _ => None,
    });
    assert_eq!(restricted.collect::<Vec<_>>(), [true]);
}

/// An institution that may use both numbers says itself whose the number is, and is shown nothing by withdrawing.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_a_withdrawal_does_not_show_an_institution_what_another_one_said() {
    let broker = TestBroker::start().await;
    let number = bsn_number(1);
    let north = broker.party("pi-noord").await;
    let agreed = north.agree(bsn(&number), "gemeente-oost", "wonen-zuid");
    agreed.await.expect("a consent");
    let south = broker.party("pi-zuid").await;
    south.open(Some(SKN), Some(&number)).await;
    let own = north.agreed(bsn(&number)).await;
    north.withdraw(by_skn(SKN)).await;
    assert_eq!(north.agreed(bsn(&number)).await, own);
    north.open(Some(SKN), Some(&number)).await;
    north.withdraw(by_skn(SKN)).await;
    assert_ne!(north.agreed(bsn(&number)).await, own, "its own word");
}

/// Two institutions that disagree, and one that says another word later: whoever a consent may be of, it ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_by_a_number_reaches_everybody_it_was_said_to_mean() {
    let broker = TestBroker::start().await;
    let numbers = [bsn_number(1), bsn_number(2), bsn_number(3)];
    let (north, south) = (
        broker.party("pi-noord").await,
        broker.party("pi-zuid").await,
    );
    for number in &numbers[..2] {
        north.open(Some(SKN), Some(number)).await;
        let agreed = north.agree(by_skn(SKN), "gemeente-oost", "wonen-zuid");
        agreed.await.expect("a consent");
    }
    south.open(Some(SKN), Some(&numbers[2])).await;
    let agreed = south.agree(by_skn(SKN), "gemeente-oost", "wonen-zuid");
    agreed.await.expect("a consent");
    let seen = async || {
        [
            north.agreed(bsn(&numbers[0])).await,
            north.agreed(bsn(&numbers[1])).await,
            south.agreed(bsn(&numbers[2])).await,
        ]
    };
    let given = seen().await;
    north.withdraw(by_skn(SKN)).await;
    let after = seen().await;
    let ended = |before: &[_; 3], after: &[_; 3]| {
        let pairs = before.iter().zip(after);
        pairs.map(|(one, other)| one != other).collect::<Vec<_>>()
    };
    assert_eq!(ended(&given, &after), [true, true, false]);
    for number in &numbers[..2] {
        let agreed = north.agree(bsn(number), "gemeente-oost", "wonen-zuid");
        agreed.await.expect("a consent");
    }
    let given = seen().await;
    let probation = broker.party("reclassering-test").await;
    probation.withdraw(by_skn(SKN)).await;
    assert_eq!(ended(&given, &seen().await), [true, true, true]);
}

/// A second case by the number alone is found by it, and by the number that was said with it, when the first is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_by_a_number_that_was_said_keeps_both_numbers() {
    let mut broker = TestBroker::start().await;
    let north = broker.party("pi-noord").await;
    let (first, _) = north.open(Some(SKN), Some(&bsn_number(1))).await;
    let (second, _) = north.open(Some(SKN), None).await;
    assert!(north.close(&first, true).await);
    broker.restart().await;
    let north = broker.party("pi-noord").await;
    for about in [by_skn(SKN), bsn(&bsn_number(1))] {
        let shown = north.case_of(about).await.expect("its own");
        assert_eq!(shown.case_id, second);
    }
    let log = broker.check_log().await;
    for details in log.details(broker.place()).into_iter().flatten() {
        if let Event::CaseOpened {
            identifiers,
            besides,
            ..
        } = details.event
        {
            assert_eq!((identifiers.len(), besides.len()), (1, 1));
        }
    }
}

/// The wrong number of criminal justice, and no other with it, is free as well once that was said to be in error.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_used_alone_in_error_may_be_said_of_the_right_person() {
    let broker = TestBroker::start().await;
    let north = broker.party("pi-noord").await;
    let (wrong, _) = north.open(Some(SKN), None).await;
    assert!(north.close(&wrong, true).await);
    let (right, _) = north.open(Some(SKN), Some(&bsn_number(1))).await;
    let shown = north.case_of(by_skn(SKN)).await.expect("the right one");
    assert_eq!(shown.case_id, right);
}
