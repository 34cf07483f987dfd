"""Azure Resource Graph: the fleet as it is, through Microsoft's client."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from shared.azure.errors import azure_errors
from shared.domain.buckets import source_url
from shared.domain.clock import Clock
from shared.domain.observations import COMPLIANT, FluxConfiguration, Observation

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.mgmt.resourcegraph.aio import ResourceGraphClient

_PAGE = 1000  #: rows; the service's most
_MAX_MESSAGE = 500

Row = Mapping[str, Any]


class GraphFleet:
    """Implements ports.Fleet. `subscriptions` is the scope; empty means all that the identity may read."""

    def __init__(
        self, credential: "AsyncTokenCredential", base_url: str, audience: str, subscriptions: Sequence[str], clock: Clock
    ) -> None:
        self._credential = credential
        self._base_url = base_url
        self._scope = f"{audience}/.default"
        self._subscriptions = list(subscriptions)
        self._clock = clock
        self._client: ResourceGraphClient | None = None

    async def configurations(self, search_term: str) -> AsyncIterator[FluxConfiguration]:
        text = query("configurations").replace("{term}", _literal(search_term))
        async for row in self.rows(text):
            yield _configuration(row, self._clock())

    async def check(self) -> None:
        """Raises when nothing can be asked."""
        async for _ in self.rows("resources | project id | order by id asc | take 1"):
            return

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def rows(self, text: str) -> AsyncIterator[Row]:
        """Every page of a query's answer. The client waits and tries again where Resource Graph answers 429 with Retry-After."""
        skip_token: str | None = None
        while True:
            with azure_errors("Azure Resource Graph"):
                answer = await self._connect().resources(self._request(text, skip_token))
            rows = cast("list[Row]", answer.data)  # objectArray, as asked for
            for row in rows:
                yield row
            skip_token = answer.skip_token
            if not skip_token:
                return

    def _request(self, text: str, skip_token: str | None) -> Any:
        from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

        options = QueryRequestOptions(top=_PAGE, skip_token=skip_token, result_format="objectArray")
        return QueryRequest(query=text, subscriptions=self._subscriptions or None, options=options)

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


def query(name: str) -> str:
    """The text of a query file, by its name without ending."""
    return resources.files("shared.azure.queries").joinpath(f"{name}.kql").read_text("utf-8")


def _literal(text: str) -> str:
    """Text inside a KQL string literal of single quotes. Whatever might end a line, in anyone's eyes, is a space."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line.replace("\\", "\\\\").replace("'", "\\'")


def _configuration(row: Row, now: datetime) -> FluxConfiguration:
    return FluxConfiguration(
        id=_text(row, "id"),
        name=_text(row, "name"),
        cluster_id=_text(row, "clusterId"),
        cluster_name=_text(row, "clusterName") or _text(row, "clusterId").rsplit("/", 1)[-1],
        subscription=_text(row, "subscriptionId").lower(),
        resource_group=_text(row, "resourceGroup"),
        location=_text(row, "location"),
        distribution=_text(row, "distribution"),
        kubernetes_version=_text(row, "kubernetesVersion"),
        namespace=_text(row, "namespace"),
        tags={str(key): str(value) for key, value in (row.get("tags") or {}).items()},
        url=source_url(_text(row, "sourceKind"), _text(row, "url")),
        branch=_text(row, "branch"),
        tag=_text(row, "tag"),
        semver=_text(row, "semver"),
        commit=_text(row, "commit"),
        digest=_text(row, "digest"),
        source_kind=_text(row, "sourceKind") or "GitRepository",
        kustomizations=_substitutes(row.get("kustomizations")),
        observation=observation(row, now),
    )


def _substitutes(kustomizations: Any) -> dict[str, dict[str, str]]:
    """The values of each kustomization's postBuild.substitute; {} where it has none."""
    bodies = _mapping(kustomizations).items()
    return {name: _texts(_mapping(_mapping(body).get("postBuild")).get("substitute")) for name, body in bodies}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    return {name: text for name, text in _mapping(value).items() if isinstance(text, str)}


def observation(row: Row, now: datetime) -> Observation:
    """What a row of the query `configurations`, or what was made to look like one, says that a fluxConfiguration is."""
    compliance = _text(row, "compliance") or "Pending"  # absent until the first report
    return Observation(
        compliance=compliance,
        revision=_text(row, "revision"),
        provisioning=_text(row, "provisioning"),
        connectivity=_text(row, "connectivity"),
        observed_at=now,
        reported_at=_time(_text(row, "statusUpdatedAt")),
        synced_at=_time(_text(row, "sourceUpdatedAt")),
        message="" if compliance == COMPLIANT else _message(row),
    )


def _message(row: Row) -> str:
    """Why it is not compliant: the first Flux object that says so, else the configuration's own error."""
    for status in row.get("statuses") or []:
        if status.get("complianceState") != COMPLIANT:
            for condition in status.get("statusConditions") or []:
                if condition.get("type") == "Ready" and condition.get("status") == "False":
                    who = f"{_text(status, 'kind')} {_text(status, 'name')}".strip()
                    return f"{who}: {_text(condition, 'reason')}: {_text(condition, 'message')}"[:_MAX_MESSAGE]
    return _text(row, "errorMessage")[:_MAX_MESSAGE]


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _time(text: str) -> datetime | None:
    """Resource Graph gives times as ISO 8601 or, after a conversion, with a space; always in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
