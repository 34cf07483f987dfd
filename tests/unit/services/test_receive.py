"""A webhook arrives."""

import asyncio
import hmac
import json
from typing import Any

import pytest
from builders import sha
from msgspec.structs import replace
from worlds import World

from shared.domain.errors import SluiceError, Throttled, Unavailable
from shared.domain.messages import CHANGES, PlanChange


def a_body(**fields: Any) -> bytes:
    push = {"ref": "refs/heads/main", "before": sha(0), "after": sha(1), "repository": {"clone_url": "https://github.com/contoso/platform"}}
    return json.dumps(push | fields).encode()


def headers(body: bytes, *, secret: str = "new", event: str = "push", delivery: str = "d-1") -> dict[str, str]:  # noqa: S107 -- the tests' secret
    signature = hmac.digest(secret.encode(), body, "sha256").hex()
    return {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": f"sha256={signature}"}


async def test_a_push_is_recorded_and_queued(world: World) -> None:
    body = a_body()
    answer = await world.receive()("platform", headers(body), body)
    (change,) = world.changes.kept.all()
    assert (answer.status, answer.body) == (202, {"changes": [change.id]})
    assert (change.revision, change.receiver, change.received_at) == (sha(1), "platform", world.clock())
    assert world.queue.messages(CHANGES) == [PlanChange(source=change.source, change_id=change.id)]
    assert world.audit.actions() == ["change.received"]
    assert [unplanned.change_id for unplanned in world.changes.waiting.all()] == [change.id]


async def test_the_same_delivery_five_times_is_one_change_and_its_message_is_sent_again(world: World) -> None:
    body = a_body()
    answers = [await world.receive()("platform", headers(body), body) for _ in range(5)]
    assert [answer.status for answer in answers] == [202, 200, 200, 200, 200]
    assert len({json.dumps(answer.body) for answer in answers}) == 1
    assert len(world.changes.kept.all()) == 1
    assert len(world.queue.messages(CHANGES)) == 5
    assert world.audit.actions() == ["change.received"]


async def test_the_same_delivery_five_times_at_once_is_one_change(world: World) -> None:
    body = a_body()
    answers = await asyncio.gather(*(world.receive()("platform", headers(body), body) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 200, 202]
    assert len(world.changes.kept.all()) == 1


async def test_the_secret_that_is_being_replaced_is_valid_too(world: World) -> None:
    body = a_body()
    assert (await world.receive()("platform", headers(body, secret="old"), body)).status == 202


async def test_the_replaced_secret_may_be_deleted_before_its_reference_is(world: World) -> None:
    del world.secrets.known["kv://sluice/github-old"]
    body = a_body()
    assert (await world.receive()("platform", headers(body), body)).status == 202
    assert (await world.receive()("platform", headers(body, secret="old"), body)).status == 401


@pytest.mark.parametrize(
    ("name", "body", "more", "status", "told"),
    [
        ("other", a_body(), {}, 404, None),
        ("platform", a_body(), {"X-Hub-Signature-256": "sha256=00"}, 401, None),
        ("platform", b"x" * 4097, {}, 413, {"error": "body-too-large: at most 4096 bytes"}),
        ("platform", b"{}", {}, 400, {"error": "body-invalid: Object missing required field `ref`"}),
    ],
    ids=["unknown receiver", "wrong signature", "too large", "no push"],
)
async def test_what_is_refused_leaves_nothing_behind(
    world: World, name: str, body: bytes, more: dict[str, str], status: int, told: object
) -> None:
    answer = await world.receive()(name, headers(body) | more, body)
    assert (answer.status, answer.body) == (status, told)
    assert (world.faults.writes, world.queue.sent) == (0, [])


async def test_a_secret_in_the_url_is_only_for_senders_that_can_do_no_better(world: World) -> None:
    body = a_body()
    answer = await world.receive()("platform", headers(body), body, "new")
    assert (answer.status, answer.body) == (404, None)
    assert (world.faults.writes, world.queue.sent) == (0, [])


async def test_a_body_of_just_the_limit_is_read(world: World) -> None:
    body = a_body(padding="")
    body = a_body(padding="x" * (4096 - len(body)))
    assert len(body) == 4096
    assert (await world.receive()("platform", headers(body), body)).status == 202


@pytest.mark.parametrize(("event", "told"), [("ping", {"ok": "ping"}), ("workflow_run", {"ignored": "workflow_run"})])
async def test_an_event_without_work_is_answered_and_leaves_nothing_behind(world: World, event: str, told: object) -> None:
    answer = await world.receive()("platform", headers(b"{}", event=event), b"{}")
    assert (answer.status, answer.body) == (200, told)
    assert world.faults.writes == 0


async def test_a_disabled_event_is_ignored(world: World) -> None:
    (receiver,) = world.config.receivers
    world.config = replace(world.config, receivers=(replace(receiver, events=("ping",)),))
    body = a_body()
    assert (await world.receive()("platform", headers(body), body)).body == {"ignored": "push"}
    assert world.faults.writes == 0


@pytest.mark.parametrize("error", [Unavailable("down"), Throttled("busy", retry_after=5)])
@pytest.mark.parametrize("write", range(1, 5))
async def test_a_dependency_that_is_down_is_a_503_and_the_next_delivery_makes_it_whole(
    world: World, error: SluiceError, write: int
) -> None:
    body = a_body()

    class FailsOnce(list[Exception]):
        def __bool__(self) -> bool:
            return world.faults.writes == write and len(self) > 0

    world.faults.fail_next = FailsOnce([error])
    first = await world.receive()("platform", headers(body), body)
    assert (first.status, first.body) == (503, {"error": "not recorded: a dependency is unavailable; deliver again"})
    second = await world.receive()("platform", headers(body), body)
    assert second.status in (200, 202)
    assert len(world.changes.kept.all()) == 1
    assert world.queue.messages(CHANGES)
    assert world.audit.actions() == ["change.received"]


async def test_without_its_secret_a_receiver_is_unavailable_and_not_open(world: World) -> None:
    body = a_body()
    world.secrets.known.clear()
    assert (await world.receive()("platform", headers(body), body)).status == 503
    world.secrets.down = Unavailable("vault")
    assert (await world.receive()("platform", headers(body), body)).status == 503
    assert world.faults.writes == 0


async def test_a_change_without_an_author_is_the_receiver_s_act(world: World) -> None:
    body = a_body()
    await world.receive()("platform", headers(body), body)
    (link,) = world.audit.streams[world.changes.kept.all()[0].source]
    assert link.entry is not None
    assert link.entry.actor == "platform"


async def test_the_audit_trail_tells_whether_automation_pushed(world: World) -> None:
    author = {"name": "fluxcdbot", "email": "fluxcdbot@users.noreply.github.com"}
    for number, commits in enumerate(([{"author": author}], [])):
        body = a_body(commits=commits, after=sha(number + 1))
        await world.receive()("platform", headers(body, delivery=f"d-{number}"), body)
    links = world.audit.streams[world.changes.kept.all()[0].source]
    assert [link.entry.detail["automated"] for link in links if link.entry] == ["true", "false"]
