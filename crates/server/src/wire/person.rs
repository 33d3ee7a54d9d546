//! Who is meant and who acts.

use schakel_api::v1;
use schakel_core::{
    code::Role,
    id::ActorRef,
    party::Peer,
    person::{ClientRef, SubjectRef},
};

use super::Fields;

/// The employees who act, by marks that mean nothing to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    /// Who acts.
    pub(crate) actor: ActorRef,
    /// Who is responsible, when that is another.
    pub(crate) responsible: Option<ActorRef>,
}

impl Fields {
    /// Reads who acts, in the field `actor`.
    pub(crate) fn who(&mut self, actor: Option<v1::Actor>) -> Option<Who> {
        self.message("actor", actor, |message, fields| {
            let v1::Actor {
                actor_ref,
                responsible_ref,
            } = message;
            let actor = fields.text("actor_ref", &actor_ref);
            let responsible = fields.optional_text("responsible_ref", responsible_ref);
            Some(Who {
                actor: actor?,
                responsible: responsible?,
            })
        })
    }

    /// Reads whom a call is about, in the field `subject`, by a reference that the caller may use.
    pub(crate) fn subject(
        &mut self,
        subject: Option<v1::SubjectRef>,
        peer: &Peer,
    ) -> Option<SubjectRef> {
        self.message("subject", subject, |message, fields| {
            read_subject(message, peer, fields)
        })
    }

    /// Reads a citizen service number, which not every role may use.
    pub(crate) fn bsn(&mut self, text: &str, peer: &Peer) -> Option<schakel_core::person::Bsn> {
        let because = "may use a citizen service number (Wabb 10-11, Wabvpz 4-9)";
        self.allowed("bsn", peer, Role::may_use_bsn, because)?;
        self.text("bsn", text)
    }

    /// Reads a criminal justice number, which not every role may use.
    pub(crate) fn skn(&mut self, text: &str, peer: &Peer) -> Option<schakel_core::person::Skn> {
        let because = "may use a criminal justice number";
        self.allowed("skn", peer, Role::may_use_skn, because)?;
        self.text("skn", text)
    }

    /// Reads a partner's own mark of a person.
    pub(crate) fn client_ref(&mut self, text: &str, peer: &Peer) -> Option<ClientRef> {
        let because = "may have a mark of their own for a person";
        self.allowed("client_ref", peer, Role::collects_consent, because)?;
        self.text("client_ref", text)
    }

    fn allowed(
        &mut self,
        field: &str,
        peer: &Peer,
        may: impl Fn(Role) -> bool,
        because: &str,
    ) -> Option<()> {
        if peer.roles.iter().any(|role| may(*role)) {
            return Some(());
        }
        let roles: Vec<_> = Role::ALL
            .iter()
            .filter(|role| may(**role))
            .map(|role| role.as_str())
            .collect();
        let rule = format!(
            "must not be used by this party: only {} {because}; name the person in another way",
            roles.join(", ")
        );
        self.refuse(field, rule);
        None
    }
}

/// Reads a reference to a person within its field.
pub(crate) fn read_subject(
    message: v1::SubjectRef,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<SubjectRef> {
    use v1::subject_ref::Reference;
    let v1::SubjectRef { reference } = message;
    match reference {
        Some(Reference::Bsn(text)) => fields.bsn(&text, peer).map(SubjectRef::Bsn),
        Some(Reference::Skn(text)) => fields.skn(&text, peer).map(SubjectRef::Skn),
        Some(Reference::ClientRef(text)) => {
            fields.client_ref(&text, peer).map(SubjectRef::ClientRef)
        }
        Some(Reference::CaseId(text)) => fields.text("case_id", &text).map(SubjectRef::Case),
        None => {
            fields.refuse(
                "",
                "must name the person: set bsn, skn, client_ref or case_id",
            );
            None
        }
    }
}

/// A reference to a person as it is sent to the party that used it itself.
pub(crate) fn subject(subject: &SubjectRef) -> v1::SubjectRef {
    use v1::subject_ref::Reference;
    let reference = match subject {
        SubjectRef::Bsn(bsn) => Reference::Bsn(bsn.reveal().to_owned()),
        SubjectRef::Skn(skn) => Reference::Skn(skn.reveal().to_owned()),
        SubjectRef::ClientRef(mark) => Reference::ClientRef(mark.reveal().to_owned()),
        SubjectRef::Case(case) => Reference::CaseId(case.to_string()),
    };
    v1::SubjectRef {
        reference: Some(reference),
    }
}

#[cfg(test)]
mod tests {
    use v1::subject_ref::Reference;

    use super::*;
    use crate::wire::{InvalidRequest, testing::peer};

    fn read(reference: Option<Reference>, role: Role) -> Result<SubjectRef, InvalidRequest> {
        let mut fields = Fields::default();
        let read = fields.subject(Some(v1::SubjectRef { reference }), &peer(role));
        fields.finish(read)
    }

    const BSN: &str = "111222333";
    const CASE: &str = "0f010203-0405-0607-0809-0a0b0c0d0eff";

    #[test]
    fn each_role_names_a_person_only_as_it_may() {
        for role in Role::ALL {
            let bsn = read(Some(Reference::Bsn(BSN.into())), *role);
            assert_eq!(bsn.is_ok(), role.may_use_bsn(), "{role}");
            let skn = read(Some(Reference::Skn("12345".into())), *role);
            assert_eq!(skn.is_ok(), role.may_use_skn(), "{role}");
            let mark = read(Some(Reference::ClientRef("x-1".into())), *role);
            assert_eq!(mark.is_ok(), role.collects_consent(), "{role}");
            assert!(read(Some(Reference::CaseId(CASE.into())), *role).is_ok());
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_the_rule_and_never_the_value() {
        let table = [
            (None, Role::Pi, "subject", "set bsn, skn"),
            (
                Some(Reference::Bsn(BSN.into())),
                Role::HousingAssociation,
                "subject.bsn",
                "only PI, MUNICIPALITY, CARE_PROVIDER, UWV, PRIVACY_OFFICER may use",
            ),
            (
                Some(Reference::Bsn("111222334".into())),
                Role::Pi,
                "subject.bsn",
                "eleven test",
            ),
            (
                Some(Reference::Skn("12345".into())),
                Role::Uwv,
                "subject.skn",
                "only PI, PROBATION may use",
            ),
            (
                Some(Reference::ClientRef("two words".into())),
                Role::Uwv,
                "subject.client_ref",
                "without spaces",
            ),
            (
                Some(Reference::CaseId("1234".into())),
                Role::Pi,
                "subject.case_id",
                "UUID",
            ),
        ];
        for (reference, role, field, rule) in table {
            let refused = read(reference, role).unwrap_err();
            assert_eq!(refused.violations.len(), 1, "{refused}");
            assert_eq!(refused.violations[0].field, field);
            let said = refused.to_string();
            assert!(said.contains(rule), "{said}");
            for value in [BSN, "111222334", "12345", "two words"] {
                assert!(!said.contains(value), "{said}");
            }
        }
    }

    #[test]
    fn a_reference_reads_back_what_was_sent() {
        for sent in [
            SubjectRef::Bsn(BSN.parse().unwrap()),
            SubjectRef::Skn("A1".parse().unwrap()),
            SubjectRef::ClientRef("k-9".parse().unwrap()),
            SubjectRef::Case(CASE.parse().unwrap()),
        ] {
            let mut fields = Fields::default();
            assert_eq!(
                read_subject(subject(&sent), &peer(Role::Pi), &mut fields),
                Some(sent)
            );
        }
    }

    #[test]
    fn who_acts_must_be_said_by_a_mark() {
        let actor = |actor_ref: &str, responsible_ref: Option<&str>| {
            let mut fields = Fields::default();
            let read = fields.who(Some(v1::Actor {
                actor_ref: actor_ref.into(),
                responsible_ref: responsible_ref.map(Into::into),
            }));
            fields.finish(read)
        };
        assert!(actor("emp-12", None).is_ok());
        let refused = actor("", Some("Jan de Vries")).unwrap_err();
        let named: Vec<_> = refused
            .violations
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert_eq!(named, ["actor.actor_ref", "actor.responsible_ref"]);
        assert!(!refused.to_string().contains("Vries"));
        let mut fields = Fields::default();
        let absent = fields.who(None);
        assert!(fields.finish(absent).is_err());
    }
}
