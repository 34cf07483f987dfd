"""The stored documents, on the Cosmos DB emulator with the real sealer."""

import asyncio
from datetime import timedelta
from typing import Any

import filled
import pytest
from msgspec.structs import replace

from shared.azure.cosmos.audit import LINK, CosmosAudit
from shared.azure.cosmos.changes import CHANGE, HEAD, CosmosChanges
from shared.azure.cosmos.checks import CHECK, CosmosChecks
from shared.azure.cosmos.commit_reports import COMMIT_REPORT
from shared.azure.cosmos.configurations import CONFIGURATION
from shared.azure.cosmos.conversations import CONVERSATION, CosmosConversations
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.deliveries import DELIVERY, CosmosDeliveries
from shared.azure.cosmos.digest_marks import MARKS
from shared.azure.cosmos.documents import Shelf
from shared.azure.cosmos.fleet import PAGE, SWEEP, TREND
from shared.azure.cosmos.foreign_writes import FOREIGN_WRITE, CosmosForeignWrites
from shared.azure.cosmos.keys import CosmosDataKeys
from shared.azure.cosmos.objects import LAST_EVENT, CosmosObjectEvents
from shared.azure.cosmos.onboardings import PROGRESS, CosmosOnboardings
from shared.azure.cosmos.pace import CosmosPace
from shared.azure.cosmos.policy_states import POLICY_STATE, CosmosPolicyStates
from shared.azure.cosmos.rollouts import ROLLOUT, TARGET, CosmosRollouts
from shared.azure.sealing import EnvelopeSealer
from shared.config.models import Receiver
from shared.domain.audit import verify
from shared.domain.deliveries import Delivery
from shared.domain.errors import Conflict, Malformed, Sealed
from shared.domain.pace import Pace
from shared.domain.record import digest
from shared.services.rates import Rates

KINDS = [
    pytest.param(CHANGE, filled.change, id="change"),
    pytest.param(HEAD, filled.head, id="head"),
    pytest.param(CHECK, filled.check, id="check"),
    pytest.param(ROLLOUT, filled.rollout, id="rollout"),
    pytest.param(TARGET, filled.target, id="target"),
    pytest.param(CONFIGURATION, filled.configuration, id="configuration"),
    pytest.param(FOREIGN_WRITE, filled.foreign_write, id="foreign-write"),
    pytest.param(POLICY_STATE, filled.policy_state, id="policy-state"),
    pytest.param(LAST_EVENT, filled.last_event, id="last-event"),
    pytest.param(PROGRESS, filled.progress, id="onboarding"),
    pytest.param(DELIVERY, filled.delivery, id="delivery"),
    pytest.param(COMMIT_REPORT, filled.commit_report, id="commit-report"),
    pytest.param(CONVERSATION, filled.conversation, id="conversation"),
    pytest.param(LINK, filled.link, id="audit"),
    pytest.param(PAGE, filled.fleet_page, id="fleet-page"),
    pytest.param(SWEEP, filled.fleet_sweep, id="fleet-sweep"),
    pytest.param(TREND, filled.trend, id="fleet-trend"),
    pytest.param(MARKS, filled.digest_marks, id="digest-marks"),
]


async def raw(database: Database, kind: Any, value: Any) -> dict[str, Any]:
    partition, item = kind.place(value)
    found = await database.read(kind.container, item, partition)
    assert found is not None
    return found


@pytest.mark.parametrize(("kind", "make"), KINDS)
async def test_what_is_stored_comes_back_and_says_nothing_to_others(
    database: Database, sealer: EnvelopeSealer, kind: Any, make: Any
) -> None:
    shelf = Shelf(database, sealer, kind)
    value = make()
    etag = await shelf.save(value, "")
    assert await shelf.get(*kind.place(value)) == (value, etag)
    assert filled.SECRET not in str(await raw(database, kind, value)).lower()
    with pytest.raises(Conflict):
        await shelf.save(value, "")
    newer = await shelf.save(value, etag)
    with pytest.raises(Conflict):
        await shelf.save(value, etag)
    assert newer != etag


@pytest.mark.parametrize(("kind", "make"), KINDS)
async def test_what_was_moved_or_damaged_is_refused(database: Database, sealer: EnvelopeSealer, kind: Any, make: Any) -> None:
    shelf = Shelf(database, sealer, kind)
    value = make()
    await shelf.save(value, "")
    document = await raw(database, kind, value)
    with pytest.raises(Sealed):
        await shelf.decode({**document, "id": "elsewhere"})
    with pytest.raises(Sealed):
        await shelf.decode({**document, "sealed": document["sealed"][:-4] + "AAAA"})
    with pytest.raises(Malformed, match=str(document["id"])):
        await shelf.decode({**document, "type": "another"})
    with pytest.raises(Malformed, match=str(document["id"])):
        await shelf.decode({**document, "version": 99})


async def test_of_many_savers_one_wins(database: Database, sealer: EnvelopeSealer) -> None:
    shelf = Shelf(database, sealer, TARGET)
    etag = await shelf.save(filled.target(), "")
    results = await asyncio.gather(*(shelf.save(filled.target(order=n), etag) for n in range(8)), return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 7


async def test_pace_is_kept_by_etag(database: Database) -> None:
    pace = CosmosPace(database)
    first, etag = await pace.get("s.region")
    assert (first, etag) == (Pace(id="s.region"), "")
    await pace.save(replace(first, theoretical_arrival=filled.AT), etag)
    found, etag = await pace.get("s.region")
    assert found.theoretical_arrival == filled.AT
    await pace.save(found, etag)
    with pytest.raises(Conflict):
        await pace.save(found, etag)


async def test_instances_keep_a_receiver_s_rate_together(database: Database) -> None:
    receiver = Receiver(name="platform", type="github", secret_ref="kv://sluice/github", rate_limit="100/m")
    instances = [Rates(CosmosPace(database), lambda: filled.AT) for _ in range(4)]
    given = await asyncio.gather(*(instances[number % 4].slot(receiver) for number in range(120)))
    assert sum(slot == filled.AT for slot in given) == 100
    assert max(given) <= filled.AT + timedelta(minutes=1)


async def test_the_pages_of_rollouts_are_whole_and_newest_first(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosRollouts(database, sealer)
    for number in range(25):
        # Five of each moment: those of one change share it.
        await store.create(filled.rollout(id=f"r{number:02}", created_at=filled.later(number // 5)))
    seen, continuation = await store.recent(4, None)
    while continuation:
        page, continuation = await store.recent(4, continuation)
        seen += page
    assert [rollout.created_at for rollout in seen] == sorted((r.created_at for r in seen), reverse=True)
    assert {rollout.id for rollout in seen} == {f"r{number:02}" for number in range(25)}
    assert len(seen) == 25


async def test_the_pages_of_messages_in_a_state_are_whole_and_newest_first(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosDeliveries(database, sealer)
    for number in range(25):
        # Five of each moment, in three channels, and others between them.
        made = replace(filled.delivery(), id=digest(str(number)), channel=digest(str(number % 3)), created_at=filled.later(number // 5))
        assert await store.create(made)
        assert await store.create(replace(made, id=digest("other", str(number)), state="sent"))
    seen: list[Delivery] = []
    continuation: str | None = ""
    while continuation is not None:
        page, continuation = await store.newest("failed", 4, continuation)
        seen += page
    assert [each.created_at for each in seen] == sorted((each.created_at for each in seen), reverse=True)
    assert sorted(each.id for each in seen) == sorted(digest(str(number)) for number in range(25))
    assert await store.newest("collecting", 4, "") == ([], None)


async def test_what_was_never_delivered_outlives_its_container_s_week(database: Database, sealer: EnvelopeSealer) -> None:
    store, failed = CosmosDeliveries(database, sealer), filled.delivery()
    await store.create(failed)
    assert (await raw(database, DELIVERY, failed))["ttl"] == 90 * 24 * 3600
    found = await store.get(failed.channel, failed.id)
    assert found is not None
    await store.save(replace(failed, state="sent"), found[1])
    assert "ttl" not in await raw(database, DELIVERY, failed)


async def test_the_clusters_on_their_way_are_seen_at_a_glance_opened_and_paged(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosOnboardings(database, sealer)
    made = [filled.progress(f"{filled.CLUSTER_ID}-{n}", state="done" if n % 2 else "failed") for n in range(5)]
    for each in made:
        await store.save(each, "")
    by_id = sorted(made, key=lambda each: each.id)
    glances = {glance.id: glance for glance in await store.glances()}
    assert set(glances) == {each.id for each in made}
    assert glances[made[0].id].looked_at == filled.AT
    assert {each.cluster_id for each in await store.open([made[1].id, made[2].id])} == {made[1].cluster_id, made[2].cluster_id}
    assert await store.some(state=None, after="", limit=2) == by_id[:2]
    assert await store.some(state=None, after=by_id[1].id, limit=9) == by_id[2:]
    assert await store.some(state="done", after="", limit=9) == [each for each in by_id if each.state == "done"]
    for _ in range(2):
        await store.drop(made[0])
    assert await store.get(made[0].cluster_id) is None
    found = await store.get(made[1].cluster_id)
    assert found is not None
    assert found[0] == made[1]


async def test_the_list_of_the_active_is_a_set(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosRollouts(database, sealer)
    for _ in range(2):
        await store.mark_active("r1")
    assert [rollout for rollout, _ in await store.active()] == ["r1"]
    for _ in range(2):
        await store.unmark_active("r1")
    assert await store.active() == []


async def test_the_list_of_the_unplanned_is_a_set(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosChanges(database, sealer)
    change = filled.change()
    for _ in range(2):
        await store.mark_unplanned(change)
    [waiting] = await store.unplanned()
    assert (waiting.change_id, waiting.source, waiting.since) == (change.id, change.source, change.received_at)
    for _ in range(2):
        await store.unmark_unplanned(change.id)
    assert await store.unplanned() == []


async def test_of_results_that_arrive_at_once_the_newest_stays(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosChecks(database, sealer)
    results = [filled.check(at=filled.later(number), state="success" if number == 7 else "failure") for number in range(8)]
    assert any(await asyncio.gather(*(store.record(result) for result in [*results, *results])))
    assert not any([await store.record(result) for result in results])
    await store.record(filled.check(name="contoso/test", state="pending"))
    await store.record(filled.check(revision="2e" * 20))
    await store.record(filled.check(source="elsewhere"))
    assert await store.of(filled.SOURCE, filled.COMMIT) == {"contoso/build": "success", "contoso/test": "pending"}
    assert await store.of(filled.SOURCE, "3d" * 20) == {}


async def test_of_writes_by_others_that_arrive_in_any_order_the_newest_stays(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosForeignWrites(database, sealer)
    assert await store.get(filled.CONFIGURATION_ID) is None
    writes = [filled.foreign_write(at=filled.later(number), event_id=f"e{number}") for number in (3, 7, 1, 5)]
    assert any(await asyncio.gather(*(store.record(write) for write in [*writes, *writes])))
    assert not any([await store.record(write) for write in writes])
    other = filled.foreign_write(configuration_id=f"{filled.CONFIGURATION_ID}-2")
    assert await store.record(other)
    assert await store.get(filled.CONFIGURATION_ID.upper()) == writes[1]
    assert await store.get(other.configuration_id) == other


async def test_of_judgements_that_arrive_in_any_order_the_newest_stays(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosPolicyStates(database, sealer)
    states = [filled.policy_state(at=filled.later(number), before="", compliance=f"C{number}") for number in (3, 7, 1, 5)]
    known = await asyncio.gather(*(store.record(state) for state in [*states, *states]))
    assert {state.compliance for state in known} <= {"C1", "C3", "C5", "C7"}
    assert {(await store.record(state)).compliance for state in states} == {"C7"}
    assert (await store.record(filled.policy_state(at=filled.later(9), compliance="Compliant"))).before == "C7"


async def test_of_events_of_an_object_that_arrive_in_any_order_the_last_stays(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosObjectEvents(database, sealer)
    events = [filled.last_event(number).event for number in (3, 7, 1)]
    assert any(await asyncio.gather(*(store.advance(filled.SOURCE, event) for event in [*events, *events])))
    assert [await store.advance(filled.SOURCE, event) for event in events] == [False, True, False]
    assert await store.advance("elsewhere", events[0])
    assert await store.advance(filled.SOURCE, filled.last_event(1, key="another").event)


async def test_the_refs_at_a_revision_are_found(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosChanges(database, sealer)
    heads = [replace(filled.head(), id=f"head.{number}") for number in range(2)]
    others = [replace(filled.head(), id="head.2", revision="2e" * 20), replace(filled.head(), source="elsewhere")]
    for head in [*heads, *others]:
        await store.save_head(head, "")
    await store.record(filled.change())
    assert sorted(await store.heads_at(filled.SOURCE, filled.COMMIT), key=lambda head: head.id) == heads


async def test_writers_at_the_same_time_make_one_chain(database: Database, sealer: EnvelopeSealer) -> None:
    audit = CosmosAudit(database, sealer)
    entries = [filled.entry(number) for number in range(8)]
    await asyncio.gather(*(audit.append(entry) for entry in [*entries, *entries]))
    links = [link async for link in audit.read("stream-1")]
    assert [link.number for link in links] == list(range(1, 9))
    assert {link.entry_id for link in links} == {entry.id for entry in entries}
    assert list(verify(links)) == []


async def test_a_changed_record_is_found_and_a_shredded_one_is_followed(database: Database, sealer: EnvelopeSealer) -> None:
    audit = CosmosAudit(database, sealer)
    for number in range(3):
        await audit.append(filled.entry(number))
    document = await database.read("audit", f"{2:012}", "stream-1")
    assert document is not None
    await database.replace("audit", {**document, "sealed": document["sealed"][:-4] + "AAAA"}, document["_etag"])
    findings = list(verify([link async for link in audit.read()]))
    assert len(findings) == 1
    assert "record 2" in findings[0]
    await database.delete("keys", filled.SUBSCRIPTION, filled.SUBSCRIPTION)
    forgetful = CosmosAudit(database, EnvelopeSealer(CosmosDataKeys(database), sealer._keys._wrapper))
    links = [link async for link in forgetful.read()]
    assert [link.entry for link in links] == [None, None, None]
    assert list(verify(links)) == []


async def test_data_keys_have_scopes(database: Database, sealer: EnvelopeSealer) -> None:
    await sealer.seal(b"x", scope="fleet", binding="b")
    await sealer.seal(b"x", scope="another", binding="b")
    assert await CosmosDataKeys(database).scopes() == ["another", "fleet"]
    assert await sealer.rotate("fleet") == 2


async def test_making_the_containers_again_changes_nothing(database: Database) -> None:
    assert await database.create() == await database.create()
    await database.check()


async def test_targets_are_given_page_by_page_in_their_order(database: Database, sealer: EnvelopeSealer) -> None:
    store = CosmosRollouts(database, sealer)
    orders = [7, 3, 9, 1, 5, 8, 0, 6, 4, 2]
    targets = [filled.target(id=f"t{order}", order=order, stage=order // 5, state="failed" if order % 2 else "pending") for order in orders]
    assert await store.create_targets(targets)
    rollout = targets[0].rollout_id
    assert [target.order for target in await store.some_targets(rollout, limit=4)] == [0, 1, 2, 3]
    assert [target.order for target in await store.some_targets(rollout, after=3, limit=4)] == [4, 5, 6, 7]
    assert [target.order for target in await store.some_targets(rollout, after=7, limit=4)] == [8, 9]
    assert [target.order for target in await store.some_targets(rollout, stage=1, states=("failed",), after=5, limit=4)] == [7, 9]


async def test_a_conversation_is_saved_at_its_etag_and_lives_as_long_as_its_rollout(database: Database, sealer: EnvelopeSealer) -> None:
    conversations = CosmosConversations(database, sealer)
    one = filled.conversation()
    one = replace(one, id=f"{one.id[:-4]}feed")
    assert await conversations.get(one.id) is None
    etag = await conversations.save(one, "")
    assert await conversations.get(one.id) == (one, etag)
    with pytest.raises(Conflict):
        await conversations.save(one, "")
    await conversations.save(replace(one, told=()), etag)
    with pytest.raises(Conflict):
        await conversations.save(one, etag)
    assert CONVERSATION.container == ROLLOUT.container
