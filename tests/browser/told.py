"""One announcement of every kind that the app makes, of an imagined fleet of shops."""

from collections.abc import Coroutine, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from shared.azure_events.news import SecretExpiry
from shared.config.digests import DigestSection
from shared.domain.announcements import Announcement, join
from shared.domain.digest import Away, Digest, Expiry, Failing, Movement, OpenDrift
from shared.domain.fleet import Transition
from shared.domain.flux_reports import FluxReport
from shared.domain.gates import Gate
from shared.domain.messages import Ended, TellTargets
from shared.domain.onboarding import Told
from shared.domain.onboarding_progress import new_progress
from shared.domain.periods import Period
from shared.domain.pins import Pin
from shared.domain.policy_states import PolicyState, announce_policy
from shared.domain.rollouts import Rollout, RolloutEvent, Rules, Stage, Target
from shared.domain.trend import Counts, Point
from shared.providers.trend_picture import paint
from shared.services import (
    announce,
    bury,
    digest_wording,
    fleet_news,
    flux_alert,
    onboarding_news,
    tell_expiry,
    tell_targets,
    watch_config,
)

NOW = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
PUBLIC_URL = "https://sluice.contoso.example"
REVISION = "5c3de1f04b7a9e2288d0a6f13b94c7e5a1d2f3b4"
CLUSTER = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/edge/providers/microsoft.kubernetes/connectedclusters/{}"
REASONS = (
    "HealthCheckFailed: Deployment/till-ui/till-ui is not ready: 1 of 3 replicas are available after 5m0s",
    "BuildFailed: kustomize build: accumulating resources from '../base/kiosk': no such file or directory",
    "not compliant within 30m; the agent last reported 41 minutes ago",
)

OF_THE_FLEET = {
    "cluster.offline": "last seen 47 minutes ago",
    "cluster.expired": "its certificate ran out on 2026-11-27",
    "drift.found": "branch hotfix instead of commit 5c3de1f0, written by dev@contoso.example",
    "configuration.non-compliant": REASONS[0],
}

_RULES = Rules(compliance_within_seconds=1800, grace_seconds=120, max_failures=2, redispatch_after_seconds=300)
_SUMMARIES = {
    "rollout.started": "240 clusters in 3 stages",
    "rollout.succeeded": "all stages done",
    "rollout.superseded": "a newer push has taken its place",
    "rollout.paused": "paused by rosa@contoso.example: the tills look odd, give me ten minutes",
    "rollout.rolling-back": "stage ring-1 has 29 failures, 2 are tolerated; stages canary, ring-1 go back",
    "rollout.rolled-back": "57 clusters are back at what they had; 3 could not be reached",
    "stage.failed": "29 of 60 clusters failed, 2 are tolerated. The rollout is paused.",
    "gate.waiting": "stage ring-1 waits for 2 approvals of platform-leads",
    "gate.rejected": "gate go-live of stage ring-1 is rejected: tills must not change on Black Friday",
}
_WHOLE = {"compliant": 31, "applied": 0, "failed": 29}
_COUNTS: dict[str, dict[str, int]] = {
    "rollout.started": {"pending": 60},
    "rollout.succeeded": {"compliant": 60},
    "stage.succeeded": {"compliant": 59, "failed": 1},
    "rollout.rolled-back": {"rolled-back": 57, "failed": 3},
    "rollout.rolling-back": {"applied": 31, "failed": 29},
    "gate.waiting": {"pending": 60},
}


def rollout(kind: str = "", **fields: Any) -> Rollout:
    gate = Gate(name="go-live", type="approval", approvers=("platform-leads",), required=2, asked_at=NOW)
    counts = _COUNTS.get(kind, _WHOLE)
    stages = (
        Stage(name="canary", total=4, max_concurrency=4, after_wait_seconds=600, rules=_RULES, state="succeeded", counts={"compliant": 4}),
        Stage(name="ring-1", total=60, max_concurrency=15, after_wait_seconds=600, rules=_RULES, gates=(gate,), counts=counts),
    )
    values: dict[str, Any] = {
        "id": "3f2a9c41d07be58e",
        "route": "shops",
        "source": "github.com/contoso/shops",
        "url": "github.com/contoso/shops",
        "ref": "refs/heads/main",
        "revision": REVISION,
        "change_id": "change-1",
        "sequence": 12,
        "author": "Rosa Diaz",
        "title": "Till UI 4.2: split payments, and the kiosk theme of the winter campaign",
        "forced": False,
        "stages": stages,
        "created_at": NOW - timedelta(minutes=40),
        "updated_at": NOW,
    }
    return Rollout(**values | fields)


def target(number: int, reason: str) -> Target:
    cluster = f"shop-{number:04}-{('berlin', 'lisboa', 'gdansk', 'oslo')[number % 4]}"
    return Target(
        id=f"target-{number}",
        rollout_id="3f2a9c41d07be58e",
        stage=1,
        order=number,
        configuration_id=f"{CLUSTER.format(cluster)}/providers/microsoft.kubernetesconfiguration/fluxconfigurations/shops",
        configuration="shops",
        cluster=cluster,
        subscription="00000000-0000-0000-0000-000000000001",
        pin=Pin(revision=REVISION, branch="main"),
        state="failed",
        reason=reason,
    )


def of_rollout(kind: str, failures: int = 29) -> Announcement:
    """As the app says it: a failure names the clusters, beyond 25 it counts them."""
    is_error = kind.rpartition(".")[2] in {"failed", "aborted", "rolling-back", "rolled-back", "rejected", "expired"}
    is_of_stage = kind.startswith(("stage.", "gate.", "target."))
    told = rollout(kind)
    event = RolloutEvent(
        id=f"{told.id}.{kind}{'.go-live.x' if kind.startswith('gate.') else ''}{'.1' if is_of_stage else ''}",
        kind=kind,
        at=NOW,
        summary=_SUMMARIES.get(kind, "as rosa@contoso.example asked: the network in Oslo is back"),
        stage=1 if is_of_stage else None,
        severity="error" if is_error else "info",
    )
    failed = [target(number, REASONS[number % len(REASONS)]) for number in range(failures)] if kind == "stage.failed" else []
    return announce.announce(told, event, failed, PUBLIC_URL)


def of_the_fleet(kind: str, count: int = 3) -> Announcement:
    """As people get it: all of one kind in one."""
    configuration = "" if kind.startswith(("cluster.", "extension.", "flux.", "policy.")) else "shops"
    news = [
        Transition(
            kind=kind,
            cluster=f"shop-{number:04}-oslo",
            cluster_id=CLUSTER.format(f"shop-{number:04}-oslo"),
            reason=OF_THE_FLEET.get(kind, "as Azure Resource Graph tells it"),
            configuration=configuration,
            route="shops",
            at=NOW,
        )
        for number in range(count)
    ]
    ((_, told),) = fleet_news.announcements("look-1", news, found="at 14:05 UTC", public_url=PUBLIC_URL)
    joined = told[0]
    for other in told[1:]:
        joined = join(joined, other) or joined
    return joined


def of_onboarding(kind: Any, number: int = 17) -> Announcement:
    reason = "extension flux: the cluster has no outbound access to mcr.microsoft.com" if kind == "onboarding.failed" else ""
    progress = new_progress(CLUSTER.format(f"shop-{number:04}-lisboa"), NOW)
    return onboarding_news.announce(replace(progress, baseline="shops", step="extension" if reason else "", reason=reason), Told(kind=kind))


def of_flux() -> Announcement:
    report = FluxReport(
        cluster_id=CLUSTER.format("shop-0004-berlin"),
        namespace="cluster-config",
        kind="HelmRelease",
        name="till-ui",
        revision="4.2.0",
        severity="error",
        reason="UpgradeFailed",
        message="Helm upgrade failed for release till/till-ui with chart till-ui@4.2.0: context deadline exceeded",
        at=NOW,
    )
    return flux_alert.flux_alert(report, NOW)


def of_policy(compliance: str, before: str) -> Announcement:
    state = PolicyState(
        cluster_id=CLUSTER.format("shop-0004-berlin"),
        subscription="00000000-0000-0000-0000-000000000001",
        assignment="/subscriptions/0/providers/microsoft.authorization/policyassignments/edge-guardrails",
        definition="/providers/microsoft.authorization/policydefinitions/no-privileged-containers",
        reference="privileged",
        compliance=compliance,
        at=NOW,
        before=before,
    )
    told = announce_policy(state)
    assert told is not None
    return told


class Listener:
    """In the place of Tell: hears one announcement."""

    def __init__(self) -> None:
        self.heard: list[Announcement] = []

    async def __call__(self, announcement: Announcement, **_: object) -> None:
        self.heard.append(announcement)

    def one(self, telling: Coroutine[Any, Any, None]) -> Announcement:
        """What is told without waiting for anything."""
        with suppress(StopIteration):
            telling.send(None)
        (announcement,) = self.heard
        return announcement


def refused(problem: str) -> Announcement:
    listener: Any = Listener()
    return listener.one(watch_config.WatchConfig(problem, listener)())


def buried() -> Announcement:
    listener: Any = Listener()
    nothing: Any = None

    async def tell() -> Any:
        return listener

    return listener.one(bury.Bury(nothing, tell, nothing, lambda: NOW)._tell("8d1f0c2b7a66", "rollout-steps"))


def of_targets(kind: str, count: int = 30) -> Announcement:
    """As people get it: those of one kind in one."""
    state = "failed" if kind == "target.failed" else "compliant"
    targets = [replace(target(number, REASONS[number % len(REASONS)]), state=state) for number in range(count)]
    ended = [Ended(target_id=one.id, state=state, dispatch=1, recovered=kind == "target.recovered") for one in targets]
    message = TellTargets(rollout_id="3f2a9c41d07be58e", at=NOW, ended=tuple(ended))
    pairs = zip(targets, ended, strict=True)
    told = [tell_targets.announce_target(rollout("stage.failed"), one, end, kind, message, PUBLIC_URL) for one, end in pairs]
    joined = told[0]
    for other in told[1:]:
        joined = join(joined, other) or joined
    return joined


def of_digest(schedule: Any) -> Announcement:
    """A fleet of which a little is not well, and the picture of its trend."""
    section = DigestSection(name="fleet", provider="ops", schedule=schedule)
    span = section.trend_span
    failing = [4 + 90 * (number in (17, 18, 19)) for number in range(41)]
    points = tuple(
        Point(at=NOW - span * (1 - number / 40), counts=Counts(2400, 2391, 9, 2400, 2400 - bad, bad, 2))
        for number, bad in enumerate(failing)
    )
    period = Period(id="2026-11-28", start=NOW - timedelta(days=1), end=NOW)
    since = NOW - timedelta(days=3)
    digest = Digest(
        period=period,
        counts=points[-1].counts,
        swept_at=NOW,
        before=points[-3].counts,
        trend=points,
        away=(Away(cluster="shop-0031-oslo", state="offline", since=since),),
        drift=(OpenDrift(cluster="shop-0007-berlin", configuration="shops", kind="spec", since=since, by="dev@contoso.example"),),
        failing=(Failing(cluster="shop-0002-gdansk", configuration="shops", message=REASONS[0], since=since),),
        gone=(),
        movement=Movement(running=1, ended={"succeeded": 4, "rolled-back": 1}),
        unready=(),
        expiring=(Expiry(reference="kv://sluice/github-shops", used_by=("receivers/shops",), expires_at=NOW + timedelta(days=5)),),
        unreadable=(),
        undelivered=0,
    )
    picture = paint(points, NOW - span, NOW, "Europe/Berlin")
    return digest_wording.announce(section, digest, NOW, PUBLIC_URL, picture)


def everything() -> Iterator[tuple[str, Announcement]]:
    """Every kind, by its name: those of rollouts and of the fleet are read from the app's own tables, so that a new one is here at once."""
    yield from ((kind, of_rollout(kind)) for kind in announce._TITLES)
    yield from ((kind, of_the_fleet(kind)) for kind in fleet_news._TITLES)
    yield from ((kind, of_targets(kind)) for kind in ("target.failed", "target.recovered", "target.compliant"))
    yield from ((f"digest.{schedule}", of_digest(schedule)) for schedule in ("daily", "weekly"))
    yield from ((kind, of_onboarding(kind)) for kind in ("onboarding.failed", "cluster.onboarded"))
    yield "flux.alert", of_flux()
    yield "policy.state", of_policy("NonCompliant", "")
    yield "policy.state again", of_policy("Compliant", "NonCompliant")
    yield "secret.near-expiry", tell_expiry.announce_expiry(secret(expired=False), ["receivers/shops", "providers/ops"])
    yield "secret.expired", tell_expiry.announce_expiry(secret(expired=True), ["receivers/shops", "providers/ops"])
    yield "config.refused", refused("line 14: strategies[0].stages[1].maxConcurrency: '25 %' is not a number or a percentage")
    yield "message.buried", buried()


def secret(*, expired: bool) -> SecretExpiry:
    return SecretExpiry(vault="kv-sluice", name="github-shops", version="9f2c", expired=expired, expires_at=NOW + timedelta(days=12))


def storm() -> list[Announcement]:
    """What one window of a grouped alert may hold."""
    return [
        of_rollout("stage.failed"),
        of_the_fleet("cluster.offline", 1000),
        of_the_fleet("drift.found", 7),
        *map(of_rollout, announce._TITLES),
    ]
