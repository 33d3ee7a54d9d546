//! What can be wrong with a leaf.

use thiserror::Error;

use super::{Leaf, MonthError, RetentionClass};

/// Why something is not a leaf.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LeafError {
    /// Longer than any leaf.
    #[error("{len} bytes cannot be a leaf: the longest has {}", Leaf::MAX_LEN)]
    TooLong {
        /// The length given, in bytes.
        len: usize,
    },
    /// The bytes end too early.
    #[error("the leaf is cut short: more must follow byte {at}")]
    Truncated {
        /// The length of what there is.
        at: usize,
    },
    /// A value is spelled in another way than the deterministic one.
    #[error("byte {at} begins a value that is not in its shortest form of definite length")]
    NotCanonical {
        /// Where the value begins.
        at: usize,
    },
    /// A value is of another CBOR type than its place wants.
    #[error("byte {at} begins {got} where {want} must stand")]
    Kind {
        /// Where the value begins.
        at: usize,
        /// The type its place wants.
        want: &'static str,
        /// The type it has.
        got: &'static str,
    },
    /// A key is not greater than the one before it.
    #[error("key {key} at byte {at} is out of order: keys ascend, each there once at most")]
    KeyOrder {
        /// Where the key begins.
        at: usize,
        /// The key.
        key: u64,
    },
    /// A key that the format does not have.
    #[error("key {key} at byte {at} is none of a leaf's")]
    UnknownKey {
        /// Where the key begins.
        at: usize,
        /// The key.
        key: u64,
    },
    /// A field that every leaf has is not there.
    #[error("the leaf has no {field}")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field is of another length than its own.
    #[error("the {field} has length {got} where it must have {want}")]
    Length {
        /// The field.
        field: &'static str,
        /// The length it must have.
        want: u64,
        /// The length it has.
        got: u64,
    },
    /// Something follows the leaf.
    #[error("the leaf ends before byte {at}, yet more follows")]
    Trailing {
        /// Where the leaf has ended.
        at: usize,
    },
    /// Another version of the format.
    #[error(
        "leaf version {got} is unknown: this program reads version {}",
        Leaf::VERSION
    )]
    Version {
        /// The version given.
        got: u64,
    },
    /// A number that is no entry type.
    #[error("entry type {got} is unknown")]
    EntryType {
        /// The number given.
        got: u64,
    },
    /// A number that is no retention class.
    #[error("retention class {got} is unknown")]
    Class {
        /// The number given.
        got: u64,
    },
    /// A version of a purpose beyond what is ever registered.
    #[error("purpose version {got} is too great: the greatest is {}", u32::MAX)]
    PurposeVersion {
        /// The number given.
        got: u64,
    },
    /// The month of destruction is no month.
    #[error("the month of destruction is not one")]
    Month(#[from] MonthError),
    /// A name is not spelled as its field wants.
    #[error("the {field} `{text}` must be {rule}")]
    Name {
        /// The field.
        field: &'static str,
        /// What stands there, shortened and escaped.
        text: String,
        /// What must stand there.
        rule: &'static str,
    },
    /// The party is given as its own transport: without delegation there is none.
    #[error("the transport party must be left out when it is the party itself")]
    OwnTransport,
    /// The class says when details are destroyed, but the leaf does not.
    #[error("a leaf of class {class} must name the month of destruction")]
    DestroyMissing {
        /// The class.
        class: RetentionClass,
    },
    /// The leaf says when its details are destroyed, but its class does not.
    #[error("a leaf of class {class} must not name a month of destruction")]
    DestroyUnwanted {
        /// The class.
        class: RetentionClass,
    },
}
