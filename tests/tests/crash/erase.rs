//! `kill -9` at every system call by which a broker erases a person: before the entry is durable and after it,
//! while the keyring is replaced, while records and view are made again, while the key-encryption key changes,
//! and before the answer. After each the erasure is complete or never happened, and nothing in between.

mod tracer;

use schakel_api::v1;
use schakel_audit::{checkpoint::Checkpoint, leaf::EntryType};
use schakel_tests::{Child, Log, NOTHING, Party, Scene, bsn, by_case, found_anywhere, keys_left};
use v1::{
    approve_erasure_response::Outcome as Approved, propose_erasure_response::Outcome as Asked,
};

use tracer::{Tracer, Whose};

/// What others than the writer call to answer.
const ANSWERS: [&str; 3] = ["sendto", "sendmsg", "writev"];

/// The controllers of a scene, each with its privacy officer.
const CONTROLLERS: [(&str, &str); 3] = [
    ("wonen-zuid", "fg-wonen-zuid"),
    ("pi-noord", "fg-pi-noord"),
    ("gemeente-oost", "fg-gemeente-oost"),
];

/// A broker that looks often, changes its key-encryption key at once and publishes often.
const MORE: &str = "[retention]\nlook_every = \"20ms\"\nrotate_kek_after = \"0s\"\n\
    [publication]\nevery = \"100ms\"\n";

/// Every call of its kind, or every so many as `SCHAKEL_EVERY` says.
fn every() -> usize {
    std::env::var("SCHAKEL_EVERY").map_or(1, |every| every.parse().expect("a number"))
}

/// What came of the kills.
#[derive(Debug, Default)]
struct Outcomes {
    whole: usize,
    never: usize,
    told: usize,
}

/// The controllers of a scene, from this one on.
fn parties(child: &Child, from: usize) -> Vec<Party> {
    let controllers = CONTROLLERS.iter().skip(from);
    controllers.map(|(id, _)| child.party(id)).collect()
}

/// Proposes to erase the person of a scene for a controller.
async fn proposed(child: &Child, scene: &Scene, controller: usize) -> String {
    let officer = child.party(CONTROLLERS[controller].1);
    let ground = v1::ErasureGround::Unlawful;
    match officer.propose_erasure(by_case(&scene.case), ground).await {
        Asked::Proposed(proposed) => proposed.proposal_id,
        Asked::Retained(duty) => panic!("{duty:?}"),
    }
}

/// Whether the erasure was answered.
async fn approved(child: &Child, scene: &Scene, controller: usize, proposal: &str) -> bool {
    let second = child.party(CONTROLLERS[controller].0);
    let person = Some(by_case(&scene.case));
    let answer = second.approve_erasure(proposal, person).await;
    matches!(answer, Ok(Approved::Erased(done)) if done.entries > 0)
}

/// Waits until the keyring stands under another key-encryption key, or the broker is gone.
async fn rotated(child: &Child) {
    let administrator = child.party("beheer-een");
    loop {
        let request = v1::GetRetentionRequest {};
        match administrator.retention().get_retention(request).await {
            Ok(answer) if answer.get_ref().kek_due_since.is_some() => {}
            Ok(_) | Err(_) => return,
        }
        tokio::task::yield_now().await;
    }
}

/// Waits until everything in the log is published.
async fn published(child: &Child) {
    let size = Log::read(child.place()).leaves.len() as u64;
    let file = child.place().data().join("published/checkpoint");
    let key = child.evidence().key();
    let shown = || {
        let note = std::fs::read_to_string(&file).ok()?;
        Some(Checkpoint::open(&note, &key).expect("signed").size)
    };
    while shown().is_none_or(|shown| shown < size) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// A person of whom much is recorded.
async fn lived(child: &Child, n: u32) -> Scene {
    let [pi, municipality, association] =
        ["pi-noord", "gemeente-oost", "wonen-zuid"].map(|id| child.party(id));
    let scene = Scene::set_with(&pi, &municipality, &association, n).await;
    municipality.consent(bsn(&scene.bsn)).await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    scene
}

/// A person whom so many controllers have erased, and whom the next one will.
struct Erasing {
    scene: Scene,
    controller: usize,
    proposal: String,
    /// What it and the others are told of the person until then, and only the others after that.
    told: Vec<String>,
    to_others: Vec<String>,
}

impl Erasing {
    async fn begin(child: &Child, controller: usize, n: u32) -> Self {
        let scene = lived(child, n).await;
        for earlier in 0..controller {
            let proposal = proposed(child, &scene, earlier).await;
            assert!(approved(child, &scene, earlier, &proposal).await);
        }
        rotated(child).await;
        Self {
            told: scene.told(&parties(child, controller)).await,
            to_others: scene.told(&parties(child, controller + 1)).await,
            proposal: proposed(child, &scene, controller).await,
            scene,
            controller,
        }
    }

    /// Whether the erasure was answered, once it is done in full or the broker is gone.
    async fn carry_out(&self, child: &Child) -> bool {
        let told = approved(child, &self.scene, self.controller, &self.proposal).await;
        rotated(child).await;
        told
    }

    fn is_last(&self) -> bool {
        self.controller + 1 == CONTROLLERS.len()
    }

    /// What nobody may find: in the files, and with any key that is left. The broker must not run.
    fn check_files(&self, child: &Child) {
        let log = child.check_log();
        let left = keys_left(child.place(), &log);
        assert!(left.is_empty(), "{left:?}");
        if self.is_last() {
            let found = found_anywhere(child.place(), &log, &self.scene.secrets());
            assert!(found.is_empty(), "{found:#?}");
        }
    }

    /// Nothing is different yet.
    async fn check_untouched(&self, child: &Child) {
        let told = self.scene.told(&parties(child, self.controller)).await;
        assert_eq!(told, self.told);
    }

    /// Once it is done the others are told what they were.
    async fn check_others(&self, child: &Child) {
        let told = self.scene.told(&parties(child, self.controller + 1)).await;
        assert_eq!(told, self.to_others);
    }

    /// Whoever erased is told nothing. It asks about nobody now, and what it asked is in the log: the last to be done.
    async fn check_gone(&self, child: &Child) {
        let told = self.scene.told(&parties(child, 0)).await;
        let gone = told.len() - self.to_others.len();
        assert_eq!(told[..gone], NOTHING[..gone]);
    }
}

/// The other person, of whom nothing is erased.
struct Kept {
    scene: Scene,
    told: Vec<String>,
}

impl Kept {
    async fn of(child: &Child) -> Self {
        let scene = lived(child, 0).await;
        let told = scene.told(&parties(child, 0)).await;
        Self { scene, told }
    }

    async fn check(&self, child: &Child) {
        assert_eq!(self.scene.told(&parties(child, 0)).await, self.told);
    }
}

/// A call to be killed at: whose, which, and which of them.
type Moment<'a> = (Whose, &'a str, usize);

/// Kills the broker at one call of the erasure of a person and looks at what is left. Whether it came to that call.
async fn killed_at(
    child: &mut Child,
    (whose, call, when): Moment<'_>,
    (controller, n): (usize, u32),
    outcomes: &mut Outcomes,
) -> bool {
    let erasing = Erasing::begin(child, controller, n).await;
    let before = erasures(child);
    let tracer = Tracer::kill(child, whose, call, when);
    let told = erasing.carry_out(child).await;
    let killed = child.has_ended();
    tracer.detach();
    child.kill();
    let erased = erasures(child) > before;
    if told {
        // Nothing is left to be done by a start.
        assert!(erased);
        erasing.check_files(child);
    }
    // What the start carries out it carries out before it serves: nobody has asked it anything yet.
    child.run().await.expect("it starts again");
    child.kill();
    if erased {
        erasing.check_files(child);
    }
    let vkey = child.vkey();
    let (exit, said) = child.place().verify_log(&vkey);
    assert_eq!(exit, Some(0), "{said}");
    if n % 2 == 1 {
        child.forget_derived();
    }
    child.run().await.expect("and again");
    if !erased {
        // Nothing was destroyed: what was known still is. Then it goes on.
        erasing.check_untouched(child).await;
        let again = proposed(child, &erasing.scene, controller).await;
        assert!(approved(child, &erasing.scene, controller, &again).await);
    }
    if killed {
        outcomes.whole += usize::from(erased);
        outcomes.never += usize::from(!erased);
        outcomes.told += usize::from(told);
    }
    erasing.check_others(child).await;
    rotated(child).await;
    published(child).await;
    child.kill();
    erasing.check_files(child);
    child.run().await.expect("once more");
    erasing.check_others(child).await;
    erasing.check_gone(child).await;
    killed
}

fn erasures(child: &Child) -> usize {
    Log::read(child.place()).count(EntryType::Erasure)
}

/// Stops the broker and looks at what an outsider finds, who counts what is redacted; then starts it again.
async fn check_whole(child: &mut Child) {
    child.kill();
    let vkey = child.vkey();
    let (exit, said) = child.place().verify_log(&vkey);
    assert_eq!(exit, Some(0), "{said}");
    let redacted = said.lines().find(|line| line.contains("redacted"));
    let counted = format!("erasures={}", erasures(child));
    assert!(
        redacted.is_some_and(|line| line.contains(&counted)),
        "{said}"
    );
    child.run().await.expect("it starts again");
}

/// What the writer calls in one erasure and after it, by name.
async fn calls(controller: usize) -> Vec<String> {
    let child = Child::start(MORE).await;
    let erasing = Erasing::begin(&child, controller, 1).await;
    let tracer = Tracer::note(&child, Whose::Writer);
    assert!(erasing.carry_out(&child).await);
    tracer.detach();
    tracer::noted(&child)
}

/// Kills a broker at every call of this name, as far as `most`, in as many erasures. How many there were.
async fn killed_at_each(
    whose: Whose,
    call: &str,
    (controller, most): (usize, usize),
    outcomes: &mut Outcomes,
) -> usize {
    let mut child = Child::start(MORE).await;
    let kept = Kept::of(&child).await;
    let (mut n, mut times) = (0, 0);
    for when in (1..).step_by(every()) {
        n += 1;
        let moment = (whose, call, when);
        if !killed_at(&mut child, moment, (controller, n), outcomes).await {
            break;
        }
        times += 1;
        if times == most {
            break;
        }
    }
    kept.check(&child).await;
    check_whole(&mut child).await;
    kept.check(&child).await;
    child.kill();
    let found = found_anywhere(child.place(), &child.check_log(), &kept.scene.secrets());
    assert!(!found.is_empty(), "the search finds what is there");
    times
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs strace, and minutes: `tests/faults/run` runs it"]
async fn invariant_9_killed_at_any_call_of_an_erasure_it_is_whole_or_never_happened() {
    let (mut outcomes, mut killed) = (Outcomes::default(), 0);
    for controller in [0, CONTROLLERS.len() - 1] {
        let by_writer = calls(controller).await;
        let by_writer = by_writer.iter().map(|call| (Whose::Writer, call.as_str()));
        // Others call these all the time, and come to that number whatever happens.
        let answers = ANSWERS.map(|call| (Whose::Anyones, call));
        for (whose, call) in by_writer.chain(answers) {
            let most = if whose == Whose::Anyones {
                3
            } else {
                usize::MAX
            };
            let times = killed_at_each(whose, call, (controller, most), &mut outcomes).await;
            killed += times;
        }
    }
    assert!(outcomes.whole > 0 && outcomes.never > 0, "{outcomes:?}");
    let Outcomes { whole, never, told } = outcomes;
    println!(
        "an erasure: killed at {killed} system calls, {never} never happened, {whole} are whole, {told} of them told"
    );
}
