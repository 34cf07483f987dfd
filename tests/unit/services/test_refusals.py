"""Everything refused is counted with its reason, and logged while it is not too much."""

import logging
from typing import Any

import pytest
from counted import Since
from msgspec.structs import replace
from test_receive import a_body, headers
from worlds import World

from shared.domain.errors import Unavailable
from shared.metrics import REFUSED

WRONG = {"X-Hub-Signature-256": "sha256=00"}


def limited(world: World, rate: str) -> None:
    (receiver,) = world.config.receivers
    world.config = replace(world.config, receivers=(replace(receiver, rate_limit=rate),))


@pytest.mark.parametrize(
    ("name", "body", "more", "key"),
    [
        ("of-someone", a_body(), {}, ("receiver-unknown", "unknown")),
        ("platform", a_body(), WRONG, ("signature-wrong", "platform")),
        ("platform", a_body(), {"X-Hub-Signature-256": ""}, ("signature-missing", "platform")),
        ("platform", b"x" * 4097, {}, ("body-too-large", "platform")),
        ("platform", b"{}", {}, ("body-invalid", "platform")),
        ("platform", a_body(), {"X-Gitea-Event": "push"}, ("sender-other", "platform")),
    ],
)
async def test_a_refusal_is_counted_by_receiver_and_reason_and_logged(
    world: World, caplog: pytest.LogCaptureFixture, name: str, body: bytes, more: dict[str, str], key: tuple[str, str]
) -> None:
    since = Since(REFUSED)
    await world.receive()(name, headers(body) | more, body)
    assert since.grown() == {key: 1}
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"receiver.refused receiver={key[1]} status=")
    assert key[0] in line
    assert "of-someone" not in line


async def test_a_token_that_no_sender_of_this_type_sends_is_counted(world: World) -> None:
    since, body = Since(REFUSED), a_body()
    await world.receive()("platform", headers(body), body, "new")
    assert since.grown() == {("token-unexpected", "platform"): 1}


@pytest.mark.parametrize(("name", "shown"), [("platform", "platform"), ("other", "unknown")])
async def test_what_could_not_be_recorded_is_counted(world: World, caplog: pytest.LogCaptureFixture, name: str, shown: str) -> None:
    since, body = Since(REFUSED), a_body()
    world.secrets.down = Unavailable("vault")
    await world.receive()(name, headers(body), body)
    reason = "unavailable" if shown == "platform" else "receiver-unknown"
    assert since.grown() == {(reason, shown): 1}
    assert f"receiver={shown}" in caplog.text


async def test_what_is_accepted_or_ignored_is_no_refusal(world: World) -> None:
    since, body = Since(REFUSED), a_body()
    await world.receive()("platform", headers(body), body)
    await world.receive()("platform", headers(b"{}", event="create"), b"{}")
    assert since.grown() == {}


async def test_a_flood_is_counted_whole_and_answered_429_and_the_next_line_says_how_much_of_it_was_not_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    limited(world, "6/m")
    since, body = Since(REFUSED), a_body()
    answers = [await world.receive()("platform", headers(body) | WRONG, body) for _ in range(10)]
    assert [answer.status for answer in answers] == [401] * 6 + [429] * 4
    assert {(answer.body, answer.retry_after) for answer in answers[6:]} == {(None, 10)}
    assert len(caplog.records) == 6
    world.clock.pass_(10)
    assert (await world.receive()("platform", headers(body) | WRONG, body)).status == 401
    assert caplog.records[-1].getMessage().endswith("status=401 reason=signature-wrong unlogged=4")
    assert since.grown() == {("signature-wrong", "platform"): 11}


async def test_a_flood_of_others_keeps_no_proven_delivery_out(world: World) -> None:
    limited(world, "1/h")
    body = a_body()
    for _ in range(3):
        await world.receive()("platform", headers(body) | WRONG, body)
    assert (await world.receive()("platform", headers(body), body)).status == 202


async def test_names_that_nobody_configured_share_one_limit(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    answers: list[Any] = [await world.receive()(f"name-{number}", {}, b"") for number in range(601)]
    assert [answer.status for answer in answers] == [404] * 600 + [429]
    assert list(world.refusals.paces) == ["unknown"]
