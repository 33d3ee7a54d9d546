//! What a party says of numbers binds itself alone, and shows it nothing of what others said (invariant 5).

pub(super) mod acts;
mod passed_on;
mod settled;

use std::collections::BTreeMap;

use schakel_audit::leaf::Leaf;
use schakel_core::event::Event;
use schakel_tests::TestBroker;

use self::acts::{Dice, Institution};

/// Steps of one run, each of the institution's, with what others do in between.
const STEPS: usize = 60;

/// What an institution was told, in order, without what is drawn at random or tells of the time.
#[derive(Default)]
pub(super) struct Told {
    lines: Vec<String>,
    /// The tags in the leaves of receipts, each as the number of its first appearance.
    tags: BTreeMap<[u8; 16], usize>,
}

impl Told {
    fn note(&mut self, what: &str, answer: &impl std::fmt::Debug) {
        self.lines.push(format!("{what}: {answer:?}"));
    }

    /// Whether two entries are about one person shows by the tags in their leaves.
    fn receipt(&mut self, receipt: Option<schakel_api::v1::Receipt>) {
        let leaf = receipt.expect("a receipt").leaf;
        let leaf = Leaf::decode(&leaf).expect("a leaf");
        let next = self.tags.len();
        let tag = leaf.subject_tag;
        let tag = tag.map(|tag| *self.tags.entry(tag).or_insert(next));
        self.note("receipt", &(leaf.entry_type, leaf.class, tag));
    }
}

/// What one institution is told by a broker on which others act in between, or do not.
async fn everything(seed: u64, with_others: bool) -> Vec<String> {
    let broker = TestBroker::start().await;
    let mut one = Institution::of(&broker).await;
    let others = acts::Others::of(&broker).await;
    let (mut own, mut theirs) = (Dice::new(seed, 3), Dice::new(seed ^ 0xffff, 4));
    let mut told = Told::default();
    for _ in 0..STEPS {
        if with_others {
            others.act(&mut theirs).await;
        }
        one.act(&mut own, &mut told).await;
    }
    one.look_back(&mut told).await;
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    for details in details.into_iter().flatten() {
        let by = details.call.map(|call| call.principal.to_string());
        if let Event::CaseOpened {
            identifiers,
            besides,
            ..
        } = details.event
            && by.as_deref() == Some(Institution::ID)
        {
            let keys = |numbers: &[schakel_core::person::Identifier]| -> Vec<String> {
                let texts = numbers.iter().map(|number| number.key().2.to_owned());
                texts.collect()
            };
            told.note("recorded", &(keys(&identifiers), keys(&besides)));
        }
    }
    told.lines
}

/// Whatever an institution says of three people and three numbers of criminal justice: alone, or while another
/// institution, a municipality and probation say what they like of the same numbers.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_what_others_say_of_numbers_changes_nothing_a_party_is_told() {
    for seed in 1..=5_u64 {
        let (alone, among) = tokio::join!(everything(seed, false), everything(seed, true));
        for (step, (one, other)) in alone.iter().zip(&among).enumerate() {
            assert_eq!(one, other, "seed {seed}, line {step}");
        }
        assert_eq!(alone.len(), among.len());
        for shown in ["opened", "case: Some", "consents: Some", "withdrawn"] {
            let lines = alone.iter().filter(|line| line.starts_with(shown));
            assert!(lines.count() > 2, "seed {seed} shows too little: {shown}");
        }
    }
}
