"""The app on in-memory ports: the composition root keeps what it made as attributes, so a test puts its own there first."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))  # fakes.py and worlds.py, also where only this folder is run

from worlds import CONFIG, World

from shared import bootstrap
from shared.config.settings import Settings


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    path = tmp_path / "sluice.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(autouse=True)
def app(world: World, config_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bootstrap.App]:
    made = bootstrap.App(
        Settings(cosmos_endpoint="https://cosmos.example", key_encryption_key="file:kek.pem", sluice_config=str(config_path))
    )
    vars(made).update(
        clock=world.clock,
        secrets=world.secrets,
        changes=world.changes,
        checks=world.checks,
        rollouts=world.rollouts,
        configurations=world.configurations,
        foreign_writes=world.foreign_writes,
        policy_states=world.policy_states,
        object_events=world.object_events,
        deliveries=world.deliveries,
        digest_marks=world.digest_marks,
        fleet_pages=world.pages,
        conversations=world.conversations,
        audit=world.audit,
        queue=world.queue,
        fleet=world.fleet,
        resource_manager=world.resource_manager,
        pacer=world.pacer,
        rates=world.rates,
        channel_pacer=world.channel_pacer,
        compare=world.compare,
        refusals=world.refusals,
        onboardings=world.onboardings,
        clusters=world.clusters,
        cluster_resources=world.arm,
    )
    monkeypatch.setattr(bootstrap, "_app", made)
    yield made
    world.queue.waiting.clear()
