//! Invariant 13 from outside: every method of the interface, called by every role.

use prost::{Message as _, bytes::Bytes};
use prost_types::FileDescriptorSet;
use schakel_server::access::{Admits, TABLE};
use schakel_tests::{TestBroker, reason};
use tonic::{Code, Request, client::Grpc, codegen::http::uri::PathAndQuery};

/// One party of each role.
const PARTIES: [(&str, schakel_core::code::Role); 11] = {
    use schakel_core::code::Role::{
        Administrator, Auditor, CareProvider, DebtCounsellor, HousingAssociation, Municipality, Pi,
        PrivacyOfficer, Probation, SafetyHouse, Uwv,
    };
    [
        ("pi-noord", Pi),
        ("gemeente-oost", Municipality),
        ("reclassering-test", Probation),
        ("zorg-midden", CareProvider),
        ("uwv-test", Uwv),
        ("wonen-zuid", HousingAssociation),
        ("schuld-oost", DebtCounsellor),
        ("veilig-test", SafetyHouse),
        ("fg-gemeente-oost", PrivacyOfficer),
        ("toetser", Auditor),
        ("beheer-een", Administrator),
    ]
};

/// The paths of every method in the interface's description.
fn methods() -> Vec<String> {
    let described = FileDescriptorSet::decode(schakel_api::DESCRIPTORS).unwrap();
    let mut paths = Vec::new();
    for file in described
        .file
        .iter()
        .filter(|file| file.package() == "schakel.v1")
    {
        for service in &file.service {
            let path = |method: &prost_types::MethodDescriptorProto| {
                format!("/schakel.v1.{}/{}", service.name(), method.name())
            };
            paths.extend(service.method.iter().map(path));
        }
    }
    paths
}

/// Calls a method with an empty message, and gives the reason of the refusal, if it is one.
async fn refusal(channel: tonic::transport::Channel, path: &str) -> Option<(Code, String)> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path: PathAndQuery = path.parse().unwrap();
    let codec = tonic_prost::ProstCodec::<(), Bytes>::default();
    // Every message may be empty on the wire; what it must hold is judged after who may call.
    let answer = grpc.server_streaming(Request::new(()), path, codec).await;
    let status = match answer {
        Err(status) => status,
        Ok(stream) => stream.into_inner().message().await.err()?,
    };
    Some((status.code(), reason(&status)))
}

/// Whoever stands in the table for a method gets past the door; nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_13_every_method_admits_whom_the_table_says() {
    let broker = TestBroker::start().await;
    let methods = methods();
    assert!(methods.len() >= 30, "{methods:?}");
    let (mut admitted, mut refused) = (0, 0);
    for (id, role) in PARTIES {
        let party = broker.party(id).await;
        for path in &methods {
            let method = TABLE
                .iter()
                .find(|method| method.path == path)
                .expect("it stands in the table");
            let may = match method.admits {
                Admits::Anyone | Admits::Party => true,
                Admits::Roles(roles) => roles.contains(&role),
            };
            let got = refusal(party.channel(), path).await;
            let at_door = got == Some((Code::PermissionDenied, "METHOD_NOT_FOR_ROLE".to_owned()));
            assert_eq!(at_door, !may, "{id} {path}: {got:?}");
            if may { admitted += 1 } else { refused += 1 }
        }
    }
    assert!(admitted > 100 && refused > 100, "{admitted} {refused}");
}
