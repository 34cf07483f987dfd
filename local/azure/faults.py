"""Things that go wrong on request: a bad commit on some clusters, an error or a delay on some requests."""

import random
import re
from dataclasses import dataclass, field
from typing import Any


class BadFaultError(ValueError):
    """The administrator's rule cannot be understood."""


@dataclass
class CommitFault:
    """Clusters that match fail on `commit` (any when empty); `count` limits how many different ones do."""

    commit: str
    reason: str
    message: str
    clusters: frozenset[str] = frozenset()
    tags: dict[str, str] = field(default_factory=dict)
    count: int | None = None
    failed: set[str] = field(default_factory=set)

    def strikes(self, commit: str, cluster: str, tags: dict[str, str]) -> bool:
        if self.commit and not commit.startswith(self.commit):
            return False
        if self.clusters and cluster not in self.clusters:
            return False
        if any(tags.get(name) != value for name, value in self.tags.items()):
            return False
        if cluster in self.failed:
            return True
        if self.count is not None and len(self.failed) >= self.count:
            return False
        self.failed.add(cluster)
        return True


@dataclass
class HttpFault:
    """A rule over requests: a share (`rate`) or a number (`times`) of those that match fail or wait.

    `status` None means only the delay; `after` lets the request take effect first, so that only its answer is lost, or late;
    `drop` closes the connection in place of an answer; `body` is what is answered, in place of Azure's error.
    """

    method: str
    path: re.Pattern[str]
    status: int | None
    code: str
    rate: float
    times: int | None
    retry_after: int | None
    delay_seconds: float
    after: bool
    drop: bool
    body: str | None

    def strikes(self, method: str, path: str, chance: random.Random) -> bool:
        if self.method not in ("*", method) or not self.path.search(path):
            return False
        if self.times is not None and self.times <= 0:
            return False
        if chance.random() >= self.rate:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class ConflictFault:
    """Writes to a resource whose last operation is still open answer 409."""

    path: re.Pattern[str]


class Faults:
    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 -- a repeatable simulation, not a secret
        self.commits: list[CommitFault] = []
        self.requests: list[HttpFault] = []
        self.conflicts: list[ConflictFault] = []

    def add(self, rule: dict[str, Any]) -> None:
        """Raises BadFaultError for a rule of an unknown kind or with a broken pattern."""
        kind = rule.get("kind")
        if kind == "commit":
            self.commits.append(_commit_fault(rule))
        elif kind == "http":
            self.requests.append(_http_fault(rule))
        elif kind == "conflict":
            self.conflicts.append(ConflictFault(_pattern(rule.get("path", ""))))
        else:
            raise BadFaultError(f"kind must be commit, http, conflict or token, not {kind!r}")

    def clear(self) -> None:
        self.commits.clear()
        self.requests.clear()
        self.conflicts.clear()

    def for_commit(self, commit: str, cluster: str, tags: dict[str, str]) -> CommitFault | None:
        return next((fault for fault in self.commits if fault.strikes(commit, cluster, tags)), None)

    def for_request(self, method: str, path: str) -> HttpFault | None:
        return next((fault for fault in self.requests if fault.strikes(method, path, self._chance)), None)

    def refuses_parallel_writes(self, path: str) -> bool:
        return any(fault.path.search(path) for fault in self.conflicts)


def _commit_fault(rule: dict[str, Any]) -> CommitFault:
    return CommitFault(
        commit=rule.get("commit", ""),
        reason=rule.get("reason", "HealthCheckFailed"),
        message=rule.get("message", ""),
        clusters=frozenset(rule.get("clusters", ())),
        tags=dict(rule.get("tags", {})),
        count=rule.get("count"),
    )


def _http_fault(rule: dict[str, Any]) -> HttpFault:
    return HttpFault(
        method=rule.get("method", "*").upper(),
        path=_pattern(rule.get("path", "")),
        status=rule.get("status"),
        code=rule.get("code", "InternalServerError"),
        rate=float(rule.get("rate", 1.0)),
        times=rule.get("times"),
        retry_after=rule.get("retryAfter"),
        delay_seconds=float(rule.get("delaySeconds", 0)),
        after=bool(rule.get("after", False)),
        drop=bool(rule.get("drop", False)),
        body=rule.get("body"),
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise BadFaultError(f"path is not a regular expression: {error}") from error
