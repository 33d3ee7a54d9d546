//! A batch of questions.

use std::path::Path;

use schakel_api::v1::{self, subject_ref::Reference};
use serde::Deserialize;

use crate::{code::Code, exit::Failure};

/// The file: one `[[item]]` a question, and above them what holds for every one that does not say otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    purpose: Option<String>,
    purpose_version: Option<u32>,
    conditions: Option<Vec<String>>,
    granularity: Option<String>,
    #[serde(default)]
    item: Vec<Item>,
}

/// One question about one person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    bsn: Option<String>,
    skn: Option<String>,
    client_ref: Option<String>,
    case_id: Option<String>,
    purpose: Option<String>,
    purpose_version: Option<u32>,
    conditions: Option<Vec<String>>,
    granularity: Option<String>,
}

/// Reads the questions of a file.
pub(crate) fn items(path: &Path) -> Result<Vec<v1::AskItem>, Failure> {
    let mut batch: Batch = super::read(path)?;
    let items = std::mem::take(&mut batch.item);
    if items.is_empty() {
        let said = format!(
            "`{}` asks nothing: add one [[item]] for each person.",
            path.display()
        );
        return Err(Failure::usage(said));
    }
    let read = |(at, item): (usize, Item)| item.read(&batch).map_err(|said| refused(at, &said));
    items.into_iter().enumerate().map(read).collect()
}

impl Item {
    fn read(self, batch: &Batch) -> Result<v1::AskItem, String> {
        let named = [
            self.bsn.map(Reference::Bsn),
            self.skn.map(Reference::Skn),
            self.client_ref.map(Reference::ClientRef),
            self.case_id.map(Reference::CaseId),
        ];
        let mut named = named.into_iter().flatten();
        let (Some(reference), None) = (named.next(), named.next()) else {
            return Err("name the person by one of bsn, skn, client_ref and case_id".into());
        };
        let purpose = self.purpose.or_else(|| batch.purpose.clone());
        let conditions = self.conditions.or_else(|| batch.conditions.clone());
        let granularity = self.granularity.or_else(|| batch.granularity.clone());
        let conditions = conditions.ok_or("conditions must be given")?;
        Ok(v1::AskItem {
            subject: Some(v1::SubjectRef {
                reference: Some(reference),
            }),
            purpose: purpose.ok_or("purpose must be given")?,
            purpose_version: self.purpose_version.or(batch.purpose_version),
            conditions: conditions
                .iter()
                .map(|text| code::<v1::Condition>("conditions", text))
                .collect::<Result<_, _>>()?,
            granularity: match granularity {
                Some(text) => code::<v1::Granularity>("granularity", &text)?,
                None => v1::Granularity::Signal.into(),
            },
        })
    }
}

/// The number of a code in a file.
pub(super) fn code<C: Code + Into<i32>>(field: &str, text: &str) -> Result<i32, String> {
    let code = C::parse(text).ok_or_else(|| {
        let codes: Vec<_> = C::ALL.iter().map(|code| code.short()).collect();
        format!("{field} must be one of {}", codes.join(", "))
    })?;
    Ok(code.into())
}

fn refused(at: usize, said: &str) -> Failure {
    Failure::usage(format!("Question {} cannot be asked: {said}.", at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<v1::AskItem>, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("batch.toml");
        std::fs::write(&path, text).unwrap();
        items(&path)
    }

    #[test]
    fn an_item_says_only_what_is_different() {
        let items = read(
            "purpose = \"P-ARRANGE-HOUSING\"\nconditions = [\"HOUSING\"]\n\
             [[item]]\nclient_ref = \"a\"\n[[item]]\nclient_ref = \"b\"\ngranularity = \"STATUS\"\n",
        )
        .unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].purpose, items[1].purpose);
        assert_eq!(items[0].granularity(), v1::Granularity::Signal);
        assert_eq!(items[1].granularity(), v1::Granularity::Status);
        assert_eq!(items[1].conditions, [i32::from(v1::Condition::Housing)]);
    }

    #[test]
    fn what_cannot_be_asked_is_named_by_item_and_rule_and_never_repeated() {
        let head = "purpose = \"P-A\"\nconditions = [\"HOUSING\"]\n";
        for (text, said) in [
            ("[[item]]\n", "name the person"),
            (
                "[[item]]\nbsn = \"999999990\"\nskn = \"1\"\n",
                "name the person",
            ),
            (
                "[[item]]\nbsn = \"999999990\"\nconditions = [\"HOME\"]\n",
                "conditions must be one of",
            ),
            (
                "[[item]]\nbsn = \"999999990\"\nname = \"Jan\"\n",
                "unknown field `name`",
            ),
            ("", "asks nothing"),
        ] {
            let failure = read(&format!("{head}{text}")).unwrap_err();
            assert!(failure.message.contains(said), "{}", failure.message);
            assert!(!failure.message.contains("999999990") && !failure.message.contains("Jan"));
        }
    }
}
