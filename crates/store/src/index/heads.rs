//! In which runs a person is found, however many there are.
//!
//! For each person whom somebody can find, memory holds the newest run with an entry; that run says which one
//! before it is the next newest, and so on. What it holds grows with the people, not with the entries. It is
//! read from the files at each start, and a file whose links say otherwise than the files before it is made
//! again.

use std::collections::HashMap;

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
pub(super) struct Heads(HashMap<Token, Number>);

impl Heads {
    /// The newest run with this person.
    pub(super) fn newest(&self, person: &Token) -> Option<Number> {
        self.0.get(person).copied()
    }

    /// Whether the links of the run that follows lead where they must.
    pub(super) fn check(&self, links: &[Link]) -> Result<(), FileError> {
        let leads = |link: &Link| self.newest(&link.token) == link.before;
        if links.iter().all(leads) {
            Ok(())
        } else {
            Err(FileError::Damaged)
        }
    }

    /// Adds the run that follows.
    pub(super) fn add(&mut self, number: Number, links: &[Link]) {
        self.0.extend(links.iter().map(|link| (link.token, number)));
    }
}
