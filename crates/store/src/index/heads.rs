//! In which runs a person is found, however many there are.
//!
//! For each person whom somebody can find, memory holds the newest run with an entry; that run says which one
//! before it is the next newest, and so on. What it holds grows with the people, not with the entries. It is
//! read from the files at each start, and a file whose links say otherwise than the files before it is made
//! again.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::{FileError, token::Token};

/// The number of a run: how many there are before it.
pub(super) type Number = u32;

/// A person in a run, and the newest run before it with that person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) token: Token,
    pub(super) before: Option<Number>,
}

/// The newest run of each person.
#[derive(Debug, Default)]
pub(super) struct Heads(HashMap<Token, Number, BuildHasherDefault<Part>>);

impl Heads {
    /// The newest run with this person.
    pub(super) fn newest(&self, person: &Token) -> Option<Number> {
        self.0.get(person).copied()
    }

    /// Adds the run that follows, whose links must lead where the runs before it say; if they do not, nothing is
    /// added.
    pub(super) fn add(&mut self, number: Number, links: &[Link]) -> Result<(), FileError> {
        self.0.reserve(links.len());
        for (at, link) in links.iter().enumerate() {
            let newest = self.0.insert(link.token, number);
            if newest != link.before {
                self.put_back(&link.token, newest);
                for link in links.iter().take(at) {
                    self.put_back(&link.token, link.before);
                }
                return Err(FileError::Damaged);
            }
        }
        Ok(())
    }

    fn put_back(&mut self, person: &Token, newest: Option<Number>) {
        match newest {
            Some(number) => drop(self.0.insert(*person, number)),
            None => drop(self.0.remove(person)),
        }
    }
}

/// Takes a part of a token for its hash: nobody without the key can choose one.
#[derive(Debug, Default)]
pub(super) struct Part(u64);

impl Hasher for Part {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(part) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*part);
        }
    }

    /// The length of a token says nothing.
    fn write_usize(&mut self, _: usize) {}
}
