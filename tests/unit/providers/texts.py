"""Announcements for the renders: ordinary ones, and whatever hypothesis thinks of."""

from collections.abc import Iterator
from datetime import UTC, datetime

from hypothesis import strategies as st

from shared.domain.announcements import Announcement, ClusterLine

HOSTILE = (
    "<!channel> <!here|x> <@U012> <#C1> <https://evil.example|click> <at>Everyone</at> "
    "[a](https://evil.example) *b* _c_ `d` {{DATE(2026-01-01T00:00:00Z)}} \u202e & \ud800\x00"
)

texts = st.one_of(
    st.text(max_size=300),
    st.text(alphabet=st.characters(exclude_categories=[]), max_size=300),  # lone surrogates too
    st.sampled_from([HOSTILE, "", " ", "word " * 2000, "\U0001f600" * 5000, "\u4f60" * 5000, '"\\' * 3000, "\n" * 3000]),
)
clusters = st.builds(ClusterLine, name=texts, reason=texts)
urls = st.one_of(
    texts, st.sampled_from(["https://sluice.example/r/1", "http://127.0.0.1:7071/r/1", "javascript:alert(1)", "https://e/" + "x" * 900])
)
announcements = st.builds(
    Announcement,
    id=st.text(max_size=20),
    kind=texts,
    severity=st.sampled_from(["info", "error"]),
    title=texts,
    summary=texts,
    facts=st.lists(st.tuples(texts, texts), max_size=15).map(tuple),
    clusters=st.lists(clusters, max_size=6).flatmap(lambda some: st.integers(0, 40).map(lambda times: tuple(some * times))),
    more_clusters=st.integers(0, 10**6),
    links=st.lists(st.tuples(texts, urls), max_size=6).map(tuple),
    at=st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is beside them
    next_step=texts,
    fields=st.dictionaries(st.sampled_from(["total", "compliant", "failed", "rolledBack", "route"]), texts | st.integers(), max_size=5),
)
batches = st.lists(announcements, min_size=1, max_size=3).flatmap(lambda some: st.integers(1, 20).map(lambda times: some * times))


def strings(node: object) -> Iterator[str]:
    """Every string of a rendered message, keys too."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from strings(key)
            yield from strings(value)
    elif isinstance(node, list | tuple):
        for each in node:
            yield from strings(each)


def nodes(node: object) -> Iterator[dict[str, object]]:
    """Every object of a rendered message."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for each in node:
            yield from nodes(each)


def failed_stage(**changes: object) -> Announcement:
    values: dict[str, object] = {
        "id": "1",
        "kind": "stage.failed",
        "severity": "error",
        "title": "platform: stage canary failed",
        "summary": "3 of 12 clusters failed; the rollout is paused",
        "facts": (("Commit", "0a1b2c3"), ("Ref", "refs/heads/feature_x_y")),
        "clusters": (ClusterLine("store-001", "HealthCheckFailed"), ClusterLine("store-002", "BuildFailed")),
        "more_clusters": 1,
        "links": (("Open rollout", "https://sluice.example/rollouts/1"),),
    }
    return Announcement(**(values | changes))  # type: ignore[arg-type]
