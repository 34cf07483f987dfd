"""Rows for Azure Monitor: flat, small enough, and with the columns that the tables have."""

import msgspec
from builders import a_rollout, a_stage, at
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.audit import Entry, make_link
from shared.domain.log_rows import MAX_TEXT, audit_row, in_calls, rollout_row


def an_entry(**detail: str) -> Entry:
    return Entry(id="e1", stream="s1", at=at(0), actor="alex", action="rollout.paused", resource="r1", cause="c1", detail=detail)


def test_an_audit_record_is_told_with_who_did_what_and_its_place_in_the_chain() -> None:
    link = make_link(None, an_entry(reason="tills are down"), "salt")
    row = audit_row(link)
    assert (row["Stream"], row["Number"], row["EntryId"], row["Hash"]) == ("s1", 1, "e1", link.hash)
    assert (row["Actor"], row["Action"], row["TargetResource"]) == ("alex", "rollout.paused", "r1")
    assert row["Detail"] == {"reason": "tills are down"}
    assert str(row["TimeGenerated"]).endswith("Z")


def test_a_record_whose_key_was_destroyed_keeps_its_place() -> None:
    row = audit_row(replace(make_link(None, an_entry(), "salt"), entry=None))
    assert (row["Number"], row["Actor"], row["Detail"]) == (1, "", {})


def test_counts_of_all_stages_are_added() -> None:
    rollout = a_rollout(a_stage(counts={"compliant": 2, "failed": 1}), a_stage("prod", counts={"compliant": 3}), current=1)
    row = rollout_row(rollout)
    assert row["Counts"] == {"compliant": 5, "failed": 1}
    assert row["Stage"] == "prod"


def test_a_rollout_without_a_stage_is_told_too() -> None:
    assert rollout_row(replace(a_rollout(), stages=()))["Stage"] == ""


def test_long_texts_are_cut() -> None:
    row = rollout_row(a_rollout(a_stage(), reason="x" * (MAX_TEXT + 1)))
    assert len(str(row["Reason"])) == MAX_TEXT


@given(st.lists(st.text(max_size=50)), st.integers(min_value=1, max_value=200))
def test_calls_hold_every_row_once_in_order_and_are_small(texts: list[str], limit: int) -> None:
    rows = [{"Text": text} for text in texts]
    calls = list(in_calls(rows, limit))
    assert [row for call in calls for row in call] == rows
    assert all(len(msgspec.json.encode(call)) <= limit + 2 or len(call) == 1 for call in calls)
