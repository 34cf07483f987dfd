"""Every recorded delivery, of every sender: signed as that sender signs, it becomes what stands beside it."""

import json

import msgspec
import pytest
from builders import NOW
from proofs import an_inbound, secret_of
from recorded import DELIVERIES, PAYLOADS, Delivery

from shared.domain.changes import change_id
from shared.domain.errors import Refused
from shared.domain.sources import source_id
from shared.receivers import SENDERS
from shared.receivers.inbound import Outbound, Received

every_delivery = pytest.mark.parametrize("delivery", DELIVERIES, ids=lambda delivery: delivery.name)


def received(delivery: Delivery) -> Received:
    inbound = an_inbound(delivery.sender, delivery.headers, delivery.body, **delivery.options)
    return SENDERS[delivery.sender].receive(inbound, [secret_of(delivery.sender)])


@every_delivery
def test_a_delivery_becomes_what_it_tells(delivery: Delivery) -> None:
    result = received(delivery)
    for told, name in ((result.changes, "changes"), (result.checks, "checks"), (result.reports, "reports")):
        expected = delivery.expected.get(name, [])
        records = [json.loads(msgspec.json.encode(record)) for record in told]
        assert [{field: record[field] for field in wanted} for record, wanted in zip(records, expected, strict=True)] == expected
    assert result.event == delivery.expected["event"]
    assert result.delivery


@every_delivery
def test_a_change_is_known_again_by_receiver_delivery_repository_and_ref(delivery: Delivery) -> None:
    result = received(delivery)
    for change in result.changes:
        assert (change.receiver, change.delivery, change.received_at) == ("platform", result.delivery, NOW)
        url = change.url if change.source_kind == "git" else f"{change.source_kind}://{change.url}"
        assert change.source == source_id(url)
        assert change.id == change_id("platform", result.delivery, url, change.ref)
    assert len({change.id for change in result.changes}) == len(result.changes)
    assert received(delivery) == result


@every_delivery
def test_a_delivery_without_its_proof_or_with_that_of_another_secret_is_refused(delivery: Delivery) -> None:
    unproven = {name: value for name, value in delivery.headers.items() if "signature" not in name.lower()}
    for inbound, secret in (
        (an_inbound(delivery.sender, unproven, delivery.body, proven=False, **delivery.options), secret_of(delivery.sender)),
        (an_inbound(delivery.sender, delivery.headers, delivery.body, **delivery.options), "whsec_YW5vdGhlcg=="),
    ):
        with pytest.raises(Refused) as refused:
            SENDERS[delivery.sender].receive(inbound, [secret])
        assert (refused.value.status, refused.value.explain) == (401, False)


@every_delivery
def test_what_is_signed_here_is_taken(delivery: Delivery) -> None:
    sender, secret = SENDERS[delivery.sender], secret_of(delivery.sender)
    named = {name: delivery.options[name] for name in ("header", "identity") if name in delivery.options}
    signed = sender.sign(Outbound(body=delivery.body, secret=secret, event=delivery.expected["event"], delivery="d-1", at=NOW, **named))
    sent = an_inbound(delivery.sender, signed, delivery.body, proven=False, **delivery.options)
    result = sender.receive(msgspec.structs.replace(sent, token=secret if sender.takes_token else ""), [secret])
    assert (result.event, len(result.changes)) == (delivery.expected["event"], len(delivery.expected["changes"]))


@every_delivery
def test_a_byte_more_is_another_body(delivery: Delivery) -> None:
    sent = an_inbound(delivery.sender, delivery.headers, delivery.body, **delivery.options)
    changed = msgspec.structs.replace(sent, body=delivery.body + b" ")
    if delivery.sender in {
        "acr",
        "azure-devops",
        "dockerhub",
        "gitlab",
        "harbor",
        "quay",
        "s3",
    }:  # these send a password in place of a signature
        assert SENDERS[delivery.sender].receive(changed, [secret_of(delivery.sender)])
        return
    with pytest.raises(Refused, match="signature-wrong"):
        SENDERS[delivery.sender].receive(changed, [secret_of(delivery.sender)])


def test_every_sender_has_recorded_deliveries() -> None:
    assert set(SENDERS) == {delivery.sender for delivery in DELIVERIES}
    assert len(DELIVERIES) == len(list(PAYLOADS.glob("*/*/*/body.*")))


@pytest.mark.parametrize("name", SENDERS)
def test_every_event_that_moves_something_is_recorded(name: str) -> None:
    sender = SENDERS[name]
    recorded = {d.expected["event"] for d in DELIVERIES if d.sender == name}
    assert set(sender.events) >= set(sender.default_events)
    assert recorded >= set(sender.default_events or sender.events)
