//! Who must be told that something was withdrawn or wrong, and who was.

use super::*;

impl Story {
    /// Who was told something about the person, and what they were told of changes since, in order.
    async fn notices(&self) -> Vec<Due> {
        let report = self.report(&["notices", "--bsn", &self.scene.bsn]).await;
        let rows = report["notices"].as_array().unwrap().iter();
        let mut due: Vec<Due> = rows
            .map(|told| {
                let conditions = told["conditions"].as_array().unwrap().iter();
                let conditions: Vec<_> = conditions.map(|one| one.as_str().unwrap()).collect();
                row(
                    told["recipient_party_id"].as_str().unwrap(),
                    told["kind"].as_str().unwrap_or_default(),
                    &conditions.join(", "),
                    told["acknowledged_at"].is_string(),
                )
            })
            .collect();
        due.sort();
        due
    }
}

/// To whom; why, of which conditions, and whether that was acknowledged.
type Due = (String, String, String, bool);

fn row(to: &str, kind: &str, conditions: &str, acknowledged: bool) -> Due {
    (to.into(), kind.into(), conditions.into(), acknowledged)
}

#[tokio::test(flavor = "multi_thread")]
async fn question_11_who_must_be_told_of_a_correction_and_who_was() {
    let story = story().await;
    let (pi, town) = (
        story.broker.party("pi-noord").await,
        story.broker.party("gemeente-oost").await,
    );
    let case = &story.scene.case;
    // What the municipality was told itself rests on no consent: of a withdrawal it has had no notice.
    let before = [
        row("gemeente-oost", "", "HOUSING", false),
        row("wonen-zuid", "WITHDRAWAL", "HOUSING", false),
    ];
    assert_eq!(story.notices().await, before);
    let debt = v1::Condition::Debt;
    assert!(pi.report(case, debt, v1::ConditionStatus::InProgress).await);
    let whole = v1::Granularity::StatusWithDates;
    let told = town.ask(item(by_case(case), "P-PLAN", debt, whole)).await;
    told.expect("the plan");
    let arranged = v1::ConditionStatus::Arranged;
    let now = story.broker.now();
    let mut wrong = schakel_tests::report(case, v1::Condition::Housing, arranged, now);
    wrong.correction = true;
    assert!(pi.try_report(wrong).await.unwrap());
    let due = |acknowledged| {
        [
            // Nothing was corrected about the debt.
            row("gemeente-oost", "", "DEBT", false),
            row("gemeente-oost", "CORRECTION", "HOUSING", acknowledged),
            row("wonen-zuid", "CORRECTION", "HOUSING", false),
            row("wonen-zuid", "WITHDRAWAL", "HOUSING", false),
        ]
    };
    assert_eq!(story.notices().await, due(false));
    let pulled = town.pull(None, 10).await.messages;
    let notice = pulled.into_iter().find(|message| {
        let content = message.content.as_ref();
        matches!(content, Some(v1::message::Content::Notice(_)))
    });
    let notice = notice.expect("word of the correction");
    town.acknowledge(vec![notice.delivery_id]).await;
    assert_eq!(story.notices().await, due(true));
}
