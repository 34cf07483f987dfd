"""The lines of a digest. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.config.digests import DigestSection
from shared.domain.announcements import ClusterLine
from shared.domain.digest import STALE, Digest, Expiry, Movement
from shared.domain.trend import sparkline
from shared.domain.windows import zone

_NAMED = 3  #: of what stands in one line
_ENDED = {"succeeded": "finished", "rolled-back": "rolled back", "aborted": "aborted", "superseded": "superseded"}


def some(items: Sequence[str], joint: str = ", ") -> str:
    """The first ones, and how many there are beside."""
    more = [f"{len(items) - _NAMED:,} more"] if len(items) > _NAMED else []
    return joint.join([*items[:_NAMED], *more])


@dataclass(frozen=True)
class Words:
    """One digest in words."""

    section: DigestSection
    digest: Digest
    now: datetime

    def summary(self) -> str:
        period, swept = self.digest.period, self.digest.swept_at
        span = f"{self._moment(period.start)} to {self._moment(period.end)}, {self.section.time_zone}."
        if swept is None:
            return f"{span} The fleet was never looked at."
        return span if self.now - swept <= STALE else f"{span} The fleet as of {self._moment(swept)}: nobody has looked at it since."

    def next_step(self) -> str:
        moved = self.digest.movement
        if moved.asking:
            first = moved.asking[0]
            return f'sluice approve {first.rollout[:8]} {first.gate} --stage {first.stage} --reason "..."'
        if moved.halted:
            return f"sluice status, then resume, retry or rollback {moved.halted[0].rollout[:8]}"
        return "sluice fleet --drift any" if self.digest.drift else ""

    def facts(self) -> list[tuple[str, str]]:
        """Labels and values; "" for what need not be said."""
        digest = self.digest
        return [
            ("Waiting for approval", some([self._asked(number) for number in range(len(digest.movement.asking))], "; ")),
            ("Rollouts", self._rollouts(digest.movement)),
            ("Compliance", self.trend()),
            ("Clusters", self._clusters()),
            ("Drift open", self._drift()),
            ("Not onboarded", some([f"{each.cluster}: {each.reason}" for each in digest.unready], "; ")),
            ("Secrets", some([self._secret(each) for each in (*digest.expiring, *digest.unreadable)], "; ")),
            ("Undelivered", f"{_messages(digest.undelivered)} of the last 7 days reached nobody" if digest.undelivered else ""),
        ]

    def trend(self) -> str:
        """The share now, at the beginning of the period, and how it went, in one line of characters."""
        counts, before = self.digest.counts, self.digest.before.share if self.digest.before else None
        if counts.share is None:
            return "nothing to judge"
        end = self.digest.trend[-1].at
        line = sparkline(self.digest.trend, end - self.section.trend_span, end, self.section.trend_parts)
        was = f", was {_percent(before)}" if before is not None and _percent(before) != _percent(counts.share) else ""
        known = counts.compliant + counts.non_compliant
        return f"{_percent(counts.share)} ({counts.compliant:,} of {known:,}){was} {line} {self.section.trend_words}"

    def lines(self) -> tuple[ClusterLine, ...]:
        """Clusters by name: offline, not compliant, drifted, each longest first."""
        digest = self.digest
        offline = [(each.cluster, f"{each.state} {self._since(each.since)}") for each in digest.away]
        failing = [
            (f"{each.cluster} / {each.configuration}", f"not compliant {self._since(each.since)}{each.message and ': '}{each.message}")
            for each in digest.failing
        ]
        drifted = [
            (f"{each.cluster} / {each.configuration}", f"drift ({each.kind}) {self._since(each.since)} by {each.by or 'someone unknown'}")
            for each in digest.drift
        ]
        return tuple(ClusterLine(name=name, reason=reason) for name, reason in (*offline, *failing, *drifted))

    def _asked(self, number: int) -> str:
        ask = self.digest.movement.asking[number]
        return f"{ask.route} / {ask.stage} ({ask.gate}) {self._since(ask.since)}: {ask.title}"

    def _rollouts(self, moved: Movement) -> str:
        halted = [f"{each.route} paused {self._since(each.since)}: {each.reason}" for each in moved.halted]
        ended = [f"{moved.ended[state]:,} {word}" for state, word in _ENDED.items() if moved.ended.get(state)]
        running = [f"{moved.running:,} running"] if moved.running else []
        return "; ".join(filter(None, [some(halted, "; "), ", ".join([*ended, *running])]))

    def _clusters(self) -> str:
        digest, counts = self.digest, self.digest.counts
        parts = [f"{counts.clusters:,}", f"{counts.connected:,} connected"]
        parts += [f"{counts.offline:,} offline"] if counts.offline else []
        parts += [f"{digest.appeared:,} new"] if digest.appeared else []
        parts += [f"{len(digest.gone):,} gone from Azure"] if digest.gone else []
        return ", ".join(parts)

    def _drift(self) -> str:
        if not self.digest.drift:
            return ""
        oldest = self.digest.drift[0]
        where = f"{oldest.cluster} / {oldest.configuration} {self._since(oldest.since)} by {oldest.by or 'someone unknown'}"
        return f"{len(self.digest.drift):,}, the oldest {where}"

    def _secret(self, expiry: Expiry) -> str:
        users = f"(used by {', '.join(expiry.used_by)})"
        if expiry.expires_at is None:
            return f"{expiry.reference} cannot be read: {expiry.problem} {users}"
        word = "expired" if expiry.expires_at <= self.now else "expires"
        return f"{expiry.reference} {word} {self._moment(expiry.expires_at)} {users}"

    def _since(self, since: datetime | None) -> str:
        if since is None:
            return "since nobody knows when"
        days = (self.now - since).days
        return f"since {self._moment(since)}{f' ({days:,} days)' if days > 1 else ''}"

    def _moment(self, at: datetime) -> str:
        local, today = at.astimezone(zone(self.section.time_zone)), self.now.astimezone(zone(self.section.time_zone))
        return f"{local.day} {local:%b}{f' {local.year}' if local.year != today.year else ''} {local:%H:%M}"


def _percent(share: float) -> str:
    """Rounded down: what is not all never reads as 100 %."""
    return "100 %" if share == 1 else f"{int(share * 1000) / 10:.1f} %"


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"
