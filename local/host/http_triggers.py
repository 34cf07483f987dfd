"""HTTP triggers: find the route, check the key, hand the request to the function, turn its answer into a response."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Final

from aiohttp import web
from azure_functions_runtime.bindings.datumdef import Datum
from multidict import CIMultiDict

from local.host.bindings import HTTP, Function
from local.host.errors import HostError
from local.host.invocation import Invoker, Outcome
from local.host.keys import Doorkeeper
from local.host.routes import Route, compile_route

LARGEST_BODY: Final = 100 * 1024 * 1024  # bytes; the host's own limit


@dataclass(frozen=True)
class HttpFunction:
    """A function with its compiled route; no methods are all methods."""

    function: Function
    route: Route
    methods: frozenset[str]

    def accepts(self, method: str) -> bool:
        return not self.methods or method in self.methods


class HttpTriggers:
    """Serves every enabled function that has an HTTP trigger."""

    def __init__(self, functions: Sequence[Function], prefix: str, doorkeeper: Doorkeeper, invoker: Invoker) -> None:
        served = [_http_function(function, prefix) for function in functions if function.trigger.type == HTTP and not function.is_disabled]
        self._served = sorted(served, key=lambda candidate: candidate.route.precedence)
        self._doorkeeper = doorkeeper
        self._invoker = invoker

    async def handle(self, request: web.Request) -> web.Response:
        """404 where no route has that path and method, 401 where the key does not fit, 413 over LARGEST_BODY, 500 where
        the function fails.
        """
        found = self._find(request)
        if found is None:
            return web.Response(status=404)
        function, parameters = found
        if not self._doorkeeper.admits_to_function(request, function.name, function.trigger.text("authLevel")):
            return web.Response(status=401)
        if (request.content_length or 0) > LARGEST_BODY:
            return web.Response(status=413)  # said at once, rather than after 100 MB
        outcome = await self._invoker.invoke(function, await _request_datum(request, parameters))
        return _response(function, outcome)

    def _find(self, request: web.Request) -> tuple[Function, dict[str, str]] | None:
        raw_path = request.raw_path.partition("?")[0]
        for candidate in self._served:
            parameters = candidate.route.match(raw_path)
            if parameters is not None and candidate.accepts(request.method):
                return candidate.function, parameters
        return None


def route_of(function: Function, prefix: str) -> str:
    route = function.trigger.text("route", function.name).strip("/")
    return f"{prefix}/{route}" if prefix else route


def _http_function(function: Function, prefix: str) -> HttpFunction:
    methods = frozenset(method.upper() for method in function.trigger.properties.get("methods") or ())
    try:
        return HttpFunction(function, compile_route(route_of(function, prefix)), methods)
    except HostError as error:
        raise HostError(f"function {function.name}, binding {function.trigger.name}: {error}") from error


async def _request_datum(request: web.Request, parameters: Mapping[str, str]) -> Datum:
    body = await request.read()
    if not request.content_length:
        body = b""  # the host passes a body on only when its length was declared; a chunked one is lost there too
    return http_datum(
        request.method,
        f"{request.scheme}://{request.host}{request.raw_path}",
        headers=_joined((name.lower(), value) for name, value in request.headers.items()),
        query={name: value for name, value in _joined(request.query.items()).items() if value},
        parameters=parameters,
        body=body,
    )


def http_datum(
    method: str,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Datum:
    """The `http` Datum that the worker library's HttpRequest is made from."""
    return Datum(
        {
            "method": Datum(method, "string"),
            "url": Datum(url, "string"),
            "headers": _texts(headers or {}),
            "query": _texts(query or {}),
            "params": _texts(parameters or {}),
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def _texts(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Repeated names joined by a comma, as .NET's StringValues are."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _response(function: Function, outcome: Outcome) -> web.Response:
    if not outcome.succeeded:
        return web.Response(status=500)
    name = next((output.name for output in function.outputs if output.type == "http"), "$return")
    datum = outcome.outputs.get(name)
    if datum is None or datum.value is None:
        return web.Response(status=204)
    if datum.type != "http":
        return web.Response(text=str(datum.value))
    return _from_http_datum(datum.value)


def _from_http_datum(value: Mapping[str, Datum]) -> web.Response:
    headers = CIMultiDict({name: header.value for name, header in value["headers"].items()})
    headers.popall("content-length", None)  # the server counts for itself
    cookies: Sequence[SimpleCookie] = value.get("cookies") or ()
    for cookie in cookies:
        for morsel in cookie.values():
            headers.add("Set-Cookie", morsel.OutputString())
    return web.Response(status=int(value["status_code"].value), headers=headers, body=value["body"].value)
