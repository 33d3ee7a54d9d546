//! Starts, crashes, damage and erasures in any order: what is found is what looking at every entry finds.

use std::{convert::Infallible, fs, path::Path};

use proptest::{collection::vec, prelude::*};
use schakel_core::id::{EntryIndex, SubjectId};
use schakel_store::{
    index::{Index, Options, Query},
    keyring::Key,
};

use super::{
    Entries, SOON, brute_force,
    generated::{PEOPLE, entries, query},
    open, options, plain,
};
use crate::store::{
    recorder::{party, person},
    story::PARTIES,
    support::snapshot,
};

/// What happens to the indexes.
#[derive(Clone, Debug)]
enum Step {
    /// The log grows by so many entries, and the indexes with it.
    Grow(usize),
    /// Everything stops; the log has so many entries more than the indexes were told of, and this happened to the
    /// files: which one it was, and what.
    Restart(usize, Vec<(prop::sample::Index, Damage)>),
    /// A person is erased: the key of the generation is gone, and everything stops.
    Erase(u8),
    /// Somebody searches.
    Ask(Query),
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Gone,
    Flipped,
    Cut,
    Unfinished,
}

fn step() -> impl Strategy<Value = Step> {
    let damage = prop_oneof![
        Just(Damage::Gone),
        Just(Damage::Flipped),
        Just(Damage::Cut),
        Just(Damage::Unfinished)
    ];
    prop_oneof![
        3 => (0..30_usize).prop_map(Step::Grow),
        2 => (0..10_usize, vec((any::<prop::sample::Index>(), damage), 0..3))
            .prop_map(|(more, damaged)| Step::Restart(more, damaged)),
        1 => (0..PEOPLE).prop_map(Step::Erase),
        6 => query().prop_map(Step::Ask),
    ]
}

/// Indexes, and the log they are of.
struct Life<'a> {
    dir: &'a Path,
    run: u32,
    /// What the log will hold in the end.
    all: Entries,
    /// How much of it the log holds.
    size: usize,
    generation: u8,
    index: Index,
}

impl Life<'_> {
    fn take(&mut self, step: Step) {
        match step {
            Step::Grow(more) => self.grow(more),
            Step::Restart(more, damaged) => {
                let size = self.size + more;
                self.size = size.min(self.all.len());
                self.restart(&damaged);
            }
            Step::Erase(who) => self.erase(person(who)),
            Step::Ask(query) => self.ask(&query),
        }
    }

    fn grow(&mut self, more: usize) {
        let end = (self.size + more).min(self.all.len());
        let facts = self.all[self.size..end].to_vec();
        self.index.add(EntryIndex(self.size as u64), facts);
        self.size = end;
        assert!(self.index.wait(end as u64, SOON));
    }

    fn restart(&mut self, damaged: &[(prop::sample::Index, Damage)]) {
        // The thread that adds must have ended before anything becomes of its files.
        self.index = open(&self.dir.join("elsewhere"), &Entries::new(), 1).0;
        fs::remove_dir_all(self.dir.join("elsewhere")).unwrap();
        for (which, damage) in damaged {
            let files = snapshot(self.dir);
            if !files.is_empty() {
                let (path, content) = &files[which.index(files.len())];
                harm(path, content, *damage);
            }
        }
        let options = Options {
            key: Key::new([self.generation; 32]),
            ..options(self.dir, self.size, self.run)
        };
        let facts_of = |entry: EntryIndex| {
            Ok::<_, Infallible>(self.all[usize::try_from(entry.0).unwrap()].clone())
        };
        self.index = Index::open(options, facts_of, &mut |_, _| {}).unwrap();
    }

    fn erase(&mut self, who: SubjectId) {
        for facts in self.all.iter_mut().flatten() {
            if facts.subject == Some(who) {
                (facts.subject, facts.certificate) = (None, None);
                facts.conditions.clear();
            }
        }
        let before = snapshot(self.dir);
        self.generation += 1;
        self.restart(&[]);
        let after = snapshot(self.dir);
        assert!(
            before.iter().all(|file| !after.contains(file)),
            "a file of the generation before is left"
        );
    }

    fn ask(&self, query: &Query) {
        let entries = self.all[..self.size].to_vec();
        let expected = brute_force(&entries, query);
        assert_eq!(self.index.search(query).unwrap(), expected, "{query:?}");
        let whole = Query {
            before: None,
            limit: 1000,
            ..query.clone()
        };
        let mut forward = self.index.ahead(&whole, EntryIndex(0)).unwrap().entries;
        forward.reverse();
        // A page of a search is shorter.
        let page = brute_force(&entries, &whole).entries;
        assert_eq!(forward[..page.len()], page, "{query:?}");
    }
}

fn harm(path: &Path, content: &[u8], damage: Damage) {
    match damage {
        Damage::Gone => fs::remove_file(path).unwrap(),
        Damage::Flipped => {
            let mut flipped = content.to_vec();
            if let Some(byte) = flipped.last_mut() {
                *byte ^= 0x10;
            }
            fs::write(path, flipped).unwrap();
        }
        Damage::Cut => fs::write(path, &content[..content.len() / 2]).unwrap(),
        Damage::Unfinished => fs::write(path.with_added_extension("tmp"), content).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_stops_is_damaged_or_is_erased_a_search_finds_what_there_is(
        all in entries(120),
        run in 1..12_u32,
        steps in vec(step(), 1..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut life = Life {
            dir: dir.path(),
            run,
            all,
            size: 0,
            generation: 0,
            index: open(&dir.path().join("elsewhere"), &Entries::new(), 1).0,
        };
        life.restart(&[]);
        for step in steps {
            life.take(step);
        }
        for who in 0..=PEOPLE {
            life.ask(&Query::about(person(who)));
        }
    }
}

/// A file whose links say otherwise than the files before it would hide entries.
#[test]
fn a_run_that_leads_elsewhere_than_to_the_runs_before_it_is_made_again() {
    let entries = plain();
    let mut otherwise = entries.clone();
    for facts in otherwise[..50].iter_mut().flatten() {
        facts.subject = Some(person(1));
    }
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(open(dir.path(), &entries, 50));
    drop(open(other.path(), &otherwise, 50));
    // There, the person is in no run before this one.
    let strange = &snapshot(other.path())[1];
    fs::write(&snapshot(dir.path())[1].0, &strange.1).unwrap();
    let (index, again) = open(dir.path(), &entries, 50);
    assert_eq!(again, 50, "that run alone");
    for who in [0, 1] {
        let about_one = Query {
            subject: Some(person(who)),
            ..Query::of(party(PARTIES[0]))
        };
        let page = index.search(&about_one).unwrap();
        assert_eq!(page, brute_force(&entries, &about_one));
    }
}
