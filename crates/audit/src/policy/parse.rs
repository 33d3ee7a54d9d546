//! Reading a policy file, line by line.

use std::str::FromStr;

use thiserror::Error;

use super::{Log, Policy, Quorum, Rule, Witness};
use crate::{
    cosignature::WitnessKey,
    note::{KeyError, VerifyingKey},
    text::{decimal, quote},
};

/// Why a text is not a policy, and in which line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line} of the policy: {fault}")]
pub struct PolicyError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: PolicyFault,
}

/// What is wrong with a line of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyFault {
    /// A control character.
    #[error("it has a control character other than a tab")]
    Control,
    /// It begins with no word of a policy.
    #[error("`{0}` must be `log`, `witness`, `group`, `quorum` or a comment after `#`")]
    Keyword(String),
    /// It has too few or too many words.
    #[error("it must be `{0}`")]
    Form(&'static str),
    /// The key cannot be used.
    #[error("the key cannot be used: {0}")]
    Key(KeyError),
    /// The key stands in an earlier line too, be it by another name.
    #[error("the key stands in an earlier line: two names for one key would count twice")]
    SameKey,
    /// The name is taken.
    #[error("the name `{0}` is taken: witnesses and groups share their names, and `none` is one")]
    SameName(String),
    /// The name is none of an earlier line.
    #[error("`{0}` is no witness or group of an earlier line")]
    UnknownName(String),
    /// The name is a member of a group already.
    #[error("`{0}` is a member of a group already: a witness counts in one way only")]
    MemberTwice(String),
    /// The threshold is none of the group's.
    #[error("`{got}` must be `all`, `any` or a number from 1 to {max}, the number of members")]
    Threshold {
        /// What stands there.
        got: String,
        /// How many members the group has.
        max: usize,
    },
    /// A second quorum.
    #[error("there is a quorum already: there must be exactly one")]
    SecondQuorum,
    /// The policy has ended without a quorum.
    #[error("the policy ends without `quorum <name>` or `quorum none`")]
    NoQuorum,
    /// The policy has more lines of this sort than are read.
    #[error("the policy has more than {} of these", Policy::MAX_LINES)]
    TooMany,
}

impl Policy {
    /// The most logs, and the most witnesses and groups, that are read.
    pub const MAX_LINES: usize = 1024;
}

impl FromStr for Policy {
    type Err = PolicyError;

    /// Reads a policy file. It must be UTF-8, which the format advises.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let mut reader = Reader::default();
        let mut last = 1;
        for (at, line) in text.split('\n').enumerate() {
            last = at + 1;
            let read = reader.line(line);
            read.map_err(|fault| PolicyError { line: last, fault })?;
        }
        let fault = PolicyFault::NoQuorum;
        let quorum = reader.quorum.ok_or(PolicyError { line: last, fault })?;
        Ok(Self {
            logs: reader.logs,
            witnesses: reader.witnesses,
            rules: reader.rules,
            quorum,
        })
    }
}

#[derive(Default)]
struct Reader {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    rules: Vec<Rule>,
    /// For each rule, its name, and whether a group has it as a member.
    names: Vec<(String, bool)>,
    quorum: Option<Quorum>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), PolicyFault> {
        if line.contains(|c: char| c.is_ascii_control() && c != '\t') {
            return Err(PolicyFault::Control);
        }
        let words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let words: Vec<&str> = words.collect();
        match *words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["log", ..] => Err(PolicyFault::Form("log <vkey> [<url>]")),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["witness", ..] => Err(PolicyFault::Form("witness <name> <vkey> [<url>]")),
            ["group", name, threshold, ref members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            ["group", ..] => Err(PolicyFault::Form("group <name> all|any|<k> <member>...")),
            ["quorum", name] => self.quorum(name),
            ["quorum", ..] => Err(PolicyFault::Form("quorum <name>|none")),
            [first, ..] => Err(PolicyFault::Keyword(quote(first))),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), PolicyFault> {
        let key: VerifyingKey = key.parse().map_err(PolicyFault::Key)?;
        if self
            .logs
            .iter()
            .any(|log| log.key.as_bytes() == key.as_bytes())
        {
            return Err(PolicyFault::SameKey);
        }
        if self.logs.len() == Policy::MAX_LINES {
            return Err(PolicyFault::TooMany);
        }
        // Whatever may be the name of a key may be an origin.
        let origin = key.name().parse();
        let origin = origin.map_err(|_| PolicyFault::Key(KeyError::Name))?;
        let url = url.map(str::to_owned);
        self.logs.push(Log { origin, key, url });
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), PolicyFault> {
        let key: WitnessKey = key.parse().map_err(PolicyFault::Key)?;
        let mut known = self.witnesses.iter();
        if known.any(|witness| witness.key.as_bytes() == key.as_bytes()) {
            return Err(PolicyFault::SameKey);
        }
        self.define(name, Rule::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness {
            name: name.to_owned(),
            key,
            url: url.map(str::to_owned),
        });
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), PolicyFault> {
        let max = members.len();
        let given = decimal(threshold).and_then(|count| usize::try_from(count).ok());
        let threshold = match threshold {
            "all" => max,
            "any" => 1,
            _ => given
                .filter(|count| (1..=max).contains(count))
                .ok_or_else(|| PolicyFault::Threshold {
                    got: quote(threshold),
                    max,
                })?,
        };
        let mut of = Vec::new();
        for member in members {
            let at = self.find(member)?;
            let taken = self.names.get_mut(at).map(|(_, taken)| taken);
            if taken.is_some_and(|taken| std::mem::replace(taken, true)) {
                return Err(PolicyFault::MemberTwice(quote(member)));
            }
            of.push(at);
        }
        self.define(name, Rule::Group { threshold, of })
    }

    fn quorum(&mut self, name: &str) -> Result<(), PolicyFault> {
        if self.quorum.is_some() {
            return Err(PolicyFault::SecondQuorum);
        }
        self.quorum = Some(match name {
            NONE => Quorum::None,
            name => Quorum::Rule(self.find(name)?),
        });
        Ok(())
    }

    fn find(&self, name: &str) -> Result<usize, PolicyFault> {
        let at = self.names.iter().position(|(known, _)| known == name);
        at.ok_or_else(|| PolicyFault::UnknownName(quote(name)))
    }

    fn define(&mut self, name: &str, rule: Rule) -> Result<(), PolicyFault> {
        if name == NONE || self.find(name).is_ok() {
            return Err(PolicyFault::SameName(quote(name)));
        }
        if self.rules.len() == Policy::MAX_LINES {
            return Err(PolicyFault::TooMany);
        }
        self.names.push((name.to_owned(), false));
        self.rules.push(rule);
        Ok(())
    }
}

const NONE: &str = "none";
