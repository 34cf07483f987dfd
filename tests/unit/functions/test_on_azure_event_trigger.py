"""The Event Grid trigger: what it takes, what it is done with, and what is to be delivered again."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from calling import FUNCTIONS, call
from worlds import World

sys.path.insert(0, str(Path(__file__).parents[1] / "azure_events"))

from sampled import SAMPLES, SCHEMAS, Schema, delivered

from shared import bootstrap
from shared.domain.errors import Malformed, Unavailable

WRITTEN = next(sample for sample in SAMPLES if sample.name == "resources/flux-configuration-written-by-a-person")
PERSON, PERSONS_OBJECT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "01234567-89ab-4000-8000-000000000001"


def own(app: bootstrap.App, *identities: str, client_id: str = "") -> None:
    app.settings = dataclasses.replace(app.settings, sluice_identity=identities, azure_client_id=client_id)


def test_the_function_has_one_binding() -> None:
    (binding,) = json.loads(FUNCTIONS["on_azure_event"].get_function_json())["bindings"]
    assert (binding["type"], binding["name"]) == ("eventGridTrigger", "event")


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_an_event_has_its_effect_in_either_schema(app: bootstrap.App, world: World, schema: Schema) -> None:
    own(app, "5111ce00-0000-4000-8000-000000000000")
    await call("on_azure_event", WRITTEN.as_delivered(schema))
    (write,) = world.foreign_writes.kept.all()
    assert (write.caller, write.event_id) == ("zoe@contoso.example", WRITTEN.body["id"])


@pytest.mark.parametrize(("identities", "client_id"), [((PERSON.upper(),), ""), (("x", PERSONS_OBJECT), ""), ((), PERSON)])
async def test_a_write_of_the_app_s_own_is_not_foreign(
    app: bootstrap.App, world: World, identities: tuple[str, ...], client_id: str
) -> None:
    own(app, *identities, client_id=client_id)
    await call("on_azure_event", WRITTEN.as_delivered("EventGridSchema"))
    assert world.foreign_writes.kept.all() == []


@pytest.mark.parametrize("change", [{"data": None}, {"eventTime": None}, {"id": 7}, {"eventType": None}])
async def test_what_is_no_event_is_done_with(world: World, change: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    await call("on_azure_event", delivered(WRITTEN.body | change))
    assert world.faults.writes == 0
    assert [record.message.partition(" ")[0] for record in caplog.records] == ["event.refused"]


async def test_without_a_database_it_is_delivered_again(app: bootstrap.App, world: World) -> None:
    own(app, "another")
    world.faults.down = Unavailable("database")
    with pytest.raises(Unavailable):
        await call("on_azure_event", WRITTEN.as_delivered("EventGridSchema"))


async def test_without_a_configuration_what_needs_one_is_delivered_again(world: World, config_path: Path) -> None:
    config_path.unlink()  # noqa: ASYNC240 -- a file in a temporary folder
    pushed = next(sample for sample in SAMPLES if sample.name == "registry/image-pushed")
    with pytest.raises(Malformed):
        await call("on_azure_event", pushed.as_delivered("EventGridSchema"))
    await call("on_azure_event", WRITTEN.as_delivered("EventGridSchema"))
    assert world.faults.writes == 0
