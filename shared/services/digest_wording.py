"""A digest as an announcement: what needs people first, and little where nothing does. Pure."""

from collections.abc import Iterator
from datetime import datetime

from shared.config.digests import DigestSection
from shared.domain.announcements import Announcement, Field, Picture
from shared.domain.digest import STALE, Digest
from shared.domain.pages import page
from shared.domain.record import digest as stable_id
from shared.services.digest_words import Words, some

_MAX_CLUSTERS = 10  #: lines; the rest is counted, and linked to


def announcement_id(section: DigestSection, period_id: str) -> str:
    return stable_id("digest", section.name, period_id)


def announce(section: DigestSection, digest: Digest, now: datetime, public_url: str, picture: bytes = b"") -> Announcement:
    """`picture`: of the trend, a PNG; empty where there is none."""
    words = Words(section, digest, now)
    lines = words.lines()
    links = [("Fleet", page(public_url, view="fleet")), ("Rollouts", page(public_url, view="rollouts"))]
    return Announcement(
        id=announcement_id(section, digest.period.id),
        kind=f"digest.{section.schedule}",
        # A digest wakes nobody: what is wrong was told when it happened.
        severity="info",
        title=f"{section.schedule.capitalize()} digest {section.name}: {some(list(needs(digest, now))) or 'all is well'}",
        summary=words.summary(),
        facts=tuple((label, value) for label, value in words.facts() if value),
        clusters=lines[:_MAX_CLUSTERS],
        more_clusters=max(0, len(lines) - _MAX_CLUSTERS),
        links=tuple((text, url) for text, url in links if url),
        at=now,
        next_step=words.next_step(),
        fields=fields(section, digest),
        picture=Picture(png=picture, text=words.trend()) if picture else None,
    )


def needs(digest: Digest, now: datetime) -> Iterator[str]:
    """What someone should look at, the most urgent first."""
    moved = digest.movement
    expired = sum(expiry.expires_at is not None and expiry.expires_at <= now for expiry in digest.expiring)
    if digest.swept_at is None or now - digest.swept_at > STALE:
        yield "the fleet is not looked at"
    for count, one, many in (
        (len(moved.asking), "approval waits", "approvals wait"),
        (len(moved.halted), "rollout paused", "rollouts paused"),
        (moved.ended.get("rolled-back", 0), "rollout rolled back", "rollouts rolled back"),
        (expired, "secret expired", "secrets expired"),
        (digest.undelivered, "message undelivered", "messages undelivered"),
        (digest.counts.non_compliant, "not compliant", "not compliant"),
        (len(digest.drift), "drifted", "drifted"),
        (len(digest.unready), "cluster not onboarded", "clusters not onboarded"),
        (digest.counts.offline, "cluster offline", "clusters offline"),
        (len(digest.expiring) - expired, "secret expires soon", "secrets expire soon"),
        (len(digest.unreadable), "secret cannot be read", "secrets cannot be read"),
    ):
        if count:
            yield f"{count:,} {one if count == 1 else many}"


def fields(section: DigestSection, digest: Digest) -> dict[str, Field]:
    """The same for programs."""
    counts, ended = digest.counts, digest.movement.ended
    return {
        "digest": section.name,
        "period": digest.period.id,
        "from": digest.period.start.isoformat(),
        "to": digest.period.end.isoformat(),
        "clusters": counts.clusters,
        "clustersConnected": counts.connected,
        "clustersOffline": counts.offline,
        "configurations": counts.configurations,
        "configurationsCompliant": counts.compliant,
        "configurationsNonCompliant": counts.non_compliant,
        "driftOpen": len(digest.drift),
        "approvalsWaiting": len(digest.movement.asking),
        "rolloutsPaused": len(digest.movement.halted),
        "rolloutsRunning": digest.movement.running,
        "rolloutsSucceeded": ended.get("succeeded", 0),
        "rolloutsRolledBack": ended.get("rolled-back", 0),
        "onboardingFailed": len(digest.unready),
        "secretsExpiring": len(digest.expiring),
        "secretsUnreadable": len(digest.unreadable),
        "messagesUndelivered": digest.undelivered,
    }
