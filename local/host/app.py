"""Indexing: the worker library loads function_app.py and says which functions and bindings it has."""

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from azure_functions_runtime import handle_event
from azure_functions_runtime.utils.threadpool import start_threadpool_executor

from local.host.bindings import Binding, Function, build_function
from local.host.errors import HostError, IndexingFailedError, UnsupportedBindingError
from local.host.settings import resolve_placeholders

_TRACEBACK_LINES: Final = 12


class _Message(SimpleNamespace):
    """Stands in for a protobuf message: the library only builds them and reads attributes back."""


class _StatusResult(_Message):
    Success = 1
    Failure = 0


_PROTOS: Final = SimpleNamespace(
    WorkerInitResponse=_Message,
    FunctionMetadataResponse=_Message,
    WorkerMetadata=_Message,
    RpcFunctionMetadata=_Message,
    RpcException=_Message,
    RpcRetryOptions=_Message,
    StatusResult=_StatusResult,
    # `in` is a keyword, so this class cannot be written as a statement
    BindingInfo=type("BindingInfo", (_Message,), {"in": 0, "out": 1, "inout": 2}),
)


async def index_app(directory: Path, environment: Mapping[str, str]) -> list[Function]:
    """Loads the app in `directory` into this process.

    Raises IndexingFailedError where the app does not load, and UnsupportedBindingError where it asks for more than this
    host does.
    """
    if not (directory / "function_app.py").is_file():
        raise IndexingFailedError(f"there is no function_app.py in {directory}")
    sys.path.insert(0, str(directory))
    start_threadpool_executor()  # the library's own; it runs the functions that are not async
    request = SimpleNamespace(
        request=SimpleNamespace(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(directory))),
        properties={"host": "127.0.0.1", "protos": _PROTOS},
    )
    response = await handle_event.worker_init_request(request)
    if response.result.status == _StatusResult.Failure:
        raise IndexingFailedError(f"function_app.py cannot be loaded\n{_essence(response.result.exception)}")
    metadata = await handle_event.functions_metadata_request(request)
    return [_function(found, environment) for found in metadata.function_metadata_results or ()]


def _essence(exception: _Message) -> str:
    """The end of the traceback: the frames above are the library's own."""
    lines = str(exception.stack_trace).rstrip().splitlines()
    return "\n".join(lines[-_TRACEBACK_LINES:])


def _function(metadata: Any, environment: Mapping[str, str]) -> Function:
    if metadata.retry_options is not None:
        raise UnsupportedBindingError(f"function {metadata.name}: retry policies are not supported by this host")
    bindings = [_binding(metadata.name, json.loads(raw), environment) for raw in metadata.raw_bindings]
    disabled = _is_disabled(metadata.name, environment)
    return build_function(metadata.name, metadata.function_id, bindings, is_disabled=disabled)


def _binding(function_name: str, raw: dict[str, Any], environment: Mapping[str, str]) -> Binding:
    try:
        properties = {key: resolve_placeholders(value, environment) if isinstance(value, str) else value for key, value in raw.items()}
    except HostError as error:
        raise HostError(f"function {function_name}, binding {raw.get('name')}: {error}") from error
    return Binding(properties["name"], properties["type"], properties.get("direction", ""), properties)


def _is_disabled(function_name: str, environment: Mapping[str, str]) -> bool:
    """AzureWebJobs.NAME.Disabled; on Linux also with underscores, as a variable's name has no dots there."""
    with contextlib.suppress(StopIteration):
        names = (f"AzureWebJobs.{function_name}.Disabled", f"AzureWebJobs_{function_name}_Disabled")
        value = next(environment[name] for name in names if name in environment)
        return value.lower() in {"true", "1"}
    return False
