//! Reading a leaf back, strictly.

use super::{EntryType, Leaf, LeafError, Month, RetentionClass, cbor::Reader};

pub(super) fn decode(bytes: &[u8]) -> Result<Leaf, LeafError> {
    if bytes.len() > Leaf::MAX_LEN {
        return Err(LeafError::TooLong { len: bytes.len() });
    }
    let mut map = Map::open(bytes)?;
    map.required(0, "version", read_version)?;
    let leaf = Leaf {
        entry_type: map.required(1, "entry type", read_entry_type)?,
        at_ms: map.required(2, "time", Reader::uint)?,
        party: map.required(3, "party", read_text)?,
        transport: map.optional(4, read_text)?,
        purpose: map.optional(5, read_purpose)?,
        id: map.required(6, "id", |r| r.bytes("id"))?,
        commitment: map.required(7, "commitment", |r| r.bytes("commitment"))?,
        released: map.optional(8, |r| r.bytes("commitment to what was released"))?,
        subject_tag: map.optional(9, |r| r.bytes("subject tag"))?,
        class: map.required(10, "retention class", read_class)?,
        destroy: map.optional(11, read_month)?,
        rules: map.optional(12, |r| r.bytes("rules digest"))?,
    };
    map.close()?;
    Ok(leaf)
}

/// A map whose keys are read in ascending order, one ahead of its value.
struct Map<'a> {
    reader: Reader<'a>,
    /// How many pairs follow that of `key`.
    left: u64,
    /// The key whose value comes next, and where it stands.
    key: Option<(u64, usize)>,
}

impl<'a> Map<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, LeafError> {
        let mut reader = Reader::new(bytes);
        let left = reader.map()?;
        let mut map = Self {
            reader,
            left,
            key: None,
        };
        map.next_key()?;
        Ok(map)
    }

    fn required<T>(
        &mut self,
        key: u64,
        field: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, LeafError>,
    ) -> Result<T, LeafError> {
        self.optional(key, read)?
            .ok_or(LeafError::Missing { field })
    }

    fn optional<T>(
        &mut self,
        key: u64,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, LeafError>,
    ) -> Result<Option<T>, LeafError> {
        if self.key.is_none_or(|(next, _)| next != key) {
            return Ok(None);
        }
        let value = read(&mut self.reader)?;
        self.next_key()?;
        Ok(Some(value))
    }

    /// Nothing may be left: a key that nobody asked for is none of a leaf's.
    fn close(self) -> Result<(), LeafError> {
        match self.key {
            Some((key, at)) => Err(LeafError::UnknownKey { at, key }),
            None => self.reader.end(),
        }
    }

    fn next_key(&mut self) -> Result<(), LeafError> {
        let Some(left) = self.left.checked_sub(1) else {
            self.key = None;
            return Ok(());
        };
        let at = self.reader.at();
        let key = self.reader.uint()?;
        if self.key.is_some_and(|(before, _)| key <= before) {
            return Err(LeafError::KeyOrder { at, key });
        }
        self.left = left;
        self.key = Some((key, at));
        Ok(())
    }
}

fn read_version(reader: &mut Reader<'_>) -> Result<(), LeafError> {
    match reader.uint()? {
        Leaf::VERSION => Ok(()),
        got => Err(LeafError::Version { got }),
    }
}

fn read_entry_type(reader: &mut Reader<'_>) -> Result<EntryType, LeafError> {
    let got = reader.uint()?;
    EntryType::from_number(got).ok_or(LeafError::EntryType { got })
}

fn read_class(reader: &mut Reader<'_>) -> Result<RetentionClass, LeafError> {
    let got = reader.uint()?;
    RetentionClass::from_number(got).ok_or(LeafError::Class { got })
}

fn read_text(reader: &mut Reader<'_>) -> Result<String, LeafError> {
    reader.text().map(str::to_owned)
}

fn read_purpose(reader: &mut Reader<'_>) -> Result<(String, u32), LeafError> {
    let got = reader.array()?;
    if got != 2 {
        return Err(LeafError::Length {
            field: "purpose",
            want: 2,
            got,
        });
    }
    let code = read_text(reader)?;
    let got = reader.uint()?;
    let version = u32::try_from(got).map_err(|_| LeafError::PurposeVersion { got })?;
    Ok((code, version))
}

fn read_month(reader: &mut Reader<'_>) -> Result<Month, LeafError> {
    Ok(Month::from_number(reader.uint()?)?)
}
