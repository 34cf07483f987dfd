"""Records chained by their hashes."""

from typing import Any

import pytest
from builders import at
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.audit import GENESIS, Entry, Link, content_hash, link_hash, make_link, verify


def an_entry(number: int, stream: str = "rollout-1", **detail: str) -> Entry:
    return Entry(
        id=f"entry-{number}", stream=stream, at=at(number), actor="sluice", action="update.applied", resource="r", cause="c", detail=detail
    )


def a_trail(length: int = 5, stream: str = "rollout-1") -> list[Link]:
    links: list[Link] = []
    for number in range(length):
        links.append(make_link(links[-1] if links else None, an_entry(number, stream, revision=str(number)), f"salt-{number}"))
    return links


def test_a_whole_trail_has_no_findings() -> None:
    assert list(verify([*a_trail(), *a_trail(3, "rollout-2"), *a_trail(1, "poison")])) == []
    assert list(verify([])) == []


def test_the_first_link_follows_the_beginning() -> None:
    first, second, *_ = a_trail()
    assert (first.number, first.previous) == (1, GENESIS)
    assert (second.number, second.previous) == (2, first.hash)


def test_a_trail_whose_data_key_was_destroyed_still_verifies() -> None:
    assert list(verify(replace(link, entry=None) for link in a_trail())) == []


@pytest.mark.parametrize("place", range(5))
def test_a_removed_record_is_missed(place: int) -> None:
    trail = a_trail(6)
    del trail[place]
    assert list(verify(trail)) == [f"stream rollout-1, record {place + 2}: record {place + 1} is missing"]


@pytest.mark.parametrize("place", range(6))
def test_an_inserted_record_shows(place: int) -> None:
    trail = a_trail()
    trail.insert(place, make_link(trail[place - 1] if place else None, an_entry(99), "salt"))
    assert bool(list(verify(trail))) is (place < 5)  # after the last one it is an ordinary next record


@given(st.permutations(range(5)))
def test_records_in_another_order_show(order: list[int]) -> None:
    trail = a_trail()
    assert bool(list(verify(trail[n] for n in order))) is (order != sorted(order))


CHANGED: dict[str, Any] = {
    "stream": "rollout-2",
    "number": 99,
    "entry_id": "entry-99",
    "at": at(99),
    "content_hash": "f" * 64,
    "salt": "pepper",
    "previous": "f" * 64,
    "hash": "f" * 64,
    "entry": an_entry(1, revision="changed"),
}


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("field", CHANGED)
def test_a_changed_field_shows(field: str, place: int) -> None:
    trail = a_trail()
    trail[place] = replace(trail[place], **{field: CHANGED[field]})
    assert list(verify(trail))


def test_every_field_of_a_link_is_tried_above() -> None:
    assert set(CHANGED) == set(Link.__struct_fields__)


def test_a_record_whose_hashes_were_made_anew_is_not_followed_by_the_next() -> None:
    trail = a_trail()
    forged = make_link(trail[1], an_entry(2, revision="forged"), trail[2].salt)
    assert list(verify([*trail[:2], forged, *trail[3:]])) == ["stream rollout-1, record 4: does not follow the record before it"]


def test_a_content_under_another_content_s_hash_is_named() -> None:
    trail = a_trail(1)
    changed = replace(trail[0], entry=an_entry(0, revision="changed"))
    assert list(verify([changed])) == ["stream rollout-1, record 1: its content was changed"]


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.text(max_size=8))
def test_the_order_of_the_details_does_not_matter_and_the_salt_does(detail: dict[str, str], salt: str) -> None:
    one, other = (replace(an_entry(1), detail=dict(items)) for items in (detail.items(), reversed(detail.items())))
    assert content_hash(salt, one) == content_hash(salt, other)
    assert content_hash(salt, one) != content_hash(salt + "x", one)


def test_fields_do_not_run_into_each_other() -> None:
    assert link_hash("a", 1, "1b", at(0), "c", "p") != link_hash("a", 11, "b", at(0), "c", "p")
