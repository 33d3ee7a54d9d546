//! Directories: what has which name now, and what may have it after a stop.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    io,
    path::{Component, Path, PathBuf},
};

use super::random::Generator;

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    File(u64),
    Directory(u64),
}

/// All directories. The root, which is always there, is number 0.
#[derive(Clone, Debug)]
pub(super) struct Names {
    directories: BTreeMap<u64, Directory>,
}

#[derive(Clone, Debug, Default)]
struct Directory {
    now: BTreeMap<OsString, Node>,
    durable: BTreeMap<OsString, Node>,
    /// What was done to it since it was last durable.
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Link(OsString, Node),
    Unlink(OsString),
    Rename(OsString, OsString, Node),
}

impl Default for Names {
    fn default() -> Self {
        Self {
            directories: BTreeMap::from([(0, Directory::default())]),
        }
    }
}

impl Names {
    pub(super) fn file(&self, path: &Path) -> io::Result<u64> {
        let (directory, name) = self.place(path)?;
        let directory = self.directories.get(&directory).ok_or_else(missing)?;
        match directory.now.get(name) {
            Some(Node::File(file)) => Ok(*file),
            Some(Node::Directory(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(missing()),
        }
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        self.directory(path).is_ok()
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let number = self.directory(dir)?;
        let names = self.directories.get(&number).map(|found| found.now.keys());
        Ok(names
            .into_iter()
            .flatten()
            .map(|name| dir.join(name))
            .collect())
    }

    pub(super) fn link(&mut self, path: &Path, node: Node) -> io::Result<()> {
        let (directory, name) = self.place(path)?;
        self.change(directory, Change::Link(name.to_owned(), node))
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        let (directory, name) = self.place(path)?;
        self.change(directory, Change::Unlink(name.to_owned()))
    }

    pub(super) fn remove_dir(&mut self, dir: &Path) -> io::Result<()> {
        if !self.list(dir)?.is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        let (directory, name) = self.place(dir)?;
        self.change(directory, Change::Unlink(name.to_owned()))
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let file = Node::File(self.file(from)?);
        let (directory, from) = self.place(from)?;
        let (other, to) = self.place(to)?;
        if other != directory {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let change = Change::Rename(from.to_owned(), to.to_owned(), file);
        self.change(directory, change)
    }

    pub(super) fn create_dir(&mut self, path: &Path) -> io::Result<()> {
        let (directory, name) = self.place(path)?;
        let above = self.directories.get(&directory).ok_or_else(missing)?;
        if above.now.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = self.directories.len() as u64;
        self.directories.insert(number, Directory::default());
        let node = Node::Directory(number);
        self.change(directory, Change::Link(name.to_owned(), node))
    }

    pub(super) fn sync(&mut self, dir: &Path) -> io::Result<()> {
        let number = self.directory(dir)?;
        let directory = self.directories.get_mut(&number).ok_or_else(missing)?;
        directory.durable.clone_from(&directory.now);
        directory.unsynced.clear();
        Ok(())
    }

    /// Becomes what is found after a stop.
    pub(super) fn lose(&mut self, random: &mut Generator) {
        for directory in self.directories.values_mut() {
            let mut found = std::mem::take(&mut directory.durable);
            for change in std::mem::take(&mut directory.unsynced) {
                if random.survives() {
                    apply(&mut found, change);
                }
            }
            directory.now.clone_from(&found);
            directory.durable = found;
        }
    }

    /// Every file that has a name.
    pub(super) fn files(&self) -> BTreeSet<u64> {
        let mut files = BTreeSet::new();
        self.walk(0, Path::new("/"), &mut |_, file| {
            files.insert(file);
        });
        files
    }

    /// Every file that has a name, or may have one after a stop.
    pub(super) fn needed(&self) -> BTreeSet<u64> {
        let mut files = BTreeSet::new();
        for directory in self.directories.values() {
            let changed = directory.unsynced.iter().filter_map(|change| match change {
                Change::Link(_, node) | Change::Rename(_, _, node) => Some(node),
                Change::Unlink(_) => None,
            });
            let named = directory.now.values().chain(directory.durable.values());
            files.extend(named.chain(changed).filter_map(|node| match node {
                Node::File(file) => Some(*file),
                Node::Directory(_) => None,
            }));
        }
        files
    }

    /// The paths of all files.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        self.walk(0, Path::new("/"), &mut |path, _| paths.push(path));
        paths
    }

    fn walk(&self, number: u64, at: &Path, found: &mut dyn FnMut(PathBuf, u64)) {
        let entries = self.directories.get(&number).map(|found| found.now.iter());
        for (name, node) in entries.into_iter().flatten() {
            match node {
                Node::File(file) => found(at.join(name), *file),
                Node::Directory(below) => self.walk(*below, &at.join(name), found),
            }
        }
    }

    /// The directory that something is in, and its name there.
    fn place<'a>(&self, path: &'a Path) -> io::Result<(u64, &'a OsStr)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let above = path.parent().unwrap_or(Path::new("/"));
        Ok((self.directory(above)?, name))
    }

    fn directory(&self, path: &Path) -> io::Result<u64> {
        let mut number = 0;
        for part in path.components() {
            if let Component::Normal(name) = part {
                let directory = self.directories.get(&number).ok_or_else(missing)?;
                number = match directory.now.get(name) {
                    Some(Node::Directory(below)) => *below,
                    Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                    None => return Err(missing()),
                };
            }
        }
        Ok(number)
    }

    fn change(&mut self, directory: u64, change: Change) -> io::Result<()> {
        let directory = self.directories.get_mut(&directory).ok_or_else(missing)?;
        apply(&mut directory.now, change.clone());
        directory.unsynced.push(change);
        Ok(())
    }
}

fn apply(names: &mut BTreeMap<OsString, Node>, change: Change) {
    match change {
        Change::Link(name, node) => {
            names.insert(name, node);
        }
        Change::Unlink(name) => {
            names.remove(&name);
        }
        Change::Rename(from, to, node) => {
            if names.get(&from) == Some(&node) {
                names.remove(&from);
            }
            names.insert(to, node);
        }
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}
