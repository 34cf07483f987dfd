"""What Azure Monitor is told of the fleet: one flat row for each cluster and each fluxConfiguration that a sweep found changed.

Names of columns are those of the table in infra/modules/logs.bicep; a column that is about the other kind is empty.
"""

from collections.abc import Iterator

from shared.domain.fleet import Cluster, Entry, Gone, Member, Page, Standing
from shared.domain.log_rows import Row, as_time, cut

CLUSTER, CONFIGURATION = "cluster", "fluxConfiguration"


def compliance_rows(page: Page, after: int, upto: int) -> Iterator[Row]:
    """Rows of what became what it is with a sweep after one, up to another."""
    for key, left in page.gone.items():
        if after < left.standing.sweep <= upto:
            yield _gone_row(key, left)
    for member in page.members.values():
        if member.standing and after < member.standing.sweep <= upto:
            yield _cluster_row(member, member.standing)
        for entry in member.entries.values():
            if entry.standing and after < entry.standing.sweep <= upto:
                yield _configuration_row(member.cluster, entry, entry.standing)


def _cluster_row(member: Member, standing: Standing) -> Row:
    cluster, states = member.cluster, member.states
    return {
        **_row(standing, CLUSTER, cluster.id, cluster.id, cluster.name),
        "Presence": "missing" if member.missing_since else "present",
        "Location": cluster.location,
        "Message": cut(cluster.extension.message) if cluster.extension else "",
        "Connectivity": states.get("cluster", ""),
        "Extension": states.get("extension", ""),
        "FluxVersion": cluster.extension.version if cluster.extension else "",
        "FluxSupport": states.get("flux", "") if cluster.extension else "",
        "Policy": states.get("policy", ""),
        "PolicyAssignments": list(cluster.policies),
    }


def _configuration_row(cluster: Cluster, entry: Entry, standing: Standing) -> Row:
    return {
        **_row(standing, CONFIGURATION, entry.seen.id, cluster.id, cluster.name),
        "Presence": "missing" if entry.missing_since else "present",
        "Location": cluster.location,
        "Configuration": entry.seen.name,
        "Route": entry.asked.route if entry.asked else "",
        "SourceUrl": entry.seen.url,
        "Compliance": entry.state,
        "Revision": entry.seen.revision,
        "Suspended": entry.seen.suspended,
        "Drift": entry.drift.kind if entry.drift and entry.has_drifted else "",
        "Message": cut(entry.seen.message),
    }


def _gone_row(key: str, left: Gone) -> Row:
    kind = CONFIGURATION if left.configuration else CLUSTER
    return {**_row(left.standing, kind, key, left.cluster_id, left.cluster), "Presence": "gone", "Configuration": left.configuration}


def _row(standing: Standing, kind: str, resource_id: str, cluster_id: str, cluster: str) -> Row:
    """All columns, in the table's order."""
    return {
        "TimeGenerated": as_time(standing.since),
        "Sweep": standing.sweep,
        "Kind": kind,
        "ResourceId": resource_id,
        "ClusterId": cluster_id,
        "Cluster": cluster,
        "Presence": "",
        "Location": "",
        "Configuration": "",
        "Route": "",
        "SourceUrl": "",
        "Compliance": "",
        "Revision": "",
        "Suspended": False,
        "Drift": "",
        "Message": "",
        "Connectivity": "",
        "Extension": "",
        "FluxVersion": "",
        "FluxSupport": "",
        "Policy": "",
        "PolicyAssignments": [],
    }
