"""A partner's system in Python, made with nothing but the stock gRPC tools and proto/.

It records a consent, asks, withdraws, and is then told `not_disclosed`. It checks the receipt of what it was told
with hashes of its own: no code of the broker is used.

Usage: client.py --server HOST:PORT --certificates DIR
"""

import argparse
import base64
import hashlib
import hmac
import pathlib
import time
import uuid

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from schakel.v1 import (
    cases_pb2,
    cases_pb2_grpc,
    common_pb2,
    consents_pb2,
    consents_pb2_grpc,
    exchange_pb2,
    exchange_pb2_grpc,
)

ACTOR = common_pb2.Actor(actor_ref="python-client")
BSN = "999999990"
CLIENT_REF = "python-huurder-1"
PI = "pi-noord"
MUNICIPALITY = "gemeente-oost"
HOUSING = "wonen-zuid"
DAY = 86_400


class Party:
    """One organisation's connection: mutual TLS with its own certificate."""

    def __init__(self, server: str, directory: pathlib.Path, slug: str) -> None:
        credentials = grpc.ssl_channel_credentials(
            root_certificates=(directory / "ca.cert.pem").read_bytes(),
            private_key=(directory / f"{slug}.key.pem").read_bytes(),
            certificate_chain=(directory / f"{slug}.cert.pem").read_bytes(),
        )
        options = [("grpc.ssl_target_name_override", "localhost")]
        channel = grpc.secure_channel(server, credentials, options)
        self.cases = cases_pb2_grpc.CasesServiceStub(channel)
        self.consents = consents_pb2_grpc.ConsentsServiceStub(channel)
        self.exchange = exchange_pb2_grpc.ExchangeServiceStub(channel)


def key() -> str:
    return str(uuid.uuid4())


def introduce(pi: Party, housing: Party) -> str:
    """The PI opens a case, reports, and introduces the person to the housing association."""
    opened = pi.cases.OpenCase(
        cases_pb2.OpenCaseRequest(
            idempotency_key=key(), actor=ACTOR, bsn=BSN, skn="PY1", municipality_party_id=MUNICIPALITY
        )
    ).opened
    case = common_pb2.SubjectRef(case_id=opened.case_id)
    pi.exchange.ReportStatus(
        exchange_pb2.ReportStatusRequest(
            idempotency_key=key(),
            actor=ACTOR,
            subject=case,
            condition=common_pb2.CONDITION_HOUSING,
            status=common_pb2.CONDITION_STATUS_ACTION_NEEDED,
            as_of=time.strftime("%Y-%m-%d", time.gmtime()),
            moment=common_pb2.MOMENT_ENTRY,
        )
    )
    introduction = pi.exchange.Introduce(
        exchange_pb2.IntroduceRequest(
            idempotency_key=key(),
            actor=ACTOR,
            case_id=opened.case_id,
            partner_party_id=HOUSING,
            condition=common_pb2.CONDITION_HOUSING,
        )
    ).introduction
    housing.exchange.Redeem(
        exchange_pb2.RedeemRequest(
            idempotency_key=key(), actor=ACTOR, code=introduction.code, client_ref=CLIENT_REF
        )
    )
    return opened.case_id


def record_consent(municipality: Party) -> None:
    now = int(time.time())
    text = "Mag de gemeente de woningstichting laten weten of u hulp bij wonen nodig heeft?"
    municipality.consents.RecordConsent(
        consents_pb2.RecordConsentRequest(
            idempotency_key=key(),
            actor=ACTOR,
            subject=common_pb2.SubjectRef(bsn=BSN),
            state=consents_pb2.CONSENT_STATE_GIVEN,
            terms=consents_pb2.ConsentTerms(
                kind=consents_pb2.CONSENT_KIND_PROCESSING_BASIS,
                explicit=True,
                conditions=[common_pb2.CONDITION_HOUSING],
                purposes=["P-ARRANGE-HOUSING"],
                provider_party_ids=[PI, MUNICIPALITY],
                recipient_party_ids=[HOUSING],
                granularity=common_pb2.GRANULARITY_SIGNAL,
                valid_from=Timestamp(seconds=now - 1),
                valid_until=Timestamp(seconds=now + 90 * DAY),
                notice=consents_pb2.NoticeText(
                    version="1", language="nl", sha256=hashlib.sha256(text.encode()).digest()
                ),
                method=consents_pb2.COLLECTION_METHOD_WRITTEN,
                collected_at=Timestamp(seconds=now - 1),
                attestations=consents_pb2.Attestations(
                    own_interest=True,
                    help_question=True,
                    refusal_without_detriment=True,
                    alternative_offered=True,
                ),
            ),
        )
    )


def ask(housing: Party) -> exchange_pb2.AskResponse:
    item = exchange_pb2.AskItem(
        subject=common_pb2.SubjectRef(client_ref=CLIENT_REF),
        purpose="P-ARRANGE-HOUSING",
        conditions=[common_pb2.CONDITION_HOUSING],
        granularity=common_pb2.GRANULARITY_SIGNAL,
    )
    return housing.exchange.Ask(exchange_pb2.AskRequest(actor=ACTOR, item=item))


def withdraw(municipality: Party) -> None:
    municipality.consents.WithdrawConsent(
        consents_pb2.WithdrawConsentRequest(
            idempotency_key=key(), actor=ACTOR, subject=common_pb2.SubjectRef(bsn=BSN)
        )
    )


def check_receipt(disclosed: exchange_pb2.Disclosed) -> None:
    """RFC 9162 section 2.1.3.2, and the opening of the leaf's commitment."""
    receipt = disclosed.receipt
    note = receipt.checkpoint.decode().split("\n")
    size, root = int(note[1]), note[2]
    position, last = receipt.index, size - 1
    node = hashlib.sha256(b"\x00" + receipt.leaf).digest()
    for sibling in receipt.hashes:
        assert last != 0, "the proof is too long"
        if position & 1 or position == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not position & 1 and position != 0:
                position, last = position >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        position, last = position >> 1, last >> 1
    assert last == 0 and base64.b64encode(node).decode() == root, "the entry is not in the log"
    message = b"schakel/released/v1\x00" + disclosed.disclosure
    commitment = hmac.new(disclosed.salt, message, hashlib.sha256).digest()
    assert commitment in receipt.leaf, "the log is committed to another disclosure"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--certificates", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    pi, municipality, housing = (
        Party(arguments.server, arguments.certificates, slug) for slug in (PI, MUNICIPALITY, HOUSING)
    )

    introduce(pi, housing)
    before = ask(housing)
    assert before.WhichOneof("outcome") == "not_disclosed", before
    print("asked without consent: not_disclosed")

    record_consent(municipality)
    answer = ask(housing)
    assert answer.WhichOneof("outcome") == "disclosed", answer
    check_receipt(answer.disclosed)
    disclosure = exchange_pb2.Disclosure.FromString(answer.disclosed.disclosure)
    assert [item.condition for item in disclosure.items] == [common_pb2.CONDITION_HOUSING]
    assert disclosure.items[0].help_needed
    print(f"asked with consent: help needed with housing (entry {answer.disclosed.receipt.index}, receipt verified)")

    withdraw(municipality)
    after = ask(housing)
    assert after.WhichOneof("outcome") == "not_disclosed", after
    assert len(after.SerializeToString()) == len(before.SerializeToString())
    print("asked after the withdrawal: not_disclosed, as long as the first answer")


if __name__ == "__main__":
    main()
