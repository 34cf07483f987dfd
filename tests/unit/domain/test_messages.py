"""What the queues carry."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.changes import change_id
from shared.domain.errors import Malformed
from shared.domain.messages import (
    KINDS,
    ApplyUpdate,
    CallGate,
    Deliver,
    Message,
    Notify,
    OnboardCluster,
    PlanChange,
    ReportCommit,
    StepRollout,
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
