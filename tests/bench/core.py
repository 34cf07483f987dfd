"""The pure core and the sealing: microseconds of CPU a call."""

import asyncio
import hashlib
import hmac
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import process_time

from shared.azure.data_keys import KeyRecord
from shared.azure.key_vault import KeyEncryptionKey
from shared.azure.sealing import EnvelopeSealer
from shared.domain.advance import Decision, advance, to_open
from shared.domain.facts import Facts
from shared.domain.pins import Pin
from shared.domain.rollouts import Glance, Rollout, Rules, Stage, Target
from shared.receivers import github
from shared.receivers.inbound import Inbound
from tests.bench.table import table

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_SECRET = "a secret of the bench"


def measure_receiver() -> str:
    rows = []
    for size in (8_000, 60_000):
        body = _push(size)
        signature = "sha256=" + hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x-github-event": "push", "x-github-delivery": "bench", "x-hub-signature-256": signature}
        inbound = Inbound(receiver="bench", headers=headers, body=body, received_at=_NOW)
        whole = _microseconds(lambda: github.receive(inbound, [_SECRET]), 200)  # noqa: B023 -- called before the loop goes on
        digest = _microseconds(lambda: hmac.digest(_SECRET.encode(), body, "sha256"), 200)  # noqa: B023 -- as above
        loads = _microseconds(lambda: json.loads(body), 200)  # noqa: B023 -- as above
        rows.append([f"{len(body):,}", f"{whole:.0f}", f"{digest:.0f}", f"{loads:.0f}"])
    note = "Verify and parse a signed GitHub push, beside the parts that nobody can avoid."
    return table("Receiver", note, ["bytes", "receive, µs", "one HMAC-SHA256, µs", "json.loads alone, µs"], rows)


def measure_advance() -> str:
    rows = []
    for count in (10, 100, 1_000, 10_000):
        rollout, targets = _rollout(count)
        glances = [Glance.at(target) for target in targets.values()]
        each = _microseconds(lambda: _decide(rollout, glances, targets), max(3, 2_000 // count))  # noqa: B023 -- as above
        rows.append([f"{count:,}", f"{each / 1000:.2f}", f"{each / count:.2f}"])
    note = "One step over a whole stage of which half waits: see what must be opened, decide, queue as many as one transaction holds."
    return table("Advance", note, ["targets", "ms", "µs a target"], rows)


def _decide(rollout: Rollout, glances: list[Glance], targets: dict[str, Target]) -> Decision:
    opened = [targets[key] for key in to_open(rollout, glances, Facts(), _NOW)]
    return advance(rollout, glances, opened, Facts(), _NOW)


def measure_sealing() -> str:
    rows = asyncio.run(_sealing())
    return table("Sealing", "JWE `dir` + A256GCM, data key in memory.", ["bytes", "seal, µs", "open, µs"], rows)


async def _sealing() -> list[list[str]]:
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        sealer = EnvelopeSealer(_Memory(), KeyEncryptionKey(str(Path(directory) / "key.pem")))
        for size in (1_000, 4_000):
            data = bytes(size)
            token = await sealer.seal(data, scope="bench", binding="b")
            start = process_time()
            for _ in range(300):
                await sealer.seal(data, scope="bench", binding="b")
            middle = process_time()
            for _ in range(300):
                await sealer.open(token, binding="b")
            rows.append([f"{size:,}", f"{(middle - start) / 300 * 1e6:.0f}", f"{(process_time() - middle) / 300 * 1e6:.0f}"])
    return rows


class _Memory:
    """A DataKeyStore of one process."""

    def __init__(self) -> None:
        self._records: dict[str, KeyRecord] = {}

    async def get(self, scope: str) -> tuple[KeyRecord, str] | None:
        return (self._records[scope], "1") if scope in self._records else None

    async def create(self, record: KeyRecord) -> None:
        self._records[record.scope] = record

    async def replace(self, record: KeyRecord, etag: str) -> None:
        self._records[record.scope] = record


def _microseconds(call: Callable[[], object], times: int) -> float:
    samples = []
    for _ in range(5):
        start = process_time()
        for _ in range(times):
            call()
        samples.append((process_time() - start) / times * 1e6)
    return median(samples)


def _push(size: int) -> bytes:
    commit = {"id": "b" * 40, "message": "Bench", "added": [], "modified": ["clusters/base/app.yaml"], "removed": []}
    commits = [commit] * max(1, size // len(json.dumps(commit)))
    return json.dumps(
        {
            "ref": "refs/heads/main",
            "before": "a" * 40,
            "after": "b" * 40,
            "commits": commits,
            "head_commit": commit,
            "pusher": {"name": "bench"},
            "repository": {"clone_url": "https://github.com/contoso/platform.git", "pushed_at": 1767225600},
        }
    ).encode()


def _rollout(count: int) -> tuple[Rollout, dict[str, Target]]:
    rollout = Rollout(
        id="r",
        route="bench",
        source="s",
        url="github.com/contoso/platform",
        ref="refs/heads/main",
        revision="b" * 40,
        change_id="c",
        sequence=1,
        author="bench",
        title="Bench",
        forced=False,
        stages=(
            Stage(
                name="all",
                total=count,
                max_concurrency=count,
                after_wait_seconds=0,
                rules=Rules(compliance_within_seconds=1800, grace_seconds=60, max_failures=0, redispatch_after_seconds=300),
                state="running",
            ),
        ),
        created_at=_NOW - timedelta(minutes=1),
        updated_at=_NOW,
    )
    targets = {
        f"t{number}": Target(
            id=f"t{number}",
            rollout_id="r",
            stage=0,
            order=number,
            configuration_id=f"/c/{number}",
            configuration="platform",
            cluster=f"cluster-{number}",
            subscription="s",
            pin=Pin(revision="b" * 40, branch="main"),
            state="applied" if number % 2 else "pending",
            applied_at=_NOW,
        )
        for number in range(count)
    }
    return rollout, targets
