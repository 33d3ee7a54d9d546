//! How a person is named on the command line.

use std::io::Read as _;

use schakel_api::v1::{self, subject_ref::Reference};

use crate::exit::Failure;

/// The person a command is about. `-` in place of a value reads it from standard input, so that it shows in
/// no process list and no history.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SubjectArgs {
    /// The person's citizen service number; `-` reads it from standard input.
    #[arg(long, value_name = "NUMBER")]
    bsn: Option<String>,
    /// The person's criminal justice number; `-` reads it from standard input.
    #[arg(long, value_name = "NUMBER")]
    skn: Option<String>,
    /// Your own mark of the person, bound by redeeming an introduction.
    #[arg(long, value_name = "MARK")]
    client_ref: Option<String>,
    /// The case.
    #[arg(long, value_name = "ID")]
    case: Option<String>,
}

/// The person a command may be narrowed to.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "narrow", required = false, multiple = false)]
pub(crate) struct MaybeSubjectArgs {
    /// The person's citizen service number; `-` reads it from standard input.
    #[arg(long, value_name = "NUMBER")]
    bsn: Option<String>,
    /// The person's criminal justice number; `-` reads it from standard input.
    #[arg(long, value_name = "NUMBER")]
    skn: Option<String>,
    /// Your own mark of the person.
    #[arg(long, value_name = "MARK")]
    client_ref: Option<String>,
    /// The case.
    #[arg(long, value_name = "ID")]
    case: Option<String>,
}

impl SubjectArgs {
    /// The person, as it is sent.
    pub(crate) fn reference(self) -> Result<v1::SubjectRef, Failure> {
        let Self {
            bsn,
            skn,
            client_ref,
            case,
        } = self;
        reference(bsn, skn, client_ref, case)?.ok_or_else(|| {
            Failure::usage("Name the person by --bsn, --skn, --client-ref or --case.")
        })
    }
}

impl MaybeSubjectArgs {
    /// The person, as it is sent, when one is named.
    pub(crate) fn reference(self) -> Result<Option<v1::SubjectRef>, Failure> {
        let Self {
            bsn,
            skn,
            client_ref,
            case,
        } = self;
        reference(bsn, skn, client_ref, case)
    }
}

/// The value, or what standard input says when it is `-`.
pub(crate) fn typed(value: String) -> Result<String, Failure> {
    if value != "-" {
        return Ok(value);
    }
    let mut text = String::new();
    let read = std::io::stdin().take(1024).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("Standard input cannot be read: {error}.")))?;
    Ok(text.trim().to_owned())
}

fn reference(
    bsn: Option<String>,
    skn: Option<String>,
    client_ref: Option<String>,
    case: Option<String>,
) -> Result<Option<v1::SubjectRef>, Failure> {
    let named = [
        bsn.map(typed).transpose()?.map(Reference::Bsn),
        skn.map(typed).transpose()?.map(Reference::Skn),
        client_ref.map(typed).transpose()?.map(Reference::ClientRef),
        case.map(Reference::CaseId),
    ];
    let reference = named.into_iter().flatten().next();
    Ok(reference.map(|reference| v1::SubjectRef {
        reference: Some(reference),
    }))
}
