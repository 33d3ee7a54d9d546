//! The access table against the descriptor of `proto/`: no method escapes it, and it says what they say.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::{
    FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
};

use super::*;

/// The interface of the broker. `schakel.bench.v1` is served by the benchmark alone; `schakel.enrolment.v1` at an
/// address of its own to whoever has a token, where nobody has a role yet.
const PACKAGE: &str = "schakel.v1";

/// A method as the descriptor has it.
struct Described {
    streams: bool,
    comment: String,
}

fn described() -> BTreeMap<String, Described> {
    files()
        .iter()
        .filter(|file| file.package() == PACKAGE)
        .flat_map(methods_of)
        .collect()
}

fn files() -> Vec<FileDescriptorProto> {
    FileDescriptorSet::decode(schakel_api::DESCRIPTORS)
        .unwrap()
        .file
}

fn methods_of(file: &FileDescriptorProto) -> Vec<(String, Described)> {
    let comments: BTreeMap<&[i32], &str> = file
        .source_code_info
        .iter()
        .flat_map(|info| &info.location)
        .map(|location| (location.path.as_slice(), location.leading_comments()))
        .collect();
    let mut found = Vec::new();
    for (number, service) in file.service.iter().enumerate() {
        for (at, method) in service.method.iter().enumerate() {
            // Field 6 of a file are its services, field 2 of a service its methods.
            let place = [6, number.try_into().unwrap(), 2, at.try_into().unwrap()];
            let comment = comments.get(place.as_slice()).copied().unwrap_or_default();
            let described = Described {
                streams: method.server_streaming() || method.client_streaming(),
                comment: comment.split_whitespace().collect::<Vec<_>>().join(" "),
            };
            let path = format!("/{PACKAGE}.{}/{}", service.name(), method.name());
            found.push((path, described));
        }
    }
    found
}

/// The roles that the comment of a method names.
fn roles_in(comment: &str) -> Admits2 {
    let text = comment.split_once("Role: ").expect(comment).1;
    let text = text.split_once('.').unwrap().0;
    let mut roles = BTreeSet::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        roles.extend(word.parse::<Role>());
    }
    if text == "every party" {
        return Admits2::Party;
    }
    if text.starts_with("every partner") {
        roles.extend(PARTNERS);
    }
    if text.contains("a privacy officer") {
        roles.insert(PrivacyOfficer);
    }
    if text.contains("the municipality of return itself") {
        roles.insert(Municipality);
    }
    Admits2::Roles(roles)
}

#[derive(Debug, PartialEq)]
enum Admits2 {
    Anyone,
    Party,
    Roles(BTreeSet<Role>),
}

impl From<Admits> for Admits2 {
    fn from(admits: Admits) -> Self {
        match admits {
            Anyone => Self::Anyone,
            Party => Self::Party,
            Roles(roles) => Self::Roles(roles.iter().copied().collect()),
        }
    }
}

#[test]
fn every_rpc_stands_in_the_access_table() {
    let described = described();
    assert!(
        described.len() > 30,
        "the descriptor holds {} methods",
        described.len()
    );
    for (path, rpc) in &described {
        let method = method(path).unwrap_or_else(|| panic!("{path} is not in the access table"));
        assert_eq!(method.streams, rpc.streams, "{path}");
    }
    for method in TABLE.iter().filter(|method| method.path.contains(PACKAGE)) {
        assert!(
            described.contains_key(method.path),
            "{} is no method",
            method.path
        );
    }
}

/// What has no row is served to nobody who is asked for a certificate; a second method for guests is to be noticed.
#[test]
fn two_methods_alone_have_no_row() {
    let files = files();
    let beside = files
        .iter()
        .filter(|file| file.package().starts_with("schakel.") && file.package() != PACKAGE);
    let mut methods: Vec<_> = beside
        .flat_map(|file| {
            let of = move |service: &ServiceDescriptorProto| -> Vec<String> {
                let path = |method: &MethodDescriptorProto| {
                    format!("{}.{}/{}", file.package(), service.name(), method.name())
                };
                service.method.iter().map(path).collect()
            };
            file.service.iter().flat_map(of)
        })
        .collect();
    methods.sort();
    assert_eq!(
        methods,
        [
            "schakel.bench.v1.EchoService/Echo",
            "schakel.enrolment.v1.EnrolmentService/Enrol",
        ]
    );
}

#[test]
fn the_table_says_what_the_comments_of_the_methods_say() {
    for (path, rpc) in described() {
        let method = method(&path).unwrap();
        assert_eq!(
            Admits2::from(method.admits),
            roles_in(&rpc.comment),
            "{path}"
        );
    }
}

#[test]
fn the_table_is_in_order_and_nothing_stands_in_it_twice() {
    assert!(TABLE.is_sorted_by(|one, next| one.path < next.path));
    for entry in TABLE {
        assert_eq!(method(entry.path), Some(entry));
        assert!(entry.path.ends_with(entry.name));
    }
}

#[test]
fn what_does_not_stand_in_the_table_is_refused() {
    for path in [
        "",
        "/",
        "/schakel.v1.CasesService/",
        "/schakel.v1.CasesService/opencase",
        "/schakel.v1.CasesService/OpenCase/",
        "/schakel.bench.v1.EchoService/Echo",
    ] {
        assert_eq!(method(path), None, "{path}");
    }
}

#[test]
fn partners_are_the_roles_that_collect_consent() {
    let collectors: Vec<Role> = Role::ALL
        .iter()
        .copied()
        .filter(|role| role.collects_consent())
        .collect();
    assert_eq!(PARTNERS, collectors);
}

#[test]
fn only_a_withdrawal_is_never_refused() {
    let never: Vec<&str> = TABLE
        .iter()
        .filter(|method| method.never_refused)
        .map(|method| method.name)
        .collect();
    assert_eq!(never, ["ConsentsService/WithdrawConsent"]);
}

#[test]
fn what_makes_somebody_known_by_a_number_is_bounded_in_time() {
    let names: Vec<&str> = TABLE
        .iter()
        .filter(|method| method.names)
        .map(|method| method.name)
        .collect();
    assert_eq!(
        names,
        [
            "AuditService/RecordWithholding",
            "CasesService/OpenCase",
            "ConsentsService/RecordConsent",
            "ConsentsService/RecordRestriction",
        ]
    );
}

#[test]
fn a_role_opens_exactly_the_methods_of_its_row() {
    let peer = |role| Peer {
        principal: "pi-noord".parse().unwrap(),
        transport: "pi-noord".parse().unwrap(),
        roles: vec![role],
        unit: None,
    };
    let open = method("/schakel.v1.CasesService/OpenCase").unwrap();
    for role in Role::ALL {
        assert_eq!(open.admits(&peer(*role)), *role == Pi, "{role}");
    }
}
