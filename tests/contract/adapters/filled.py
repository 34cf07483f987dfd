"""One value of every stored type with every field filled; whatever people or clusters wrote names Contoso."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.azure.cosmos.fleet import PackedPage, pack, unpack
from shared.azure.cosmos.objects import LastEvent
from shared.domain.announcements import Announcement, ClusterLine, Picture
from shared.domain.audit import Entry, Link, make_link
from shared.domain.buckets import ObjectEvent
from shared.domain.changes import Change
from shared.domain.checks import CheckResult
from shared.domain.clusters import Cluster, Traits
from shared.domain.commit_reports import CommitReport, Said
from shared.domain.configurations import Configuration
from shared.domain.conversations import Conversation, Place
from shared.domain.deliveries import Delivery, Missed
from shared.domain.fleet import Aside, Asked, Drift, Extension, Gone, Member, Order, Page, Seen, Standing, Transition
from shared.domain.fleet import Cluster as FleetCluster
from shared.domain.fleet import Entry as FleetEntry
from shared.domain.flux_receivers import FluxReceiver
from shared.domain.flux_reports import FluxReport
from shared.domain.foreign_writes import ForeignWrite
from shared.domain.gates import Gate, Verdict
from shared.domain.ledger import Head, head_id
from shared.domain.observations import Observation
from shared.domain.onboarding_progress import Made, Progress, progress_id
from shared.domain.periods import Mark, Marks
from shared.domain.pins import Pin
from shared.domain.policy_states import PolicyState
from shared.domain.record import Record, digest
from shared.domain.rollouts import Rejection, Reporting, Rollout, RolloutEvent, Rules, Stage, Target
from shared.domain.sweeps import Sweep
from shared.domain.trend import Counts, Point, Trend
from shared.domain.windows import Calendar, Window

SECRET = "contoso"
AT = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
COMMIT = "1f" * 20
SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
URL = f"git.example/{SECRET}/platform"
SOURCE = digest("git", URL)
CONFIGURATION_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{SECRET}/providers/microsoft.kubernetes/connectedclusters/{SECRET}-berlin"
    "/providers/microsoft.kubernetesconfiguration/fluxconfigurations/platform"
)
CLUSTER_ID = CONFIGURATION_ID.partition("/providers/microsoft.kubernetesconfiguration/")[0]


CLUSTER_ID = CONFIGURATION_ID.partition("/providers/microsoft.kubernetesconfiguration")[0]
GONE_ID = f"{CLUSTER_ID}-gone"
STANDING = Standing(sweep=3, since=AT)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def change() -> Change:
    return Change(
        id=digest("change"),
        source=SOURCE,
        url=URL,
        ref=f"refs/heads/{SECRET}",
        kind="updated",
        before="2e" * 20,
        revision=COMMIT,
        forced=True,
        automated=True,
        pushed_at=AT,
        received_at=later(1),
        receiver=f"{SECRET}-receiver",
        delivery=f"{SECRET}-delivery",
        paths=(f"clusters/{SECRET}/till.yaml", "README.md"),
        author=f"Zoë <zoe@{SECRET}.example>",
        title=f'Open the "{SECRET}" till \\ 🛒\n',
        source_kind="oci",
    )


def head() -> Head:
    return Head(
        id=head_id("refs/heads/main"),
        source=SOURCE,
        revision=COMMIT,
        sequence=1_772_600_000_000,
        pushed_at=AT,
        change_id=digest("change"),
        forced=True,
        skipped=True,
        lineage=("2e" * 20, "3d" * 20),
        rollouts=(digest("rollout", "1"), digest("rollout", "2")),
    )


def progress(cluster_id: str = CLUSTER_ID, **fields: Any) -> Progress:
    values: dict[str, Any] = {
        "id": progress_id(cluster_id),
        "cluster_id": cluster_id,
        "subscription": SUBSCRIPTION,
        "since": AT,
        "state": "failed",
        "cluster": Cluster(
            id=cluster_id,
            cluster_name=f"{SECRET}-berlin",
            subscription=SUBSCRIPTION,
            resource_group=SECRET,
            location="westeurope",
            distribution="k3s",
            kubernetes_version="1.31.2",
            tags={"owner": SECRET},
            connectivity="Connected",
            kind="ProvisionedCluster",
        ),
        "seen_as": "Connected",
        "baseline": f"{SECRET}-edge",
        "aim": digest("aim"),
        "step": f"configuration {SECRET}",
        "reason": f"{SECRET} is not there",
        "notes": (f"left to {SECRET}",),
        "visit": 7,
        "again_at": later(10),
        "looked_at": AT,
        "looks": 2,
        "attempts": 1,
        "refusals": 1,
        "writing": f"7 PUT configuration {SECRET}",
        "made": {
            f"configuration {SECRET}": Made(
                kind="configuration",
                name=SECRET,
                properties={"gitRepository": {"url": URL}},
                secrets={"configurationProtectedSettings.httpsKey": f"kv://{SECRET}/key"},
                on_removal="delete",
                created=True,
                suspended=True,
                left=True,
            )
        },
    }
    return Progress(**values | fields)


def check(**fields: Any) -> CheckResult:
    values: dict[str, Any] = {
        "source": SOURCE,
        "revision": COMMIT,
        "name": f"{SECRET}/build",
        "state": "failure",
        "at": AT,
        "url": f"https://ci.example/{SECRET}/7",
    }
    return CheckResult(**(values | fields))


def observation(seconds: float = 0) -> Observation:
    return Observation(
        compliance="Non-Compliant",
        revision=f"main@sha1:{COMMIT}",
        provisioning="Succeeded",
        connectivity="Connected",
        observed_at=later(seconds),
        reported_at=later(seconds - 5),
        message=f"Kustomization {SECRET}: HealthCheckFailed",
        synced_at=later(seconds - 10),
    )


def flux_report() -> FluxReport:
    return FluxReport(
        cluster_id=CONFIGURATION_ID.partition("/providers/microsoft.kubernetesconfiguration")[0],
        namespace=f"{SECRET}-config",
        kind="Kustomization",
        name=f"{SECRET}-platform-{SECRET}-apps",
        revision=f"main@sha1:{COMMIT}",
        severity="error",
        reason="HealthCheckFailed",
        message=f"the till of {SECRET} does not open",
        at=later(12),
    )


def pin(revision: str = COMMIT) -> Pin:
    return Pin(
        revision=revision,
        kind="OCIRepository",
        branch=f"{SECRET}-main",
        tag=f"{SECRET}-v1",
        substitutions={f"{SECRET}-apps": {"SITE": f"{SECRET}-berlin", "OLD": None}},
        since=later(-90),
    )


def target(**fields: Any) -> Target:
    values: dict[str, Any] = {
        "id": digest("target"),
        "rollout_id": digest("rollout"),
        "stage": 1,
        "order": 7,
        "configuration_id": CONFIGURATION_ID,
        "configuration": f"{SECRET}-platform",
        "cluster": f"{SECRET}-berlin",
        "subscription": SUBSCRIPTION,
        "state": "failed",
        "reason": f"the till of {SECRET} does not open",
        "dispatch": 2,
        "slot": later(10),
        "applied_at": later(11),
        "accepted_at": later(11.5),
        "failing_since": later(12),
        "missing_since": later(13),
        "rejection": Rejection(code="ResourceNotFound", message=f"{SECRET} is not there", missing=True, overtaken=True),
        "goal": "back",
        "retry": 1,
        "away": "Offline",
        "has_news": True,
        "judge_at": later(14),
        "before": observation(-60),
        "pin": pin(),
        "previous": pin("2e" * 20),
        "receiver": FluxReceiver(
            address=f"https://flux.{SECRET}.example",
            token_ref=f"kv://{SECRET}/flux",
            name=SECRET,
            namespace=f"{SECRET}-flux",
            private_addresses=True,
        ),
        "calendar": 1,
        "observation": observation(30),
        "namespace": f"{SECRET}-config",
        "kustomizations": (f"{SECRET}-apps",),
        "reports": {f"{SECRET}-apps": flux_report()},
        "has_failed": True,
        "traits": traits(),
    }
    return Target(**(values | fields))


def window() -> Window:
    return Window(
        time_zone="Europe/Berlin", days=(0, 1), start="08:00", end="17:00", first="2026-12-20T00:00", last="2027-01-02T00:00", name=SECRET
    )


def gate() -> Gate:
    return Gate(
        name=f"{SECRET}-gate",
        type="webhook",
        state="rejected",
        asked_at=later(1),
        expires_after_seconds=60.5,
        approvers=(f"{SECRET}-leads",),
        required=2,
        checks=(f"{SECRET}/build",),
        url=f"https://{SECRET}.example",
        secret_ref=f"kv://{SECRET}/gate",
        called_at=later(1.5),
        route=f"{SECRET}-staging",
        verdicts=(Verdict(by=f"zoe@{SECRET}.example", approved=True, reason=f"{SECRET} is well", at=later(1.6)),),
        reason=f"{SECRET} said no",
    )


def stage(name: str = f"{SECRET}-canary") -> Stage:
    return Stage(
        name=name,
        total=10,
        max_concurrency=5,
        after_wait_seconds=90.5,
        rules=Rules(
            compliance_within_seconds=1800, grace_seconds=120.25, max_failures=2, redispatch_after_seconds=300, on_failure="rollback"
        ),
        bake_seconds=30.5,
        gates=(gate(),),
        forgiven=1,
        state="running",
        done_at=later(2.5),
        opened_at=later(2),
        closed_at=later(3),
        counts={"compliant": 3, "failed": 7},
    )


def rollout(**fields: Any) -> Rollout:
    event = RolloutEvent(
        id=digest("event"),
        kind="stage.failed",
        at=later(4),
        summary=f"{SECRET}: seven clusters failed",
        stage=1,
        severity="error",
        by=f"zoe@{SECRET}.example",
        reason=f"{SECRET} burns",
    )
    values: dict[str, Any] = {
        "id": digest("rollout"),
        "route": f"{SECRET}-route",
        "action": "notify-receiver",
        "source": SOURCE,
        "url": URL,
        "ref": f"refs/heads/{SECRET}",
        "revision": COMMIT,
        "change_id": digest("change"),
        "sequence": 1_772_600_000_000,
        "author": f"Zoë <zoe@{SECRET}.example>",
        "title": f"Open the {SECRET} till",
        "forced": True,
        "stages": (stage(), stage(f"{SECRET}-prod")),
        "created_at": AT,
        "updated_at": later(5),
        "state": "paused",
        "reason": f"stage {SECRET}-canary: 7 clusters failed",
        "waiting_for": f"approval of {SECRET}-leads",
        "calendars": (Calendar(windows=(window(),), freezes=(window(),)),),
        "retries": 1,
        "back_stages": (0, 1),
        "unnoted": (digest("target"),),
        "current": 1,
        "unstaged": 4,
        "superseded_by": digest("rollout", SECRET),
        "events": (event,),
        "announced": 1,
        "is_shown": True,
        "shown": digest("shown"),
        "wake_at": later(60),
        "pushed_at": later(-60),
        "report": Reporting(provider=f"{SECRET}-hub", deployments=True, comment=True),
        "reported": digest("statuses"),
    }
    return Rollout(**(values | fields))


def configuration() -> Configuration:
    return Configuration(
        id=digest("configuration"),
        cluster_id=digest("cluster"),
        subscription=SUBSCRIPTION,
        dispatch=3,
        retry=1,
        resource_id=CONFIGURATION_ID,
        sequence=1_772_600_000_000,
        rollout_id=digest("rollout"),
        revision=COMMIT,
        ref=f"refs/heads/{SECRET}",
        pin=pin(),
        calls=True,
        route=f"{SECRET}-route",
        source=SOURCE,
        restored=digest("restored"),
        applied_at=AT,
        holder=digest("holder"),
        held_until=later(120),
    )


def foreign_write(**fields: Any) -> ForeignWrite:
    values: dict[str, Any] = {
        "configuration_id": CONFIGURATION_ID,
        "subscription": SUBSCRIPTION,
        "operation": "delete",
        "caller": f"zoe@{SECRET}.example",
        "at": AT,
        "event_id": f"{SECRET}-event",
    }
    return ForeignWrite(**(values | fields))


def policy_state(**fields: Any) -> PolicyState:
    values: dict[str, Any] = {
        "cluster_id": CONFIGURATION_ID.partition("/providers/microsoft.kubernetesconfiguration")[0],
        "subscription": SUBSCRIPTION,
        "assignment": f"/providers/policyassignments/{SECRET}",
        "definition": f"/providers/policydefinitions/{SECRET}",
        "reference": f"{SECRET}-flux",
        "compliance": "NonCompliant",
        "at": AT,
        "before": "Compliant",
    }
    return PolicyState(**(values | fields))


def last_event(seconds: float = 0, **fields: Any) -> LastEvent:
    values: dict[str, Any] = {"key": f"{SECRET}/till.yaml", "sequencer": f"{seconds:08}", "at": later(seconds), "etag": "0x8D4BCC2E4835CD0"}
    return LastEvent(source=SOURCE, event=ObjectEvent(**(values | fields)))


def delivery() -> Delivery:
    announcement = Announcement(
        id=digest("announcement"),
        kind="stage.failed",
        severity="error",
        title=f"{SECRET} failed",
        summary=f"seven clusters of {SECRET}",
        facts=(("route", SECRET),),
        clusters=(ClusterLine(name=f"{SECRET}-berlin", reason=f"{SECRET} is closed", id=CLUSTER_ID),),
        more_clusters=6,
        links=(("commit", f"https://git.example/{SECRET}"),),
        many=f"of {SECRET} failed",
        others=(digest("other"),),
        at=AT,
        subject=CLUSTER_ID,
        next_step=f"open {SECRET}",
        fields={"cluster": f"{SECRET}-berlin", "count": 7, "tags": {"owner": SECRET}},
        picture=Picture(png=SECRET.encode(), text=f"{SECRET} is mostly compliant"),
    )
    return Delivery(
        id=digest("delivery"),
        channel=digest("channel"),
        provider=f"{SECRET}-teams",
        due_at=AT,
        created_at=later(-30),
        state="failed",
        attempts=3,
        announcements=(announcement,),
        taken=(digest("taken"),),
        error=f"{SECRET} answered 503",
        held_until=later(60),
        unanswered=1,
        failing_since=later(-20),
        again_at=later(5),
        ended_at=later(10),
        fallback=f"{SECRET}-slack",
        missed=(Missed(provider=f"{SECRET}-first", since=later(-25), error=f"{SECRET} was away"),),
        resends=2,
    )


def conversation() -> Conversation:
    return Conversation(
        id=digest("conversation"),
        head=Place(channel=f"C-{SECRET}", ts=f"1.{SECRET}"),
        opening_since=AT,
        shown=f"{SECRET}-shown",
        milestone=f"{SECRET}-milestone",
        shown_at=later(1),
        told=(f"{SECRET}-announcement",),
        attempts=2,
        failing_since=later(2),
        held_until=later(3),
        wake_at=later(4),
    )


def commit_report() -> CommitReport:
    said = Said(
        kind="deployment",
        context=f"sluice/{SECRET}-route/{SECRET}-canary",
        state="failed",
        text=f"too many failures in {SECRET}",
        at=AT,
        times=3,
        reference="4711",
        error="422",
        is_doubtful=True,
    )
    return CommitReport(
        id=digest("commit-report"),
        rollout_id=digest("rollout"),
        rollout_at=AT,
        said=(said,),
        attempts=2,
        failing_since=later(1),
        held_until=later(2),
        wake_at=later(3),
    )


def entry(number: int = 1, stream: str = "stream-1", subscription: str = SUBSCRIPTION) -> Entry:
    return Entry(
        id=f"act-{number}",
        stream=stream,
        at=later(number),
        actor=f"zoe@{SECRET}.example",
        action="update.applied",
        resource=CONFIGURATION_ID,
        cause=digest("change"),
        detail={"revision": COMMIT, "summary": f"{SECRET} moves"},
        subscription=subscription,
    )


def link() -> Link:
    return make_link(make_link(None, entry(1), "salt-1"), entry(2), "salt-2")


def fleet_page() -> PackedPage:
    """With a cluster on which everything is there, and much to tell."""
    return pack(
        Page(
            id="07",
            sweep=3,
            members={CLUSTER_ID: _member()},
            news=(_transition(),),
            orders=(_order(),),
            asides=(Aside(id=digest("single-look"), cause="event 1", news=(_transition(),), orders=(_order(),)),),
            gone={GONE_ID: Gone(cluster=f"{SECRET}-paris", cluster_id=GONE_ID, standing=STANDING, configuration="platform")},
        )
    )


def _transition() -> Transition:
    return Transition(
        kind="drift.found",
        cluster=f"{SECRET}-berlin",
        reason="it is suspended",
        configuration=f"{SECRET}-platform",
        route=f"{SECRET}-route",
        configuration_id=CONFIGURATION_ID,
        cluster_id=CLUSTER_ID,
        traits=traits(),
        at=AT,
    )


def traits() -> Traits:
    return Traits(location="westeurope", distribution="k3s", kubernetes_version="1.33.4", tags={"owner": SECRET})


def _order() -> Order:
    return Order(
        key=digest("restore"),
        configuration_id=CONFIGURATION_ID,
        subscription=SUBSCRIPTION,
        rollout_id=digest("rollout"),
        dispatch=2,
        retry=1,
        resume=True,
    )


def _member() -> Member:
    cluster = FleetCluster(
        id=CLUSTER_ID,
        name=f"{SECRET}-berlin",
        subscription=SUBSCRIPTION,
        resource_group=SECRET,
        location="westeurope",
        distribution="k3s",
        kubernetes_version="1.33.4",
        tags={"site": SECRET},
        connectivity="Connected",
        agent_version="1.28.2",
        kind="ProvisionedCluster",
        extension=Extension(state="Failed", version="1.24.1", release_train="Stable", message=f"{SECRET} is full"),
        policies=(f"{SECRET}-policy",),
    )
    seen = Seen(
        id=CONFIGURATION_ID,
        name="platform",
        url=f"https://{URL}",
        source_kind="GitRepository",
        branch="main",
        tag="v1",
        semver=">=1",
        commit=COMMIT,
        digest="sha256:aa",
        suspended=True,
        compliance="Non-Compliant",
        revision=f"main@sha1:{COMMIT}",
        provisioning="Succeeded",
        message=f"{SECRET} does not build",
        values={"apps": {"SITE": SECRET}},
    )
    asked = Asked(pin=pin(), applied_at=AT, rollout_id=digest("rollout"), dispatch=2, retry=1, route=f"{SECRET}-route", source=SOURCE)
    drift = Drift(
        kind="suspended",
        detail="it is suspended",
        since=AT,
        found_at=AT,
        by=f"eve@{SECRET}.example",
        by_at=AT,
        restores=1,
        restored_at=AT,
        note="the budget is spent",
    )
    entry = FleetEntry(
        seen=seen, asked=asked, state="non-compliant", drift=drift, missing_since=AT, standing=STANDING, looked_at=AT, since=AT
    )
    return Member(
        cluster=cluster,
        entries={CONFIGURATION_ID: entry},
        states={"cluster": "connected"},
        restores=(AT,),
        missing_since=AT,
        standing=STANDING,
        since={"cluster": AT},
    )


def trend() -> Trend:
    counts = Counts(clusters=9, connected=7, offline=2, configurations=8, compliant=6, non_compliant=1, drifted=3)
    return Trend(id=digest("trend", "selector"), points=(Point(at=AT, counts=counts),))


def digest_marks() -> Marks:
    return Marks(marks={f"{SECRET}-daily": Mark(since=AT, period="2026-03-02", until=later(9))})


def fleet_sweep() -> Sweep:
    return Sweep(
        number=4, holder=digest("holder"), held_until=later(600), began_at=AT, finished=3, finished_at=later(9), asked_until=later(-300)
    )


def unfilled(value: object, where: str = "") -> list[str]:
    """The fields, at any depth, that still have their default or are empty."""
    if isinstance(value, (tuple, list)):
        return [name for index, item in enumerate(value) for name in unfilled(item, f"{where}[{index}]")] if value else [where]
    if not isinstance(value, msgspec.Struct):
        return [where] if value is None or value == "" else []
    found: list[str] = []
    for field in msgspec.structs.fields(value):
        name, content = f"{where}.{field.name}", getattr(value, field.name)
        found += [name] if not field.required and content == field.default else unfilled(content, name)
    return found


ALL: dict[str, Record] = {
    "change": change(),
    "head": head(),
    "check": check(),
    "target": target(),
    "rollout": rollout(),
    "configuration": configuration(),
    "foreign-write": foreign_write(),
    "policy-state": policy_state(),
    "last-event": last_event(),
    "delivery": delivery(),
    "commit-report": commit_report(),
    "conversation": conversation(),
    "progress": progress(),
    "link": link(),
    "fleet page": unpack(fleet_page()),
    "fleet member": _member(),
    "fleet entry": _member().entries[CONFIGURATION_ID],
    "fleet sweep": fleet_sweep(),
    "trend": trend(),
    "digest marks": digest_marks(),
}
