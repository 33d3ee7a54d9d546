//! `schakel export entries`: see `schakel_audit::export` for the format.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use schakel_api::v1::{self, exported_entry};
use schakel_audit::{
    export::{Details, End, Entry, Head, Line},
    tree::Hash,
};
use schakel_client::Section;

use super::{
    RunArgs,
    approval::{self, Course},
    go_on, keep, patiently,
    state::State,
};
use crate::{
    exit::{Exit, Failure, file_failure},
    file::{private, sync_parent},
    session::Session,
    view,
};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct EntriesArgs {
    /// The file to write to.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    run: RunArgs,
}

pub(super) async fn run(session: &Session, args: EntriesArgs) -> Result<Exit, Failure> {
    let EntriesArgs { to, run } = args;
    let approval = run.approval.clone();
    let approved = match approval.taken(session, v1::ExportKind::Entries, &run.purpose) {
        Course::Propose(export) => return approval::propose(session, export).await,
        Course::Run(approved) => approved,
    };
    let trail = session.client.trail();
    let new = State {
        export: "entries".into(),
        origin: trail.origin().to_string(),
        to: to.display().to_string(),
        ..State::default()
    };
    let mut state = State::load(&run.state, new)?;
    let mut unsaved = state.is_newly(approved);
    let mut file = reopen(&to, state.length)?;
    let mut closed = false;
    loop {
        let section = patiently(run.follow, async || next(session, &mut state, &run).await).await?;
        let Some(section) = section else { break };
        keep(session, section.response.receipt.as_ref())?;
        let more = section.response.more;
        closed = state.approved.is_none() && section.response.controller_party_id.is_some();
        // A section of nothing says nothing, unless it is the first or more follows; an approval that the broker
        // took is kept with it or without.
        let is_told = more || state.length == 0 || !section.response.entries.is_empty();
        if is_told {
            append(&mut file, &to, &section, &mut state)?;
        }
        if is_told || unsaved {
            state.save(&run.state)?;
            unsaved = false;
        }
        if !more && !run.again().await {
            break;
        }
    }
    Ok(session.show(&view::Exported::entries(state.done, state.next, closed)))
}

async fn next(session: &Session, state: &mut State, run: &RunArgs) -> Result<Section, Failure> {
    let before = match &state.checkpoint {
        Some(note) => Some(
            session
                .client
                .trail()
                .admit(note)
                .map_err(schakel_client::ClientError::from)?,
        ),
        None => None,
    };
    let answer = go_on(state, async |state| {
        let request = v1::ExportEntriesRequest {
            actor: session.actor(),
            purpose: run.purpose.clone(),
            cursor: state.cursor(),
            from_entry: state.from(),
            page_size: run.batch,
            old_size: 0,
            search_id: state.approval(),
        };
        session
            .client
            .export_entries(request, before.as_deref())
            .await
    });
    approval::ask(session, answer).await
}

/// Opens the file where the last whole section ends; what was being written when the export was stopped is cut
/// off, and comes again.
fn reopen(path: &Path, length: u64) -> Result<File, Failure> {
    let failed = |error| file_failure("written", path, &error);
    let mut file = private()
        .read(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed)?;
    let there = file.metadata().map_err(failed)?.len();
    if length == 0 && there > 0 {
        let path = path.display();
        let said = format!("`{path}` is there already, and its state is not: name another file.");
        return Err(Failure::usage(said));
    }
    if there < length {
        let path = path.display();
        let said = format!("`{path}` has {there} bytes of the {length} that were written to it.");
        return Err(
            Failure::new(Exit::Failed, said).and("Restore it, or begin anew without a state.")
        );
    }
    file.set_len(length).map_err(failed)?;
    file.seek(SeekFrom::Start(length)).map_err(failed)?;
    sync_parent(path).map_err(failed)?;
    Ok(file)
}

/// Writes a section; it is on disk when this returns.
fn append(
    file: &mut File,
    path: &Path,
    section: &Section,
    state: &mut State,
) -> Result<(), Failure> {
    let text = lines(section)?;
    let failed = |error| file_failure("written", path, &error);
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let response = &section.response;
    state.length += text.len() as u64;
    state.checkpoint = Some(section.head.note.clone());
    state.went_on(&response.cursor, response.end, response.entries.len());
    Ok(())
}

fn lines(section: &Section) -> Result<String, Failure> {
    let response = &section.response;
    let head = Head {
        origin: section.head.checkpoint.origin.clone(),
        checkpoint: section.head.note.clone(),
        from: response.from,
        controller: response.controller_party_id.clone(),
        consistency: section.consistency.clone(),
    };
    let mut all = vec![Line::Head(head)];
    for sent in &response.entries {
        let line = entry(sent).ok_or_else(|| {
            let said = format!("Entry {} is not as the interface says it is.", sent.index);
            Failure::new(Exit::Unproved, said)
        })?;
        all.push(Line::Entry(line));
    }
    let end = End {
        end: response.end,
        entries: response.entries.len() as u64,
    };
    all.push(Line::End(end));
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    Ok(all.join("\n") + "\n")
}

fn entry(sent: &v1::ExportedEntry) -> Option<Entry> {
    let hash = |hash: &prost::bytes::Bytes| <[u8; 32]>::try_from(&**hash).ok().map(Hash::new);
    let details = match &sent.details {
        Some(exported_entry::Details::Opened(opened)) => Details::Opened {
            blind: (&*opened.blind).try_into().ok()?,
            details: opened.details.to_vec(),
        },
        Some(exported_entry::Details::Redacted(redacted)) => Details::Redacted {
            erasure: redacted.erasure,
            rule: redacted.rule.clone(),
        },
        None => Details::Withheld,
    };
    Some(Entry {
        index: sent.index,
        leaf: sent.leaf.to_vec(),
        proof: sent.hashes.iter().map(hash).collect::<Option<_>>()?,
        details,
    })
}
