//! What stands in the files for whose entries they are and a thing to be found by.

use std::fmt;

use aws_lc_rs::hmac;

use schakel_core::event::Naming;

use super::{Query, Whose, list::Term};
use crate::{aes, keyring::Key};

/// Sixteen bytes of a keyed hash: two things never share one, and nobody without the key can make them.
pub(super) type Token = [u8; TOKEN];

/// The length of a token in bytes.
pub(super) const TOKEN: usize = 16;

/// Makes the tokens of one generation of the view. They are the same in all its files, so that one is made
/// once for a search, and in no other generation's.
pub(super) struct Tokens(hmac::Key);

/// One thing that is searched for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought<'q> {
    pub(super) whose: &'q Whose,
    pub(super) term: Term<'q>,
    pub(super) token: Token,
}

impl Tokens {
    /// Those that the key of all index files gives.
    pub(super) fn new(key: &Key) -> Self {
        let secret = aes::derive(b"", &[key], b"schakel/index/token/v2");
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_slice()))
    }

    /// What stands for somebody's entries that are found by something.
    pub(super) fn token(&self, whose: &Whose, term: &Term<'_>) -> Token {
        let (kind, bytes) = term.key();
        let mut context = hmac::Context::with_key(&self.0);
        // No id of a party holds a zero byte, none is empty, and no kind is so high.
        match whose {
            Whose::Controller(controller) => context.update(controller.as_str().as_bytes()),
            Whose::Anyone => {}
            Whose::Sealed(slot) => {
                context.update(&[0, u8::MAX]);
                context.update(slot.as_bytes());
            }
        }
        context.update(&[0, kind]);
        context.update(bytes);
        let tag = context.sign();
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// What stands for whom a call named, in memory as well: nobody can find it by trying numbers without the key,
    /// which dies with the generation at the next erasure.
    pub(super) fn named(&self, naming: &Naming) -> Token {
        let (kind, party, text): (u8, &str, &[u8]) = match naming {
            Naming::By(identifier) => {
                let (kind, party, text) = identifier.key();
                (kind, party, text.as_bytes())
            }
            Naming::Case(case) => (3, "", case.as_bytes()),
        };
        let mut context = hmac::Context::with_key(&self.0);
        // No id of a party holds this byte, so that it is no token of a list.
        context.update(&[0xff, kind]);
        context.update(party.as_bytes());
        context.update(&[0]);
        context.update(text);
        let tag = context.sign();
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// All that is searched for, what tells most first: a person, if there is one.
    pub(super) fn sought<'q>(&self, query: &'q Query) -> Vec<Sought<'q>> {
        let sought = |term: Term<'q>| Sought {
            whose: &query.whose,
            token: self.token(&query.whose, &term),
            term,
        };
        query.terms(self).into_iter().map(sought).collect()
    }
}

impl Sought<'_> {
    /// Whether it is a person, known or named, who leads from run to run.
    pub(super) const fn is_person(&self) -> bool {
        matches!(self.term, Term::Subject(_) | Term::Named(_))
    }
}

/// The token of the person among what is sought.
pub(super) fn person(sought: &[Sought<'_>]) -> Option<Token> {
    let person = sought.iter().find(|sought| sought.is_person());
    person.map(|person| person.token)
}

impl fmt::Debug for Tokens {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(redacted)")
    }
}
