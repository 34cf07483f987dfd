"""Stored documents that are not what they should be, and what is read of a rollout's targets."""

from typing import Any

import filled
import pytest
from msgspec.structs import replace

from shared.azure.cosmos.changes import CosmosChanges
from shared.azure.cosmos.configurations import CosmosConfigurations
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.deliveries import CosmosDeliveries
from shared.azure.cosmos.keys import CosmosDataKeys
from shared.azure.cosmos.pace import CosmosPace
from shared.azure.cosmos.rollouts import CosmosRollouts
from shared.azure.sealing import EnvelopeSealer
from shared.domain.crowd import scope
from shared.domain.errors import Conflict, Malformed
from shared.domain.rollouts import Glance, Rollout, RolloutState, Target, TargetState

STATES: tuple[TargetState, ...] = ("pending", "queued", "applied", "offline", "compliant", "failed", "skipped", "superseded")


async def overwrite(database: Database, container: str, item: str, partition: str, **fields: Any) -> None:
    found = await database.read(container, item, partition)
    assert found is not None
    await database.replace(container, {**found, **fields}, found["_etag"])


@pytest.mark.parametrize("name", sorted(filled.ALL))
def test_the_samples_leave_no_field_empty(name: str) -> None:
    assert filled.unfilled(filled.ALL[name]) == []


@pytest.mark.parametrize(
    ("container", "partition", "item"),
    [("pace", "s.region", "s.region"), ("keys", "fleet", "fleet")],
)
async def test_an_open_document_of_another_shape_is_refused_by_its_id(
    database: Database, container: str, partition: str, item: str
) -> None:
    await database.create_item(container, {"id": item, "theoreticalArrival": "soon", "versions": "none"})
    store = CosmosPace(database) if container == "pace" else CosmosDataKeys(database)
    with pytest.raises(Malformed, match=item):
        await store.get(partition)


async def test_a_clear_field_of_another_type_is_refused_by_its_id(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosChanges(database, sealer)
    await store.record(filled.change())
    await overwrite(database, "changes", filled.change().id, filled.SOURCE, pushedAt="yesterday")
    with pytest.raises(Malformed, match=filled.change().id):
        await store.get(filled.SOURCE, filled.change().id)


@pytest.mark.parametrize("damage", [{"stage": None}, {"stage": "1"}, {"state": "melted"}, {"order": 1.5}])
async def test_a_damaged_target_stops_its_rollout_by_name(database: Database, sealer: EnvelopeSealer, damage: dict[str, Any]) -> None:
    store = CosmosRollouts(database, sealer)
    target = filled.target(state="pending")
    await store.create_targets([target])
    await overwrite(database, "rollouts", target.id, target.rollout_id, **damage)
    with pytest.raises(Malformed, match=target.id):
        await store.open(target.rollout_id, [target.id])


@pytest.mark.parametrize("state", ["running", "paused", "succeeded", "superseded", "aborted"])
@pytest.mark.parametrize("current", [0, 1, 2])
async def test_exactly_the_targets_that_a_step_needs_are_seen(
    database: Database, sealer: EnvelopeSealer, state: RolloutState, current: int
) -> None:
    store = CosmosRollouts(database, sealer)
    rollout = filled.rollout(state=state, current=current)
    etags = {target.id: await store.save_target(target, "") for target in every_target(rollout)}
    await store.save_target(filled.target(id="other", rollout_id="another", state="pending"), "")
    expected = {t.id: t for t in every_target(rollout) if scope(rollout).covers(t.stage, t.state)}
    seen = await store.glances(rollout.id, scope(rollout))
    assert {glance.id: glance for glance in seen} == {name: Glance.at(target) for name, target in expected.items()}
    opened = await store.open(rollout.id, sorted(expected))
    assert {target.id: (target, etag) for target, etag in opened} == {name: (t, etags[name]) for name, t in expected.items()}


async def test_a_rollout_and_its_targets_are_saved_together_or_not_at_all(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosRollouts(database, sealer)
    rollout = filled.rollout()
    await store.create(rollout)
    targets = every_target(rollout)[:3]
    await store.create_targets(targets)
    opened = await store.open(rollout.id, [target.id for target in targets])
    found = await store.get(rollout.id)
    assert found is not None
    changed = [(replace(target, reason="changed"), etag) for target, etag in opened]
    await store.save_target(replace(opened[0][0], reason="someone was here"), opened[0][1])
    with pytest.raises(Conflict):
        await store.commit(replace(rollout, reason="changed"), found[1], changed)
    assert await store.get(rollout.id) == found
    late = await store.save_targets(changed)
    assert [target.id for target in late] == [opened[0][0].id]
    again = await store.open(rollout.id, [target.id for target in targets])
    etag = await store.commit(replace(rollout, reason="changed"), found[1], [(replace(t, reason="both"), e) for t, e in again])
    assert await store.get(rollout.id) == (replace(rollout, reason="changed"), etag)
    assert {target.reason for target, _ in await store.open(rollout.id, [target.id for target in targets])} == {"both"}


def every_target(rollout: Rollout) -> list[Target]:
    return [filled.target(id=f"t{stage}-{state}", stage=stage, state=state) for stage in range(3) for state in STATES]


async def test_targets_are_found_by_stage_and_state(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosRollouts(database, sealer)
    assert await store.create_targets(every_target(filled.rollout()))
    assert not await store.create_targets(every_target(filled.rollout())[:1])
    rollout = filled.rollout().id
    assert len(await store.targets(rollout)) == 3 * len(STATES)
    assert {t.state for t in await store.targets(rollout, stage=1)} == set(STATES)
    assert {t.stage for t in await store.targets(rollout, states=["failed", "offline"])} == {0, 1, 2}
    assert [t.id for t in await store.targets(rollout, stage=2, states=["failed"])] == ["t2-failed"]


async def test_rollouts_beyond_an_answer_of_the_service_are_all_listed(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosRollouts(database, sealer)
    for number in range(45):
        await store.create(filled.rollout(id=f"r{number:02}", created_at=filled.later(number * 0.5)))
    await store.mark_active("r00")
    seen: list[str] = []
    continuation: str | None = None
    while not seen or continuation:
        page, continuation = await store.recent(20, continuation)
        seen += [rollout.id for rollout in page]
    assert seen == [f"r{number:02}" for number in reversed(range(45))]


async def test_what_is_not_there_yet_is_new(database: Database, sealer: EnvelopeSealer) -> None:
    head, etag = await CosmosChanges(database, sealer).head(filled.SOURCE, "refs/heads/main")
    assert (head.source, head.revision, etag) == (filled.SOURCE, "", "")
    configuration, etag = await CosmosConfigurations(database, sealer).get("cluster", "configuration")
    assert (configuration.cluster_id, configuration.sequence, etag) == ("cluster", 0, "")
    assert await CosmosDeliveries(database, sealer).get("channel", "delivery") is None
    assert await CosmosRollouts(database, sealer).get("rollout") is None
    assert await CosmosRollouts(database, sealer).target("rollout", "target") is None


async def test_a_change_a_delivery_and_a_rollout_are_made_once(database: Database, sealer: EnvelopeSealer) -> None:
    changes, deliveries, rollouts = CosmosChanges(database, sealer), CosmosDeliveries(database, sealer), CosmosRollouts(database, sealer)
    assert [await changes.record(filled.change()) for _ in range(2)] == [True, False]
    assert [await deliveries.create(filled.delivery()) for _ in range(2)] == [True, False]
    assert [await rollouts.create(filled.rollout()) for _ in range(2)] == [True, False]


async def test_a_head_moves_by_etag_and_outlives_its_container_s_time(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosChanges(database, sealer)
    head = replace(filled.head(), id=(await store.head(filled.SOURCE, "refs/heads/main"))[0].id)
    await store.save_head(head, "")
    found, etag = await store.head(filled.SOURCE, "refs/heads/main")
    assert found == head
    await store.save_head(replace(head, sequence=head.sequence + 1), etag)
    with pytest.raises(Conflict):
        await store.save_head(head, etag)
    raw = await database.read("changes", head.id, filled.SOURCE)
    assert raw is not None
    assert raw["ttl"] == -1
