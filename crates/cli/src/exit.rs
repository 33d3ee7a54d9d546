//! How a command ends: its exit code, and what it says when it failed.

use std::{error::Error, io::ErrorKind, process::ExitCode};

use schakel_client::{ClientError, ConnectError, HeadError, ReceiptError, Refusal};
pub(crate) use schakel_core::text::chain;
use tonic::Code;

/// The exit codes of every command but `verify`, which documents its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The broker refused, or something else failed.
    Failed = 1,
    /// The command line, or a file it names, is not right.
    Usage = 2,
    /// The uniform denial.
    NotDisclosed = 3,
    /// The configuration is wrong.
    Configuration = 64,
    /// What the broker answered is not proved by its receipt.
    Unproved = 65,
    /// The broker cannot be reached, is overloaded or did not answer in time.
    Unavailable = 69,
}

/// What every command says at the end of its help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  refused by the broker, or failed
   2  the command line or a file it names is not right
   3  not_disclosed: nothing may be told, and not why
  64  the configuration is wrong: a file, a key, a setting
  65  the answer is not proved by its receipt: keep it and tell an auditor
  69  the broker cannot be reached, is overloaded or did not answer in time";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed: one or two plain sentences.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How to end.
    pub(crate) exit: Exit,
    /// What to say on standard error.
    pub(crate) message: String,
}

impl Failure {
    /// A failure with this to say.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    /// The command line, or a file it names, is not right.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The configuration is wrong.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(Exit::Configuration, message)
    }

    /// The same, with another sentence.
    pub(crate) fn and(mut self, sentence: &str) -> Self {
        self.message.push(' ');
        self.message.push_str(sentence);
        self
    }

    /// Whether what was asked may have been done all the same.
    pub(crate) const fn is_uncertain(&self) -> bool {
        matches!(self.exit, Exit::Unavailable | Exit::Unproved)
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let said = sentence(&chain(&error));
        match error {
            ConnectError::Unreachable { .. } => {
                Self::new(Exit::Unavailable, said).and("Is the broker running there?")
            }
            ConnectError::Tls { .. } => Self::new(Exit::Unavailable, said).and(
                "Look at both certificates: their dates, their authority, the name of the broker.",
            ),
            ConnectError::Address { .. }
            | ConnectError::Authority
            | ConnectError::Certificate
            | ConnectError::Connections { .. }
            | ConnectError::Key
            | ConnectError::Principal { .. }
            | ConnectError::ServerName { .. }
            | ConnectError::Unit { .. } => Self::configuration(said),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Connect(error) => error.into(),
            ClientError::Refused(refusal) => refused(&refusal),
            ClientError::Receipt(error) => unproved(&error, error.fork().is_some()),
            ClientError::Head(error) => {
                let forked = matches!(error, HeadError::Fork(_));
                unproved(&error, forked)
            }
            ClientError::Incomplete(_)
            | ClientError::Inconsistent { .. }
            | ClientError::Section(_) => unproved(&error, false),
            // The call was made: that its receipt was not kept must not read as if it was not.
            ClientError::Register(error) => Self::new(
                Exit::Failed,
                format!(
                    "The answer was proved, but its receipt is not kept: {}.",
                    chain(&error)
                ),
            ),
            ClientError::Entropy(_) => Self::new(Exit::Failed, sentence(&chain(&error))),
            ClientError::Deadline => Self::new(Exit::Unavailable, sentence(&error.to_string())),
            ClientError::Tls { .. } | ClientError::Transport(_) => {
                Self::new(Exit::Unavailable, sentence(&chain(&error)))
            }
        }
    }
}

impl From<ReceiptError> for Failure {
    fn from(error: ReceiptError) -> Self {
        ClientError::from(error).into()
    }
}

/// A file of the command line that cannot be read or written: that it is missing, or there already, is a matter of the
/// command line; what befalls a file that was well named is not.
pub(crate) fn file_failure(
    action: &str,
    path: &std::path::Path,
    error: &std::io::Error,
) -> Failure {
    use ErrorKind::{AlreadyExists, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    let exit = match error.kind() {
        NotFound | AlreadyExists | PermissionDenied | IsADirectory | NotADirectory => Exit::Usage,
        _ => Exit::Failed,
    };
    let said = match error.kind() {
        NotFound if action != "read" => "its directory is not there".to_owned(),
        _ => said(error),
    };
    let path = path.display();
    Failure::new(exit, format!("`{path}` cannot be {action}: {said}."))
}

/// What the operating system says, in words.
pub(crate) fn said(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "it is not allowed".to_owned(),
        ErrorKind::AlreadyExists => "it exists already, and is not overwritten".to_owned(),
        other => other.to_string(),
    }
}

/// The text with a capital and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    let stop = if text.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    format!("{}{}{stop}", first.unwrap_or_default(), characters.as_str())
}

fn refused(refusal: &Refusal) -> Failure {
    let exit = match refusal.code {
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded => Exit::Unavailable,
        _ => Exit::Failed,
    };
    if refusal.violations.is_empty() {
        let failure = Failure::new(exit, sentence(&refusal.to_string()));
        return match refusal.metadata.get("request_id") {
            Some(id) => failure.and(&format!("The request id is {id}.")),
            None => failure,
        };
    }
    let rules: Vec<String> = refusal
        .violations
        .iter()
        .map(|violation| format!("`{}` {}", violation.field, violation.rule))
        .collect();
    let failure = Failure::new(exit, format!("{}.", rules.join(";\n")));
    let mut fields = refusal.violations.iter().map(|broken| &broken.field);
    if fields.any(|field| field.split('.').next() == Some("actor")) {
        return failure.and(ACTOR);
    }
    failure
}

/// How to say who acts.
const ACTOR: &str = "Say who acts by --actor, SCHAKEL_ACTOR or `actor` in a profile: your own mark of one employee or \
                     program, never a name.";

fn unproved(error: &dyn Error, forked: bool) -> Failure {
    let said = format!("The answer is not proved: {}.", chain(error));
    let failure = Failure::new(Exit::Unproved, said);
    if forked {
        failure.and("The two notes are the evidence.")
    } else {
        failure.and("Do not rely on it; keep what you have and tell an auditor.")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schakel_client::Violation;

    use super::*;

    fn refusal(code: Code, violations: Vec<Violation>) -> Failure {
        let refusal = Refusal {
            code,
            reason: None,
            message: "too much at once".into(),
            violations,
            retry_after: None,
            metadata: BTreeMap::new(),
        };
        ClientError::Refused(refusal.into()).into()
    }

    #[test]
    fn a_broken_rule_is_told_by_field_and_rule() {
        let violation = |field: &str| Violation {
            field: field.into(),
            rule: "must be set".into(),
        };
        let failure = refusal(
            Code::InvalidArgument,
            vec![violation("purpose"), violation("item")],
        );
        assert_eq!(failure.exit, Exit::Failed);
        assert_eq!(
            failure.message,
            "`purpose` must be set;\n`item` must be set."
        );
        let actor = refusal(Code::InvalidArgument, vec![violation("actor.actor_ref")]);
        let said = actor
            .message
            .strip_prefix("`actor.actor_ref` must be set. ");
        assert_eq!(said, Some(ACTOR));
    }

    #[test]
    fn what_passes_by_itself_has_a_code_of_its_own() {
        let failure = refusal(Code::ResourceExhausted, Vec::new());
        assert_eq!(
            (failure.exit, failure.message.as_str()),
            (Exit::Unavailable, "Too much at once.")
        );
        assert_eq!(Failure::from(ClientError::Deadline).exit, Exit::Unavailable);
        let proof = ReceiptError::CheckpointText;
        assert_eq!(
            Failure::from(ClientError::Receipt(proof)).exit,
            Exit::Unproved
        );
        assert_eq!(Failure::from(ConnectError::Key).exit, Exit::Configuration);
    }
}
