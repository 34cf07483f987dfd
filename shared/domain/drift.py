"""Drift: how a fluxConfiguration departs from what Sluice asked of it, and whether it is put back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from msgspec.structs import replace

from shared.domain.configurations import Configuration
from shared.domain.errors import Malformed
from shared.domain.fleet import Asked, Cluster, Drift, DriftKind, Entry, Seen
from shared.domain.observations import COMPLIANT, SUSPENDED, FluxConfiguration, Observation
from shared.domain.pins import Pin
from shared.domain.record import Record
from shared.domain.revisions import parse_revision
from shared.domain.selectors import Selector
from shared.domain.sources import source_id

DAY = timedelta(hours=24)
#: A message to put something back has done its work by then, or is lost.
_ORDER_LASTS = timedelta(minutes=10)
#: How long a departure must last: what others wrote is there at once, the rest may pass by itself. Resource Graph is eventually
#: consistent, extensions are upgraded, and Flux fetches its source every 10 minutes (Microsoft.KubernetesConfiguration's default).
_PATIENCE: dict[DriftKind, timedelta] = {
    "missing": timedelta(minutes=10),
    "suspended": timedelta(0),
    "spec": timedelta(0),
    "extension": timedelta(minutes=10),
    "revision": timedelta(minutes=30),
}
_SHORT = 8

Mode = Literal["report", "remediate"]


class DriftRule(Record, frozen=True):
    """What is done about drift of the fluxConfigurations that it means."""

    mode: Mode
    budget: int  #: how often a day something on one cluster is put back, at most
    resume_suspended: bool = False
    routes: tuple[str, ...] = ("*",)
    selector: Selector = Selector()

    def means(self, route: str, found: FluxConfiguration) -> bool:
        return any(fnmatchcase(route, pattern) for pattern in self.routes) and self.selector.matches(found)


class DriftPolicy(Record, frozen=True):
    """The first rule that means a fluxConfiguration decides; the last one means them all."""

    rules: tuple[DriftRule, ...]
    settle_seconds: float  #: after an update of ours nothing counts for so long: Resource Graph may still show what was before

    @property
    def settle(self) -> timedelta:
        return timedelta(seconds=self.settle_seconds)

    def rule(self, cluster: Cluster, entry: Entry, now: datetime) -> DriftRule:
        route = entry.asked.route if entry.asked else ""
        found = as_found(cluster, entry.seen, now)
        return next(rule for rule in self.rules if rule.means(route, found))


def asked_of(record: Configuration) -> Asked | None:
    """What a record asks; None while someone writes it, or where ARM has not accepted it."""
    if record.pin is None or record.applied_at is None:
        return None
    return Asked(
        pin=record.pin,
        applied_at=record.applied_at,
        rollout_id=record.rollout_id,
        dispatch=record.dispatch,
        retry=record.retry,
        route=record.route,
        source=record.source,
    )


def watch(
    entry: Entry, cluster: Cluster, policy: DriftPolicy, now: datetime, *, sees_extensions: bool = True, is_exact: bool = False
) -> Drift | None:
    """The entry's drift now: none, one that may yet pass, or one that is found. Only what ARM has accepted from us can drift.

    What ARM itself shows (`is_exact`) is never what was before: it need not settle, and what is missing there is gone.
    """
    asked = entry.asked
    if asked is None or (not is_exact and now < asked.applied_at + policy.settle):
        return None
    departure = _departure(entry, asked.pin, asked.source, cluster if sees_extensions else None)
    if departure is None:
        return None
    kind, detail = departure
    before = entry.drift if entry.drift and entry.drift.kind == kind else None
    drift = replace(before, detail=detail) if before else Drift(kind=kind, detail=detail, since=now)
    patience = timedelta(0) if is_exact and kind == "missing" else _PATIENCE[kind]
    if drift.found_at is None and now - drift.since >= patience:
        drift = replace(drift, found_at=now)
    return drift


def restored(drift: Drift, restores: Sequence[datetime], rule: DriftRule, now: datetime) -> tuple[Drift, bool]:
    """The drift, and whether it is to be put back now. `restores` are those of the cluster in the last day.

    A spent budget means that someone else writes as often: two controllers must not fight.
    """
    if drift.restored_at is not None and now < drift.restored_at + _ORDER_LASTS:
        return drift, False
    note = _why_not(drift, restores, rule)
    if note or drift.found_at is None:
        return replace(drift, note=note), False
    return replace(drift, note="", restores=drift.restores + 1, restored_at=now), True


def recent(restores: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """Those of the last day."""
    return tuple(at for at in restores if now < at + DAY)


def as_found(cluster: Cluster, seen: Seen, now: datetime) -> FluxConfiguration:
    """The configuration as selectors see it."""
    return FluxConfiguration(
        id=seen.id,
        name=seen.name,
        cluster_id=cluster.id,
        cluster_name=cluster.name,
        subscription=cluster.subscription,
        resource_group=cluster.resource_group,
        location=cluster.location,
        distribution=cluster.distribution,
        kubernetes_version=cluster.kubernetes_version,
        tags=cluster.tags,
        url=seen.url,
        branch=seen.branch,
        tag=seen.tag,
        commit=seen.commit,
        observation=Observation(
            compliance=seen.compliance,
            revision=seen.revision,
            provisioning=seen.provisioning,
            connectivity=cluster.connectivity,
            observed_at=now,
        ),
        semver=seen.semver,
        source_kind=seen.source_kind,
        digest=seen.digest,
        kustomizations=seen.values,
    )


def _why_not(drift: Drift, restores: Sequence[datetime], rule: DriftRule) -> str:
    """Why nothing is put back, in words; "" where it may be."""
    if rule.mode != "remediate":
        return "only reported"
    if drift.kind == "suspended" and not rule.resume_suspended:
        return "someone has suspended it"
    if drift.kind not in ("spec", "suspended"):
        return "no update would mend it"
    if len(restores) >= rule.budget:
        return f"the budget of {rule.budget} a day for its cluster is spent"
    return ""


def _departure(entry: Entry, pin: Pin, source: str, cluster: Cluster | None) -> tuple[DriftKind, str] | None:
    seen = entry.seen
    if entry.missing_since:
        return "missing", "it is no longer in Azure"
    if seen.suspended or seen.compliance == SUSPENDED:
        return "suspended", "it is suspended: Flux does not apply anything"
    if difference := _spec_difference(seen, pin, source):
        return "spec", difference
    if cluster and (difference := _extension_difference(cluster)):
        return "extension", difference
    synced = parse_revision(seen.revision)
    if seen.compliance == COMPLIANT and synced and synced.hash != pin.revision:
        return "revision", f"it runs {synced.hash[:_SHORT]}, asked was {pin.revision[:_SHORT]}"
    return None


def _spec_difference(seen: Seen, pin: Pin, source: str) -> str:
    if seen.source_kind != pin.kind:
        return f"its source is a {seen.source_kind}, asked was a {pin.kind}"
    if source and _source_of(seen) != source:
        return "it follows another source"
    if _reference(seen) != _asked_reference(pin):
        return f"it is set to {_words(_reference(seen))}, asked was {_words(_asked_reference(pin))}"
    for kustomization, values in pin.substitutions.items():
        present = seen.values.get(kustomization)
        for name, value in values.items():
            if present is not None and present.get(name) != value:
                return f"value {name} of kustomization {kustomization} differs"
    return ""


def _source_of(seen: Seen) -> str:
    try:
        return source_id(seen.url)
    except Malformed:
        return ""


def _reference(seen: Seen) -> dict[str, str]:
    """What Flux would follow (azure-rest-api-specs, RepositoryRefDefinition, OCIRepositoryRefDefinition)."""
    given = {"branch": seen.branch, "tag": seen.tag, "semver": seen.semver, "commit": seen.commit, "digest": seen.digest}
    return {name: value for name, value in given.items() if value}


def _asked_reference(pin: Pin) -> dict[str, str]:
    """As `pin` is written (shared/azure/resource_manager.py)."""
    if pin.kind == "OCIRepository":
        asked = {"tag": pin.tag, "digest": f"sha256:{pin.revision}"}
    elif pin.tag:
        asked = {"tag": pin.tag}
    else:
        asked = {"branch": pin.branch, "commit": pin.revision}
    return {name: value for name, value in asked.items() if value}


def _words(reference: dict[str, str]) -> str:
    short = {name: value.removeprefix("sha256:")[:_SHORT] if name in ("commit", "digest") else value for name, value in reference.items()}
    return ", ".join(f"{name} {value}" for name, value in short.items()) or "nothing"


def _extension_difference(cluster: Cluster) -> str:
    extension = cluster.extension
    if extension is None:
        return "its cluster has no microsoft.flux extension"
    return f"the microsoft.flux extension is {extension.state}" if extension.state in ("Failed", "Canceled") else ""
