"""What a look at the fleet has to tell: how a cluster, or a fluxConfiguration on it, became another than it was. Pure."""

from msgspec.structs import replace

from shared.domain.clusters import traits_of
from shared.domain.fleet import BAD, Cluster, Drift, Entry, Member, Transition


def news_of(before: Member | None, after: Member | None, *, is_first: bool) -> list[Transition]:
    """What there is to tell of a cluster with its fluxConfigurations; of the first look, only what is bad."""
    if after is None:
        return [of_member(before.cluster, "cluster.gone", "no longer in Azure")] if before else []
    news = [] if before or is_first else [of_member(after.cluster, "cluster.found", _what(after.cluster))]
    known = before.states if before else {}
    for topic, state in after.states.items():
        kind = f"{topic}.{state}"
        if state != known.get(topic) and (topic in known or kind in BAD):
            news.append(of_member(after.cluster, kind, reason_of(kind, after.cluster)))
    for key in sorted({*(before.entries if before else {}), *after.entries}):
        news += entry_news(after.cluster, before.entries.get(key) if before else None, after.entries.get(key))
    return news


def entry_news(cluster: Cluster, before: Entry | None, after: Entry | None) -> list[Transition]:
    """What there is to tell of a fluxConfiguration."""
    if after is None:
        return [of_entry(before, cluster, "configuration.gone", "no longer in Azure")] if before else []
    news = []
    kind, known = f"configuration.{after.state}", before.state if before else ""
    if after.state != known and (known or kind in BAD):
        news.append(of_entry(after, cluster, kind, after.seen.message))
    return news + _drift_news(cluster, before, after)


def _drift_news(cluster: Cluster, before: Entry | None, after: Entry) -> list[Transition]:
    """Each drift is told once when it is found, and once when it has ended."""
    was = before.drift if before and before.has_drifted else None
    drift = after.drift if after.has_drifted else None
    if drift and (was is None or was.kind != drift.kind):
        return [of_entry(after, cluster, "drift.found", what_drifted(drift))]
    if was and after.drift is None:
        return [of_entry(after, cluster, "drift.remediated" if was.restores else "drift.resolved", was.detail)]
    return []


def of_member(cluster: Cluster, kind: str, reason: str) -> Transition:
    return Transition(kind=kind, cluster=cluster.name, reason=reason, cluster_id=cluster.id, traits=traits_of(cluster))


def of_entry(entry: Entry, cluster: Cluster, kind: str, reason: str) -> Transition:
    route = entry.asked.route if entry.asked else ""
    return replace(of_member(cluster, kind, reason), configuration=entry.seen.name, route=route, configuration_id=entry.seen.id)


def what_drifted(drift: Drift) -> str:
    when = f" at {drift.by_at:%Y-%m-%d %H:%M} UTC" if drift.by_at else ""
    what_follows = drift.note or "is put back"
    return f"{drift.detail}; by {drift.by or 'someone unknown'}{when}; {what_follows}"


def reason_of(kind: str, cluster: Cluster) -> str:
    topic = kind.partition(".")[0]
    if topic == "policy":
        return ", ".join(cluster.policies)
    if topic == "cluster":
        return f"is {cluster.connectivity}"
    if cluster.extension is None:
        return "no microsoft.flux extension"
    if topic == "flux":
        return f"microsoft.flux {cluster.extension.version}"
    return f"{cluster.extension.state}{cluster.extension.message and f': {cluster.extension.message}'}"


def _what(cluster: Cluster) -> str:
    return f"{cluster.kind or cluster.distribution} in {cluster.location}"
