//! The subject of a request: it may say less than the certificate is going to say, never something else.

use x509_parser::{
    oid_registry::{
        OID_X509_COMMON_NAME, OID_X509_COUNTRY_NAME, OID_X509_ORGANIZATION_NAME,
        OID_X509_ORGANIZATIONAL_UNIT, OID_X509_SERIALNUMBER,
    },
    x509::{AttributeTypeAndValue, X509Name},
};

use super::refusal::{Refusal, name_of};
use crate::profile::Holder;

/// The country of every holder. Organisations elsewhere have an OIN as well (prefix 00000008).
pub(crate) const COUNTRY: &str = "NL";

pub(super) fn check(subject: &X509Name<'_>, holder: &Holder, refused: &mut Vec<Refusal>) {
    for attribute in subject.iter_attributes() {
        let kind = attribute.attr_type();
        let (name, wanted) = if *kind == OID_X509_SERIALNUMBER {
            check_oin(attribute, holder, refused);
            continue;
        } else if *kind == OID_X509_COUNTRY_NAME {
            ("country", Some(COUNTRY))
        } else if *kind == OID_X509_ORGANIZATION_NAME {
            ("organisation", Some(holder.name.as_str()))
        } else if *kind == OID_X509_COMMON_NAME {
            ("common name", Some(holder.name.as_str()))
        } else if *kind == OID_X509_ORGANIZATIONAL_UNIT {
            ("unit", holder.unit.as_deref())
        } else {
            let name = name_of(kind);
            refused.push(Refusal::SubjectAttribute { name });
            continue;
        };
        if attribute.as_str().ok() != wanted {
            refused.push(Refusal::Subject {
                attribute: name,
                found: shown(attribute),
                wanted: wanted.map_or_else(|| "none".to_owned(), |wanted| format!("`{wanted}`")),
            });
        }
    }
    if subject.iter_by_oid(&OID_X509_SERIALNUMBER).count() > 1 {
        refused.push(Refusal::SubjectAttribute {
            name: "several serial numbers (2.5.4.5)".to_owned(),
        });
    }
}

fn check_oin(attribute: &AttributeTypeAndValue<'_>, holder: &Holder, refused: &mut Vec<Refusal>) {
    if attribute.as_str().ok() != Some(holder.oin.as_str()) {
        refused.push(Refusal::OtherOin {
            found: shown(attribute),
            wanted: holder.oin.to_string(),
        });
    }
}

/// At most 80 characters, the unprintable ones escaped: it goes to a terminal.
fn shown(attribute: &AttributeTypeAndValue<'_>) -> String {
    let text = attribute.as_str().unwrap_or("(no text)");
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
