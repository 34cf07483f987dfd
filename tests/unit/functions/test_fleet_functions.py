"""The functions that look at the fleet, and what people ask of it."""

import base64
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from builders import NOW, resource_id, sha
from calling import call, told
from fleet_fakes import FleetWorld
from sightings import a_cluster, asked, seen
from worlds import CONFIG

from shared import bootstrap
from shared.domain.configurations import cluster_id, configuration_id
from shared.domain.errors import Unavailable
from shared.domain.fleet import Sighting
from shared.domain.messages import RestoreConfiguration, encode


class Invocation:
    invocation_id = "invocation-1"


@pytest.fixture
def world() -> FleetWorld:
    made = FleetWorld()
    made.inventory.shown = [Sighting(cluster=a_cluster(), configuration=seen())]
    made.ask()
    return made


@pytest.fixture(autouse=True)
def fleet(app: bootstrap.App, world: FleetWorld) -> None:
    vars(app).update(
        inventory=world.inventory,
        fleet_pages=world.pages,
        audit=world.audit,
        configurations=world.records,
        resource_manager=world.restorations,
    )


def a_request(**params: str) -> func.HttpRequest:
    return func.HttpRequest("GET", "https://sluice.example/api/fleet", headers={}, params=params, route_params={}, body=b"")


async def ask(**params: str) -> tuple[int, Any]:
    response = await call("get_fleet", a_request(**params))
    return response.status_code, told(response)


async def test_a_look_is_what_people_see(world: FleetWorld) -> None:
    assert (await ask())[1]["sweptAt"] is None
    await call("sweep_fleet", None, Invocation())
    status, answer = await ask(compliance="Compliant", limit="1")
    assert (status, answer["sweptAt"], answer["matching"]) == (200, NOW.isoformat(), 1)
    assert answer["fleet"][0]["askedRevision"] == sha(1)


@pytest.mark.parametrize("params", [{"drift": "all"}, {"limit": "many"}])
async def test_what_cannot_be_asked_is_told(params: dict[str, str]) -> None:
    status, answer = await ask(**params)
    assert (status, "error" in answer) == (400, True)


async def test_a_cluster_s_history_is_asked_for_by_its_name(world: FleetWorld) -> None:
    await call("sweep_fleet", None, Invocation())
    response = await call("get_history", a_request(cluster=a_cluster().name))
    assert (response.status_code, told(response)["configurations"]) == (200, [resource_id(0).lower()])
    assert (await call("get_history", a_request(cluster="nobody"))).status_code == 404
    assert (await call("get_history", a_request())).status_code == 400


def a_message(world: FleetWorld) -> func.QueueMessage:
    key = resource_id(0)
    order = RestoreConfiguration(
        cluster_id=cluster_id(key), configuration_id=configuration_id(key), key="k", rollout_id="rollout-1", dispatch=1, retry=0
    )
    return func.QueueMessage(id="message-1", body=encode(order))


async def test_a_message_puts_back(world: FleetWorld) -> None:
    await call("restore_configuration", a_message(world), Invocation())
    assert world.restorations.restored == [(resource_id(0), asked().pin, False)]


async def test_a_message_that_cannot_be_carried_out_now_comes_again(world: FleetWorld) -> None:
    world.restorations.answers = [Unavailable("arm")]
    await call("restore_configuration", a_message(world), Invocation())
    [sent] = world.queue.sent
    assert sent.queue == "restorations"


DIGEST = "digests:\n  - {name: fleet, provider: ops, schedule: daily, at: '12:01'}\n"


def a_digest(name: str) -> func.HttpRequest:
    return func.HttpRequest("GET", "https://sluice.example/api", headers={}, params={}, route_params={"name": name}, body=b"")


@pytest.fixture
def with_digest(config_path: Path) -> None:
    config_path.write_text(CONFIG + DIGEST)


@pytest.mark.usefixtures("with_digest")
async def test_a_digest_is_shown_and_sent_by_the_minute_s_sweep(world: FleetWorld) -> None:
    await call("sweep_fleet", None, Invocation())
    await call("sweep_rollouts", None)
    shown = await call("get_digest", a_digest("fleet"))
    assert (shown.status_code, told(shown)["nextAt"]) == (200, "2026-11-23T12:01:00+00:00")
    assert base64.b64decode(told(shown)["preview"]["picture"]).startswith(b"\x89PNG")
    assert (await call("get_digest", a_digest("other"))).status_code == 404
    for _ in range(3):
        world.clock.pass_(60)
        await call("sweep_rollouts", None)
    sent = [delivery for delivery in world.deliveries.kept.all() if delivery.announcements[0].kind == "digest.daily"]
    assert len(sent) == 1
