"""What a push touched, asked of its host."""

import asyncio
from typing import Any

import pytest
from builders import a_change, a_flux_configuration, sha
from msgspec.structs import replace
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.changes import Change
from shared.domain.comparisons import Comparison
from shared.domain.errors import Rejected, Throttled, Unavailable
from shared.domain.messages import PlanChange
from shared.services.touched_paths import TouchedPaths

COMPARE = "compare: {tokenRef: kv://sluice/reader, url: https://ghe.example.com/api/v3/}, secretRef:"
BY_PATH = CONFIG.replace("ref: refs/heads/main}", 'ref: refs/heads/main, paths: ["clusters/**"]}')


@pytest.fixture
def world() -> World:
    made = World(config=load_text(BY_PATH.replace("secretRef:", COMPARE, 1)))
    made.secrets.known["kv://sluice/reader"] = "a-token\n"
    made.fleet.found = [a_flux_configuration(0)]
    return made


def a_push(**fields: Any) -> Change:
    return a_change(2, before=sha(1), paths=None, receiver="platform", **fields)


async def planned(world: World, change: Change) -> int:
    """How many rollouts it became."""
    await world.changes.record(change)
    await world.plan()(PlanChange(source=change.source, change_id=change.id))
    return len(world.rollouts.kept.all())


@pytest.mark.parametrize(
    ("told", "rollouts"),
    [(frozenset({"docs/a.md"}), 0), (frozenset(), 0), (frozenset({"docs/a.md", "clusters/a.yaml"}), 1), (None, 1)],
    ids=["elsewhere", "nothing", "there", "not told"],
)
async def test_the_host_tells_what_the_payload_could_not(world: World, told: frozenset[str] | None, rollouts: int) -> None:
    world.compare.told = told
    assert await planned(world, a_push()) == rollouts
    asked = Comparison(
        repository="github.com/contoso/platform", before=sha(1), after=sha(2), api="https://ghe.example.com/api/v3", token="a-token"
    )
    assert world.compare.asked == [("github", asked)]


@pytest.mark.parametrize("error", [Unavailable("down"), Throttled("slow down", retry_after=60), Rejected("gone", code="404")])
async def test_a_host_that_does_not_answer_holds_nothing_up(world: World, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    world.compare.down = error
    assert await planned(world, a_push()) == 1
    assert f"compare.failed receiver=platform change={a_push().id} error={type(error).__name__}" in caplog.text


async def test_without_its_token_nothing_is_held_up(world: World) -> None:
    del world.secrets.known["kv://sluice/reader"]
    assert await planned(world, a_push()) == 1
    assert world.compare.asked == []


async def test_a_host_that_never_answers_is_left(world: World) -> None:
    class Silent:
        async def paths(self, host: str, comparison: Comparison) -> frozenset[str] | None:
            await asyncio.Event().wait()
            return frozenset()

    change = a_push()
    assert await TouchedPaths(world.config, Silent(), world.secrets, deadline_seconds=0.01).fill(change) == change


@pytest.mark.parametrize(
    "change",
    [
        replace(a_push(), paths=("clusters/a.yaml",)),
        replace(a_push(), kind="created", before=""),
        replace(a_push(), kind="deleted", revision=""),
        replace(a_push(), ref="refs/tags/v1"),
        replace(a_push(), ref="refs/heads/other"),
        replace(a_push(), receiver="of-someone"),
    ],
    ids=["told", "new branch", "deleted", "tag", "another branch", "unknown receiver"],
)
async def test_nobody_is_asked_where_it_would_tell_nothing(world: World, change: Change) -> None:
    assert await TouchedPaths(world.config, world.compare, world.secrets).fill(change) == change
    assert world.compare.asked == []


@pytest.mark.parametrize("config", [BY_PATH, CONFIG.replace("secretRef:", COMPARE, 1)], ids=["no compare", "no paths"])
async def test_nobody_is_asked_unless_sluice_yaml_says_so_and_a_route_has_paths(world: World, config: str) -> None:
    assert await TouchedPaths(load_text(config), world.compare, world.secrets).fill(a_push()) == a_push()
    assert world.compare.asked == []


async def test_where_pushes_were_missed_the_push_alone_would_not_tell_enough(world: World) -> None:
    world.compare.told = frozenset({"docs/a.md"})
    assert await planned(world, a_push()) == 0
    missed = a_change(9, before=sha(8), paths=None, receiver="platform")
    assert await planned(world, missed) == 1
    assert len(world.compare.asked) == 1


async def test_of_a_public_repository_no_token_is_needed(world: World) -> None:
    config = load_text(BY_PATH.replace("secretRef:", "compare: {}, secretRef:", 1))
    world.compare.told = frozenset({"docs/a.md"})
    filled = await TouchedPaths(config, world.compare, world.secrets).fill(a_push())
    assert filled.paths == ("docs/a.md",)
    assert [(asked.api, asked.token) for _, asked in world.compare.asked] == [("", "")]
