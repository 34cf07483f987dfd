"""Azure Monitor is told what the database holds: the real documents, through the SDK, to the simulated Logs Ingestion API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import filled
import pytest
from msgspec.structs import replace

from local.stack.simulator import Simulator
from shared.azure.cosmos.audit import CosmosAudit
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.fleet import CosmosFleet, unpack
from shared.azure.cosmos.log_streams import CosmosLogStreams
from shared.azure.cosmos.rollouts import CosmosRollouts
from shared.azure.credential import AsyncCredential
from shared.azure.logs_ingestion import LogsIngestion
from shared.azure.sealing import EnvelopeSealer
from shared.domain.errors import Conflict, Unavailable
from shared.domain.fleet import Page, Standing
from shared.domain.log_rows import AUDIT, COMPLIANCE, ROLLOUTS, Mark
from shared.domain.sweeps import Sweep
from shared.services.export_logs import ExportLogs


def settled() -> datetime:
    """A clock that is a minute ahead: what was written just now is old enough."""
    return datetime.now(UTC) + timedelta(seconds=60)


@pytest.fixture
def rule(database: Database) -> str:
    return f"dcr-{database._name}"


async def told(simulator: Simulator, rule: str, stream: str) -> list[dict[str, Any]]:
    kept = await simulator.get("messages", channel="logs")
    return [one["body"] for one in kept if (one["rule"], one["stream"]) == (rule, stream)]


async def test_audit_records_and_moved_rollouts_are_told_once(
    database: Database, sealer: EnvelopeSealer, credential: AsyncCredential, origin: str, simulator: Simulator, rule: str
) -> None:
    audit, rollouts = CosmosAudit(database, sealer), CosmosRollouts(database, sealer)
    place = LogsIngestion(credential, origin, rule)
    export = ExportLogs(CosmosLogStreams(database, sealer), place, settled)
    await audit.append(filled.entry(1))
    rollout = filled.rollout(state="running")
    await rollouts.create(rollout)
    await rollouts.create_targets([filled.target(rollout_id=rollout.id)])
    await export()
    await export()
    assert [row["EntryId"] for row in await told(simulator, rule, AUDIT)] == [filled.entry(1).id]
    assert [(row["RolloutId"], row["State"]) for row in await told(simulator, rule, ROLLOUTS)] == [(rollout.id, "running")]
    await place.close()


async def test_a_place_that_is_down_is_an_outage_and_costs_no_row(
    database: Database, sealer: EnvelopeSealer, credential: AsyncCredential, origin: str, simulator: Simulator, rule: str
) -> None:
    await CosmosAudit(database, sealer).append(filled.entry(1))
    nowhere = LogsIngestion(credential, "https://127.0.0.1:1", rule)
    with pytest.raises(Unavailable):
        await ExportLogs(CosmosLogStreams(database, sealer), nowhere, settled)()
    await nowhere.close()
    place = LogsIngestion(credential, origin, rule)
    await ExportLogs(CosmosLogStreams(database, sealer), place, settled)()
    await place.close()
    assert len(await told(simulator, rule, AUDIT)) == 1


async def test_a_mark_that_somebody_moved_is_not_overwritten(database: Database, sealer: EnvelopeSealer) -> None:
    streams = CosmosLogStreams(database, sealer)
    mark, etag = await streams.mark(AUDIT)
    assert (mark, etag) == (Mark(id=AUDIT), "")
    await streams.save_mark(replace(mark, upto=1), etag)
    with pytest.raises(Conflict):
        await streams.save_mark(replace(mark, upto=2), etag)
    assert (await streams.mark(AUDIT))[0].upto == 1


def a_page(sweep: int, state: str) -> Page:
    """Its cluster stands since sweep 1, the fluxConfiguration on it since this one."""
    (member,) = unpack(filled.fleet_page()).members.values()
    (entry,) = member.entries.values()
    now = Standing(sweep=sweep, since=filled.later(sweep))
    changed = replace(member, standing=replace(now, sweep=1), entries={entry.seen.id: replace(entry, state=state, standing=now)})
    return Page(id="07", sweep=sweep, members={member.cluster.id: changed})


async def test_what_a_sweep_changed_is_told_once_when_it_has_finished(
    database: Database, sealer: EnvelopeSealer, credential: AsyncCredential, origin: str, simulator: Simulator, rule: str
) -> None:
    fleet, place = CosmosFleet(database, sealer), LogsIngestion(credential, origin, rule)
    export = ExportLogs(CosmosLogStreams(database, sealer), place, settled)

    async def changed() -> list[tuple[object, ...]]:
        await export()
        return [(row["Sweep"], row["Kind"], row["Compliance"]) for row in await told(simulator, rule, COMPLIANCE)]

    etag = await fleet.save_page(a_page(1, "compliant"), "")
    turn = await fleet.save_sweep(Sweep(number=1), "")
    assert await changed() == []
    turn = await fleet.save_sweep(Sweep(number=1, finished=1, finished_at=datetime.now(UTC)), turn)
    at_first = [(1, "cluster", ""), (1, "fluxConfiguration", "compliant")]
    assert await changed() == at_first
    etag = await fleet.save_page(a_page(2, "non-compliant"), etag)
    turn = await fleet.save_sweep(Sweep(number=2, finished=1, finished_at=datetime.now(UTC)), turn)
    assert await changed() == at_first
    await fleet.save_sweep(Sweep(number=2, finished=2, finished_at=datetime.now(UTC)), turn)
    for _ in range(2):
        assert await changed() == [*at_first, (2, "fluxConfiguration", "non-compliant")]
    await place.close()
