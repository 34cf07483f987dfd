"""What Azure Monitor is told: one flat row an audit record, and one a rollout each time that it moved.

Names of columns are those of the tables in infra/modules/logs.bicep. A row leaves the app unsealed: that is what the stream is for.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from shared.domain.audit import Link
from shared.domain.record import Record
from shared.domain.rollouts import Rollout

Row = dict[str, object]

AUDIT = "Custom-SluiceAudit_CL"
ROLLOUTS = "Custom-SluiceRollouts_CL"
COMPLIANCE = "Custom-SluiceCompliance_CL"

#: A call of the Logs Ingestion API holds at most 1 MB, a field 32 KB (learn.microsoft.com, Azure Monitor service limits).
MAX_CALL_BYTES = 900_000
MAX_TEXT = 8_000  #: characters; four bytes each at most


class Mark(Record, frozen=True):
    """How far a stream was told: everything up to this place."""

    id: str  #: name of the stream
    upto: int = 0  #: a whole second since 1970 of the database's clock; for what sweeps of the fleet found, the sweep's number


def audit_row(link: Link) -> Row:
    """An audit record; where its data key was destroyed, only its place in the chain."""
    entry = link.entry
    return {
        "TimeGenerated": as_time(link.at),
        "Stream": link.stream,
        "Number": link.number,
        "EntryId": link.entry_id,
        "Actor": entry.actor if entry else "",
        "Action": entry.action if entry else "",
        "TargetResource": entry.resource if entry else "",
        "Cause": entry.cause if entry else "",
        "Detail": {name: cut(value) for name, value in entry.detail.items()} if entry else {},
        "Hash": link.hash,
    }


def rollout_row(rollout: Rollout) -> Row:
    """A rollout as it is now."""
    counts: dict[str, int] = {}
    for stage in rollout.stages:
        for state, number in stage.counts.items():
            counts[state] = counts.get(state, 0) + number
    return {
        "TimeGenerated": as_time(rollout.updated_at),
        "RolloutId": rollout.id,
        "Route": rollout.route,
        "SourceUrl": rollout.url,
        "Ref": rollout.ref,
        "Revision": rollout.revision,
        "State": rollout.state,
        "Stage": rollout.stages[rollout.current].name if rollout.stages else "",
        "Reason": cut(rollout.reason),
        "WaitingFor": cut(rollout.waiting_for),
        "Clusters": rollout.total,
        "Counts": counts,
        "CreatedAt": as_time(rollout.created_at),
    }


def in_calls(rows: Iterable[Mapping[str, object]], limit: int = MAX_CALL_BYTES) -> Iterator[list[Mapping[str, object]]]:
    """The rows in order, in lists that each fit into one call."""
    call: list[Mapping[str, object]] = []
    size = 0
    for row in rows:
        length = len(msgspec.json.encode(row)) + 1
        if call and size + length > limit:
            yield call
            call, size = [], 0
        call.append(row)
        size += length
    if call:
        yield call


def as_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
