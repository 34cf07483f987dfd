"""Azure Resource Graph: runs the KQL it is sent, in pages, within the caller's quota.

https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources (2021-03-01, 2022-10-01, 2024-04-01)
"""

import asyncio
import base64
import json
import re
import uuid
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb
import duckdb_kql
from aiohttp import web
from duckdb_kql.control import strip_leading_comments
from duckdb_kql.types import kusto_type

from local.azure.answers import AzureError, json_response, read_object, require_api_version
from local.azure.buckets import FixedWindow
from local.azure.clock import utc_text
from local.azure.cloud import Cloud
from local.azure.gate import ARM_AUDIENCES, Gate
from local.azure.graph_tables import DYNAMIC, SCHEMA, GraphTables

API_VERSIONS = {"2021-03-01", "2022-10-01", "2024-04-01"}
QUERIES, WINDOW_SECONDS = 15, 5.0
MAX_ROWS = 1000
KEPT_RESULTS = 32
LIMITED = re.compile(r"\|\s*(limit|take|sample)\s", re.IGNORECASE)


class Result(NamedTuple):
    """A whole answer: pages are cut from it, so that they fit together while the fleet changes."""

    columns: list[tuple[str, str]]
    rows: list[tuple[Any, ...]]
    has_pages: bool


class ResourceGraph:
    def __init__(self, cloud: Cloud, gate: Gate, tenant_id: str, lag_seconds: float = 0.0) -> None:
        self.lag_seconds = lag_seconds
        self._cloud = cloud
        self._gate = gate
        self._tenant_id = tenant_id
        self._tables = GraphTables(cloud, tenant_id)
        self._turn = asyncio.Lock()
        self._quotas: dict[str, FixedWindow] = {}
        self._results: OrderedDict[str, Result] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/{providers:(?i:providers)}/{rp:(?i:Microsoft.ResourceGraph)}/{r:(?i:resources)}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        principal = self._gate.admit(request, ARM_AUDIENCES)
        headers = self._throttle(principal.object_id)
        try:
            _check_api_version(request)
            body = await read_object(request)
            response = json_response(await self._answer(body))
        except AzureError as error:
            response = error.response()
        response.headers.update(headers)
        return response

    def _throttle(self, principal: str) -> dict[str, str]:
        """https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests"""
        window = self._quotas.setdefault(principal, FixedWindow(QUERIES, WINDOW_SECONDS))
        take = window.take()
        headers = {
            "x-ms-user-quota-remaining": str(take.remaining),
            "x-ms-user-quota-resets-after": f"00:00:{window.resets_after_seconds():02}",
        }
        if not take.allowed:
            text = "Please provide below info when asking for support. Client application has been throttled."
            raise AzureError(429, "RateLimiting", text, headers={**headers, "Retry-After": str(take.retry_after_seconds)})
        return headers

    async def prepare(self) -> None:
        """Loads what has changed so far, so that the first query does not wait for a whole fleet."""
        async with self._turn:
            self._tables.refresh(self.lag_seconds)

    async def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        options = body.get("options") or {}
        top, token = options.get("$top"), options.get("$skipToken")
        if top is not None and not (isinstance(top, int) and 1 <= top <= MAX_ROWS):
            raise _invalid("InvalidTop", f"$top must be between 1 and {MAX_ROWS}.")
        key, start = _read_token(token) if token else (str(uuid.uuid4()), int(options.get("$skip") or 0))
        result = self._results.get(key)
        if result is None:
            result = await self._run(str(body.get("query") or ""), self._scope(body))
            self._keep(key, result)
        return _page(result, key, start, top or MAX_ROWS, str(options.get("resultFormat") or "objectArray"))

    def _scope(self, body: dict[str, Any]) -> list[str] | None:
        """The subscriptions asked for; None is all of the tenant, whose root management group is the tenant's id."""
        if body.get("subscriptions"):
            return [str(name) for name in body["subscriptions"]]
        groups = body.get("managementGroups")
        if groups and self._tenant_id not in groups:
            return []
        return None

    def _keep(self, key: str, result: Result) -> None:
        self._results[key] = result
        while len(self._results) > KEPT_RESULTS:
            self._results.popitem(last=False)

    async def _run(self, query: str, scope: list[str] | None) -> Result:
        if strip_leading_comments(query).startswith("."):
            raise _invalid("ParserFailure", "Management commands are not queries.")
        try:
            sql = duckdb_kql.to_sql(query, schema=SCHEMA, allow_write=False, query_now=datetime.now(UTC))
        except duckdb_kql.KqlError as error:
            raise _refused(error) from error
        async with self._turn:
            self._tables.refresh(self.lag_seconds)
            self._tables.scope_to(scope)
            try:
                columns, rows = await asyncio.to_thread(self._execute, str(sql), dict(sql.parameters))
            except duckdb.Error as error:
                raise _invalid("InvalidQuery", str(error).splitlines()[0]) from error
        scalar = any(kind != DYNAMIC for _name, kind in columns)
        return Result(columns, rows, has_pages=scalar and not LIMITED.search(query))

    def _execute(self, sql: str, parameters: dict[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        cursor = self._tables.connection.execute(sql, parameters)
        columns = [(str(name), str(kind)) for name, kind, *_rest in cursor.description or ()]
        return columns, cursor.fetchall()


def _check_api_version(request: web.Request) -> None:
    if require_api_version(request) not in API_VERSIONS:
        raise AzureError(400, "InvalidApiVersionParameter", "The api-version is invalid.")


def _page(result: Result, key: str, start: int, size: int, result_format: str) -> dict[str, Any]:
    """There is no skip token after limit, take or sample, nor when every column is dynamic: the rest is lost."""
    rows = result.rows[start : start + size]
    end = start + len(rows)
    more = end < len(result.rows)
    body = {
        "totalRecords": len(result.rows),
        "count": len(rows),
        "resultTruncated": "true" if more else "false",
        "facets": [],
        "data": _data(result.columns, rows, result_format),
    }
    return body | ({"$skipToken": _write_token(key, end)} if more and result.has_pages else {})


def _data(columns: list[tuple[str, str]], rows: list[tuple[Any, ...]], result_format: str) -> Any:
    cells = [[_json_value(kind, value) for (_name, kind), value in zip(columns, row, strict=True)] for row in rows]
    if result_format.lower() == "table":
        return {"columns": [{"name": name, "type": _graph_type(kind)} for name, kind in columns], "rows": cells}
    names = [name for name, _kind in columns]
    return [dict(zip(names, row, strict=True)) for row in cells]


def _graph_type(kind: str) -> str:
    return {"dynamic": "object", "int": "integer", "long": "integer", "bool": "boolean"}.get(kusto_type(kind), kusto_type(kind))


def _json_value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == DYNAMIC:
        return json.loads(value)
    if isinstance(value, datetime):
        return utc_text(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)


def _write_token(key: str, start: int) -> str:
    return base64.b64encode(json.dumps([key, start]).encode()).decode()


def _read_token(token: str) -> tuple[str, int]:
    try:
        key, start = json.loads(base64.b64decode(token))
    except ValueError as error:
        raise _invalid("InvalidSkipToken", "The skip token is not valid.") from error
    return str(key), int(start)


def _invalid(code: str, message: str) -> AzureError:
    details = [
        {
            "code": "InvalidQuery",
            "message": "Query is invalid. Please refer to the documentation for the Azure Resource"
            " Graph service and fix the error before retrying.",
        },
        {"code": code, "message": message},
    ]
    text = f"Please provide below info when asking for support: timestamp = {utc_text()}, correlationId = {uuid.uuid4()}."
    return AzureError(400, "BadRequest", text, details=details)


def _refused(error: duckdb_kql.KqlError) -> AzureError:
    if isinstance(error, duckdb_kql.KqlSyntaxError):
        return _invalid("ParserFailure", str(error))
    return _invalid("UnsupportedQuery", str(error))
