"""What providers for programs and on-call services must say in sluice.yaml."""

from typing import get_args

import pytest

from shared.config.channels import CHANNELS, is_on_call
from shared.config.loader import load_text
from shared.config.models import Program
from shared.domain.errors import Malformed
from shared.providers import PROVIDERS

TOPIC = "address: https://sluice.westeurope-1.eventgrid.azure.net/api/events"
HOOK = "type: webhook, address: https://hooks.example/sluice, tokenRef: kv://v/s"


def refusal(fields: str) -> str:
    with pytest.raises(Malformed) as caught:
        load_text(f"apiVersion: sluice/v1\nproviders:\n  - {{name: ops, {fields}}}\n")
    return str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        HOOK,
        "type: webhook, addressRef: kv://v/a, tokenRef: kv://v/s, signature: standard-webhooks, previousTokenRef: kv://v/old",
        "type: webhook, addressRef: kv://v/a, tokenRef: kv://v/s, signature: generic-hmac",
        f"type: eventgrid, {TOPIC}",
        f"type: eventgrid, {TOPIC}, tokenRef: kv://v/key",
        "type: pagerduty, tokenRef: kv://v/s",
        "type: pagerduty, tokenRef: kv://v/s, address: https://events.eu.pagerduty.com",
        "type: opsgenie, tokenRef: kv://v/s, address: https://api.eu.opsgenie.com",
    ],
)
def test_what_is_enough(fields: str) -> None:
    assert load_text(f"apiVersion: sluice/v1\nproviders:\n  - {{name: ops, {fields}}}\n").provider("ops")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("type: webhook, tokenRef: kv://v/s", "providers[0]: a provider of type webhook needs address or addressRef"),
        ("type: webhook, address: https://hooks.example", "providers[0]: a provider of type webhook needs tokenRef: the secret that signs"),
        (f"{HOOK}, addressRef: kv://v/a", "providers[0].addressRef: address and addressRef are two ways to say the same"),
        (f"{HOOK}, channel: ops", "providers[0].channel: a provider of type webhook has no channel"),
        (f"{HOOK}, signature: rot13", "providers[0].signature: Invalid enum value"),
        (f"{HOOK}, signature: generic-hmac, previousTokenRef: kv://v/o", "providers[0].previousTokenRef: generic-hmac has one signature"),
        ("type: webhook, address: http://hooks.example, tokenRef: kv://v/s", "providers[0].address: an address begins with https://"),
        ("type: eventgrid", "providers[0]: a provider of type eventgrid needs address"),
        ("type: eventgrid, addressRef: kv://v/a", "providers[0].addressRef: a provider of type eventgrid has no addressRef"),
        (
            "type: eventgrid, address: https://sluice.eventgrid.azure.net",
            "providers[0].address: the endpoint of a topic ends with /api/events",
        ),
        (f"type: eventgrid, {TOPIC}, signature: generic-hmac", "providers[0].signature: a provider of type eventgrid has no signature"),
        ("type: pagerduty", "providers[0]: a provider of type pagerduty needs tokenRef: the integration's routing key"),
        ("type: opsgenie", "providers[0]: a provider of type opsgenie needs tokenRef: the key of an API integration"),
        (
            "type: opsgenie, tokenRef: kv://v/s, addressRef: kv://v/a",
            "providers[0].addressRef: a provider of type opsgenie has no addressRef",
        ),
        ("type: slack, addressRef: kv://v/a, signature: generic-hmac", "providers[0].signature: a provider of type slack has no signature"),
        (
            "type: msteams, addressRef: kv://v/a, previousTokenRef: kv://v/o",
            "providers[0].previousTokenRef: a provider of type msteams has no",
        ),
        (f"{HOOK}, app: {{id: 1, installationId: 1, privateKeyRef: kv://v/k}}", "providers[0].app: a provider of type webhook has no app"),
    ],
)
def test_what_is_not(fields: str, problem: str) -> None:
    told = refusal(fields)
    assert told.startswith("sluice.yaml:3: providers[0]")
    assert problem in told


def test_every_program_has_its_rules_and_its_constructor() -> None:
    assert set(CHANNELS) == set(get_args(Program)) <= set(PROVIDERS)


def test_who_is_on_call() -> None:
    assert [kind for kind in PROVIDERS if is_on_call(kind)] == ["pagerduty", "opsgenie"]
