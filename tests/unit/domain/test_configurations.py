"""Whose turn it is to write a fluxConfiguration."""

from datetime import timedelta

import pytest
from builders import NOW, at, resource_id, sha
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.configurations import Configuration, claim, cluster_id, configuration_id, hold, is_held, release
from shared.domain.pins import Pin
from shared.domain.targets import ARM_KEEPS_UPDATE

LEASE = timedelta(seconds=120)
NEW = Configuration(id="configuration", cluster_id="cluster", subscription="sub-1")


def wanted(sequence: int, holder: str = "one", **fields: object) -> Configuration:
    values = {"sequence": sequence, "rollout_id": f"rollout-{sequence}", "revision": sha(sequence), "holder": holder}
    return replace(NEW, **values | fields)


def test_the_first_writer_gets_the_turn_for_the_length_of_the_lease() -> None:
    verdict, held = claim(NEW, wanted(1), lease=LEASE, now=NOW)
    assert verdict == "granted"
    assert (held.holder, held.held_until, held.applied_at) == ("one", NOW + LEASE, None)


def test_a_second_writer_waits_for_its_turn() -> None:
    _, held = claim(NEW, wanted(1), lease=LEASE, now=NOW)
    assert claim(held, wanted(2, "two"), lease=LEASE, now=at(119)) == ("held", held)


def test_the_turn_of_a_dead_writer_ends_with_its_lease() -> None:
    _, held = claim(NEW, wanted(1), lease=LEASE, now=NOW)
    assert claim(held, wanted(1, "two"), lease=LEASE, now=NOW + LEASE)[0] == "granted"


def test_an_older_change_never_gets_a_turn_after_a_newer_one() -> None:
    _, held = claim(NEW, wanted(2), lease=LEASE, now=NOW)
    for found in (held, release(held, applied_at=at(1)), release(held, applied_at=None)):
        assert claim(found, wanted(1, "two"), lease=LEASE, now=at(9999)) == ("newer", found)


def test_what_is_accepted_is_done_until_azure_forgets_it() -> None:
    done = release(claim(NEW, wanted(1), lease=LEASE, now=NOW)[1], applied_at=NOW)
    assert claim(done, wanted(1, "two"), lease=LEASE, now=NOW + ARM_KEEPS_UPDATE) == ("done", done)
    assert claim(done, wanted(1, "two"), lease=LEASE, now=NOW + ARM_KEEPS_UPDATE + timedelta(seconds=1))[0] == "granted"


def test_a_rollback_is_another_write_of_the_same_rollout() -> None:
    done = release(claim(NEW, wanted(1), lease=LEASE, now=NOW)[1], applied_at=NOW)
    assert claim(done, wanted(1, "two", revision=sha(0)), lease=LEASE, now=NOW)[0] == "granted"


def test_other_values_with_the_same_revision_are_another_write() -> None:
    pin, other = (Pin(revision=sha(1), branch="main", substitutions={"apps": {"SITE": site}}) for site in ("berlin", None))
    done = release(claim(NEW, wanted(1, pin=pin), lease=LEASE, now=NOW)[1], applied_at=NOW)
    assert claim(done, wanted(1, "two", pin=pin), lease=LEASE, now=NOW)[0] == "done"
    assert claim(done, wanted(1, "two", pin=other), lease=LEASE, now=NOW)[0] == "granted"


def test_a_retry_writes_though_azure_has_accepted_it_before() -> None:
    done = release(claim(NEW, wanted(1), lease=LEASE, now=NOW)[1], applied_at=NOW)
    assert claim(done, wanted(1, "two", dispatch=2), lease=LEASE, now=NOW)[0] == "done"
    assert claim(done, wanted(1, "two", dispatch=2, retry=1), lease=LEASE, now=NOW)[0] == "granted"


def test_an_update_that_was_overtaken_under_way_does_not_write_over_the_rollback_of_its_rollout() -> None:
    back = release(claim(NEW, wanted(1, dispatch=2, revision=sha(0)), lease=LEASE, now=NOW)[1], applied_at=NOW)
    assert claim(back, wanted(1, "two", dispatch=1), lease=LEASE, now=at(1)) == ("newer", back)
    assert claim(back, wanted(2, "two", dispatch=1), lease=LEASE, now=at(1))[0] == "granted"


def test_a_failed_write_leaves_the_turn_free_and_nothing_done() -> None:
    free = release(claim(NEW, wanted(1), lease=LEASE, now=NOW)[1], applied_at=None)
    assert claim(free, wanted(1, "two"), lease=LEASE, now=NOW)[0] == "granted"


def test_another_rollout_of_the_same_order_writes_for_itself() -> None:
    done = release(claim(NEW, wanted(1), lease=LEASE, now=NOW)[1], applied_at=NOW)
    assert claim(done, wanted(1, "two", rollout_id="rollout-b"), lease=LEASE, now=NOW)[0] == "granted"


@given(
    st.lists(st.tuples(st.integers(1, 4), st.floats(0, 200), st.sampled_from(["hold", "accepted", "refused"])), min_size=1, max_size=40),
)
def test_there_are_never_two_holders_and_a_newer_change_is_never_written_over(attempts: list[tuple[int, float, str]]) -> None:
    found, now, newest, holders = NEW, NOW, 0, dict[str, object]()
    for number, (sequence, pause, then) in enumerate(attempts):
        now += timedelta(seconds=pause)
        holders = {name: until for name, until in holders.items() if isinstance(until, type(now)) and now < until}
        verdict, kept = claim(found, wanted(sequence, f"holder-{number}"), lease=LEASE, now=now)
        if verdict != "granted":
            assert kept == found
            continue
        assert not holders
        assert sequence >= newest
        found, newest = kept, sequence
        if then == "hold":
            holders[kept.holder] = kept.held_until
        else:
            found = release(kept, applied_at=now if then == "accepted" else None)


@pytest.mark.parametrize("derive", [configuration_id, cluster_id])
def test_ids_do_not_depend_on_the_case_of_the_arm_id(derive: object) -> None:
    assert callable(derive)
    assert derive(resource_id(1).upper()) == derive(resource_id(1))
    assert derive(resource_id(1)) != derive(resource_id(2))


def test_all_configurations_of_a_cluster_are_in_its_partition() -> None:
    assert cluster_id(resource_id(1, name="platform")) == cluster_id(resource_id(1, name="apps"))
    assert configuration_id(resource_id(1, name="platform")) != configuration_id(resource_id(1, name="apps"))


def test_one_who_writes_the_same_once_more_holds_it_as_it_is() -> None:
    accepted = release(claim(NEW, wanted(1), lease=LEASE, now=NOW)[1], applied_at=NOW)
    held = hold(accepted, "two", lease=LEASE, now=at(10))
    assert (held.holder, held.applied_at, held.revision) == ("two", NOW, sha(1))
    assert (is_held(held, at(129)), is_held(held, at(130)), is_held(accepted, at(1))) == (True, False, False)
    assert claim(held, wanted(2, "three"), lease=LEASE, now=at(20))[0] == "held"
