//! The state of a simulated disk: what is on it, and what is planned for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{Fault, Operation, content::Content, names::Names, random::Generator};

#[derive(Debug)]
pub(super) struct State {
    pub(super) random: Generator,
    pub(super) names: Names,
    pub(super) files: BTreeMap<u64, Content>,
    pub(super) locks: BTreeSet<u64>,
    pub(super) next_file: u64,
    pub(super) operations: u64,
    pub(super) plan: BTreeMap<u64, Fault>,
    /// How many operations of a kind come before a fault in the next of them.
    pub(super) plan_in: BTreeMap<Operation, (u64, Fault)>,
    pub(super) happened: Vec<(Operation, Fault)>,
    pub(super) stopped: bool,
    pub(super) epoch: u64,
    pub(super) room: u64,
}

/// What an operation is to do.
pub(super) enum Go {
    Well,
    Partly,
    ThenFail(io::Error),
    ThenStop,
}

impl State {
    /// An empty disk.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Generator::new(seed),
            names: Names::default(),
            files: BTreeMap::new(),
            locks: BTreeSet::new(),
            next_file: 0,
            operations: 0,
            plan: BTreeMap::new(),
            plan_in: BTreeMap::new(),
            happened: Vec::new(),
            stopped: false,
            epoch: 0,
            room: u64::MAX,
        }
    }

    /// Does something that counts as an operation, with what was planned for it.
    pub(super) fn change<T>(
        &mut self,
        operation: Operation,
        work: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        let go = self.go(operation)?;
        if let Go::Partly = go {
            self.stopped = true;
            return Err(gone());
        }
        let done = work(self)?;
        self.end(go).map(|()| done)
    }

    pub(super) fn go(&mut self, operation: Operation) -> io::Result<Go> {
        self.alive()?;
        let fault = self.plan.remove(&self.operations);
        let fault = fault.or_else(|| self.planned_in(operation));
        self.operations += 1;
        self.happened.extend(fault.map(|fault| (operation, fault)));
        match fault {
            None => Ok(Go::Well),
            Some(Fault::Before(errno)) => Err(errno.into()),
            Some(Fault::After(errno)) => Ok(Go::ThenFail(errno.into())),
            Some(Fault::StopBefore) => {
                self.stopped = true;
                Err(gone())
            }
            Some(Fault::StopWithin) => Ok(Go::Partly),
            Some(Fault::StopAfter) => Ok(Go::ThenStop),
        }
    }

    pub(super) fn planned_in(&mut self, operation: Operation) -> Option<Fault> {
        let (before, fault) = self.plan_in.get_mut(&operation)?;
        let fault = *fault;
        if let Some(fewer) = before.checked_sub(1) {
            *before = fewer;
            return None;
        }
        self.plan_in.remove(&operation);
        Some(fault)
    }

    pub(super) fn end(&mut self, go: Go) -> io::Result<()> {
        match go {
            Go::Well => Ok(()),
            Go::ThenFail(error) => Err(error),
            Go::Partly | Go::ThenStop => {
                self.stopped = true;
                Err(gone())
            }
        }
    }

    pub(super) fn alive(&self) -> io::Result<()> {
        if self.stopped { Err(gone()) } else { Ok(()) }
    }

    pub(super) fn content(&mut self, file: u64) -> io::Result<&mut Content> {
        self.files.get_mut(&file).ok_or_else(gone)
    }

    /// As much of a write as there is room for.
    pub(super) fn fitting<'a>(&self, file: u64, offset: usize, bytes: &'a [u8]) -> &'a [u8] {
        let len = self.files.get(&file).map_or(0, |file| file.now().len());
        let room = self.room.saturating_sub(self.taken());
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let most = len.saturating_add(room).saturating_sub(offset);
        bytes.get(..most).unwrap_or(bytes)
    }

    pub(super) fn taken(&self) -> u64 {
        let linked = self.names.files();
        let files = linked.iter().filter_map(|file| self.files.get(file));
        files.map(|file| file.now().len() as u64).sum()
    }

    /// Loses what was not synced, in part.
    pub(super) fn lose(&mut self) {
        self.random.set_survival();
        self.names.lose(&mut self.random);
        for file in self.files.values_mut() {
            file.lose(&mut self.random);
        }
    }
}

/// Nothing can be done with a file, or at all, since everything stopped.
pub(super) fn gone() -> io::Error {
    io::Error::other("everything has stopped")
}
