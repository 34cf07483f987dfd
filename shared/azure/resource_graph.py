"""Azure Resource Graph: the fleet as it is, through Microsoft's client."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from shared.azure.errors import azure_errors
from shared.azure.graph_quota import GraphQuota
from shared.domain.buckets import source_url
from shared.domain.clock import Clock
from shared.domain.observations import COMPLIANT, FluxConfiguration, Observation

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.mgmt.resourcegraph.aio import ResourceGraphClient
    from azure.mgmt.resourcegraph.models import QueryResponse

_PAGE = 1000  #: rows; the service's most
#: In one query (learn.microsoft.com, Resource Graph: guidance for throttled requests, and the request's managementGroups).
_SUBSCRIPTIONS, _GROUPS = 300, 10
_MAX_MESSAGE = 500

Row = Mapping[str, Any]


class GraphFleet:
    """Implements ports.Fleet. The scope is `management_groups`, else `subscriptions`; empty means all that the identity may read."""

    def __init__(
        self,
        credential: "AsyncTokenCredential",
        base_url: str,
        audience: str,
        subscriptions: Sequence[str],
        clock: Clock,
        management_groups: Sequence[str] = (),
    ) -> None:
        self._credential = credential
        self._base_url = base_url
        self._scope = f"{audience}/.default"
        self._scopes = _scopes(subscriptions, management_groups)
        self._clock = clock
        self._quota = GraphQuota()
        self._client: ResourceGraphClient | None = None

    async def configurations(self, search_term: str) -> AsyncIterator[FluxConfiguration]:
        asked = query("configurations").replace("{term}", _literal(search_term))
        async for row in self.rows(asked):
            yield _configuration(row, self._clock())

    async def check(self) -> None:
        """Raises when nothing can be asked."""
        async for _ in self.rows("resources | project id | order by id asc | take 1"):
            return

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def rows(self, asked: str) -> AsyncIterator[Row]:
        """Every page of a query's answer, in each part of the scope, no faster than the quota allows.

        The client waits and tries again where Resource Graph answers 429 with Retry-After all the same.
        """
        for scope in self._scopes:
            skip_token: str | None = None
            while True:
                answer = await self._page(asked, scope, skip_token)
                for row in cast("list[Row]", answer.data):  # objectArray, as asked for
                    yield row
                skip_token = answer.skip_token
                if not skip_token:
                    break

    async def _page(self, asked: str, scope: Mapping[str, list[str]], skip_token: str | None) -> "QueryResponse":
        from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

        options = QueryRequestOptions(top=_PAGE, skip_token=skip_token, result_format="objectArray")
        await self._quota.wait()
        with azure_errors("Azure Resource Graph"):
            return await self._connect().resources(
                QueryRequest(
                    query=asked,
                    options=options,
                    subscriptions=scope.get("subscriptions"),
                    management_groups=scope.get("management_groups"),
                ),
                raw_response_hook=self._quota.note,
            )

    def _connect(self) -> "ResourceGraphClient":
        if self._client is None:
            from azure.mgmt.resourcegraph.aio import ResourceGraphClient

            self._client = ResourceGraphClient(
                self._credential,
                self._base_url,
                credential_scopes=[self._scope],
                retry_total=4,
                connection_timeout=10,
                read_timeout=60,
            )
        return self._client


def _scopes(subscriptions: Sequence[str], management_groups: Sequence[str]) -> list[dict[str, list[str]]]:
    """What each query asks for, in parts that Resource Graph takes."""
    if management_groups:
        return [{"management_groups": list(management_groups[at : at + _GROUPS])} for at in range(0, len(management_groups), _GROUPS)]
    parts = [{"subscriptions": list(subscriptions[at : at + _SUBSCRIPTIONS])} for at in range(0, len(subscriptions), _SUBSCRIPTIONS)]
    return parts or [{}]


def query(name: str) -> str:
    """The text of a query file, by its name without ending."""
    return resources.files("shared.azure.queries").joinpath(f"{name}.kql").read_text("utf-8")


def _literal(term: str) -> str:
    """Text inside a KQL string literal of single quotes. Whatever might end a line, in anyone's eyes, is a space."""
    line = "".join(character if character.isprintable() else " " for character in term)
    return line.replace("\\", "\\\\").replace("'", "\\'")


def _configuration(row: Row, now: datetime) -> FluxConfiguration:
    return FluxConfiguration(
        id=text(row, "id"),
        name=text(row, "name"),
        cluster_id=text(row, "clusterId"),
        cluster_name=text(row, "clusterName") or text(row, "clusterId").rsplit("/", 1)[-1],
        subscription=text(row, "subscriptionId").lower(),
        resource_group=text(row, "resourceGroup"),
        location=text(row, "location"),
        distribution=text(row, "distribution"),
        kubernetes_version=text(row, "kubernetesVersion"),
        namespace=text(row, "namespace"),
        tags={str(key): str(value) for key, value in (row.get("tags") or {}).items()},
        url=source_url(text(row, "sourceKind"), text(row, "url")),
        branch=text(row, "branch"),
        tag=text(row, "tag"),
        semver=text(row, "semver"),
        commit=text(row, "commit"),
        digest=text(row, "digest"),
        source_kind=text(row, "sourceKind") or "GitRepository",
        kustomizations=substitutes(row.get("kustomizations")),
        observation=observation(row, now),
    )


def substitutes(kustomizations: Any) -> dict[str, dict[str, str]]:
    """The values of each kustomization's postBuild.substitute; {} where it has none."""
    bodies = _mapping(kustomizations).items()
    return {name: _texts(_mapping(_mapping(body).get("postBuild")).get("substitute")) for name, body in bodies}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    return {name: content for name, content in _mapping(value).items() if isinstance(content, str)}


def observation(row: Row, now: datetime) -> Observation:
    """What a row of the query `configurations`, or what was made to look like one, says that a fluxConfiguration is."""
    compliance = text(row, "compliance") or "Pending"  # absent until the first report
    return Observation(
        compliance=compliance,
        revision=text(row, "revision"),
        provisioning=text(row, "provisioning"),
        connectivity=text(row, "connectivity"),
        observed_at=now,
        reported_at=_time(text(row, "statusUpdatedAt")),
        synced_at=_time(text(row, "sourceUpdatedAt")),
        message="" if compliance == COMPLIANT else failure(row),
    )


def failure(row: Row) -> str:
    """Why it is not compliant: the first Flux object that says so, else the configuration's own error."""
    for status in row.get("statuses") or []:
        if status.get("complianceState") != COMPLIANT:
            for condition in status.get("statusConditions") or []:
                if condition.get("type") == "Ready" and condition.get("status") == "False":
                    who = f"{text(status, 'kind')} {text(status, 'name')}".strip()
                    return f"{who}: {text(condition, 'reason')}: {text(condition, 'message')}"[:_MAX_MESSAGE]
    return text(row, "errorMessage")[:_MAX_MESSAGE]


def text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _time(written: str) -> datetime | None:
    """Resource Graph gives times as ISO 8601 or, after a conversion, with a space; always in UTC."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
