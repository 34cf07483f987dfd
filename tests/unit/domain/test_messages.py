"""What the queues carry."""

from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.advance import MOST_CHANGES
from shared.domain.changes import change_id
from shared.domain.errors import Malformed
from shared.domain.messages import (
    KINDS,
    ApplyUpdate,
    CallGate,
    Deliver,
    Ended,
    Message,
    Notify,
    OnboardCluster,
    PlanChange,
    ReportCommit,
    StepRollout,
    TellTargets,
    VisitCluster,
    encode,
    read,
)
from shared.domain.record import digest

ids = st.text(max_size=40)
messages = st.one_of(
    st.builds(PlanChange, source=ids, change_id=ids),
    st.builds(StepRollout, rollout_id=ids),
    st.builds(ApplyUpdate, rollout_id=ids, target_id=ids, dispatch=st.integers(0, 2**53), attempt=st.integers(0, 2**53)),
    st.builds(Notify, rollout_id=ids, event_id=ids),
    st.builds(Deliver, channel=ids, delivery_id=ids),
    st.builds(ReportCommit, rollout_id=ids),
    st.builds(OnboardCluster, cluster_id=ids),
    st.builds(VisitCluster, cluster_id=ids, visit=st.integers(0, 2**53)),
    st.builds(
        TellTargets,
        rollout_id=ids,
        at=st.datetimes(timezones=st.just(UTC)),
        ended=st.lists(st.builds(Ended, target_id=ids, state=ids, dispatch=st.integers(0, 99), recovered=st.booleans())).map(tuple),
    ),
    st.builds(CallGate, rollout_id=ids, stage=st.integers(0, 99), gate=ids),
)


@given(messages)
def test_a_message_comes_out_as_it_went_in(message: Message) -> None:
    text = encode(message).encode()
    assert read(type(message), text) == message
    (kinds,) = (kinds for kinds in KINDS.values() if isinstance(message, kinds))
    assert read(kinds, text) == message


def test_a_newer_version_s_field_is_ignored() -> None:
    assert read(StepRollout, b'{"rolloutId": "r", "urgent": true}') == StepRollout(rollout_id="r")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"rolloutId": 1}',
        b'{"rolloutId": null}',
        b"\xff\xfe",
        b'{"rolloutId": "\\ud800"}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("queue", KINDS)
def test_a_hostile_body_is_malformed(queue: str, body: bytes) -> None:
    with pytest.raises(Malformed, match="not a message of"):
        read(KINDS[queue], body)


@given(
    st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(msgspec.json.encode)
)
def test_any_bytes_are_a_message_or_malformed(body: bytes) -> None:
    for kinds in KINDS.values():
        with suppress(Malformed):
            assert isinstance(read(kinds, body), kinds)


def test_messages_are_small() -> None:
    assert len(encode(ApplyUpdate(rollout_id="r" * 32, target_id="t" * 32, dispatch=99))) < 1024


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_two_lists_of_parts_have_one_digest_only_if_they_are_the_same(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) is (one == other)


def test_the_same_delivery_of_the_same_repository_has_one_id_however_it_is_written() -> None:
    one = change_id("platform", "d", "https://github.com/Contoso/Platform.git", "refs/heads/main")
    assert one == change_id("platform", "d", "git@github.com:contoso/platform", "refs/heads/main")
    assert one != change_id("platform", "d", "git@github.com:contoso/platform", "refs/heads/Main")
    assert one != change_id("other", "d", "git@github.com:contoso/platform", "refs/heads/main")


def test_what_became_of_a_whole_step_fits_into_a_message() -> None:
    """A queue message holds 64 KiB (learn.microsoft.com, Azure Queue Storage)."""
    ended = tuple(Ended(target_id=digest(str(number)), state="rolled-back", dispatch=99, recovered=True) for number in range(MOST_CHANGES))
    text = encode(TellTargets(rollout_id=digest("r"), at=datetime(2026, 11, 23, tzinfo=UTC), ended=ended))
    assert len(text) * 4 / 3 < 16 * 1024
