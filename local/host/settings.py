"""What the host is told: local.settings.json, host.json, and %NAME% in bindings.

Names, defaults and limits are those of the Functions host v4 (learn.microsoft.com, "host.json reference for Azure
Functions 2.x and later"), except that maxPollingInterval defaults to the 2 seconds of the host's development mode.
"""

import json
import logging
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from local.host.errors import HostError

_T = TypeVar("_T")
_log = logging.getLogger("local.host")
_TIME_SPAN: Final = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?")
_PLACEHOLDER: Final = re.compile(r"%([^%]+)%")
_LARGEST_BATCH: Final = 32  # Azure Storage hands out no more messages at once


@dataclass(frozen=True)
class QueueSettings:
    """host.json extensions.queues. Times are in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_seconds: float = 0
    max_polling_interval_seconds: float = 2
    base64: bool = True


@dataclass(frozen=True)
class HostSettings:
    """host.json, as far as this host uses it. `function_timeout_seconds` is None where there is no limit."""

    function_timeout_seconds: float | None = 30 * 60
    route_prefix: str = "api"
    queues: QueueSettings = QueueSettings()


def parse_time_span(text: str) -> timedelta:
    """Reads .NET's [d.]hh:mm[:ss[.fffffff]].

    Raises HostError where `text` is anything else (.NET reads a bare number as days; nobody means that).
    """
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        raise HostError(f"{text!r} is not a time span (hh:mm:ss)")
    days, hours, minutes, seconds, fraction = (group or "0" for group in match.groups())
    if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59:
        raise HostError(f"{text!r} is not a time span (hh:mm:ss)")
    return timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=int(seconds) + float(f"0.{fraction}"))


def resolve_placeholders(text: str, environment: Mapping[str, str]) -> str:
    """Replaces each %NAME% by the setting of that name; HostError where one is not set."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise HostError(f"%{match[1]}% is used, but the setting {match[1]} is not set")
        return environment[match[1]]

    return _PLACEHOLDER.sub(value, text)


def apply_local_settings(path: Path, environment: MutableMapping[str, str]) -> None:
    """Puts the `Values` of a local.settings.json into the environment; what is set there already wins."""
    document = _read_object(path)
    if document.get("IsEncrypted"):
        raise HostError(f"{path} is encrypted; run `func settings decrypt` first")
    for name, value in document.get("Values", {}).items():
        if not isinstance(value, str):
            raise HostError(f"{path}: Values.{name} must be a string")
        if name in environment and environment[name] != value:
            _log.info("setting %s of %s is not used: the environment has it already", name, path.name)
        environment.setdefault(name, value)


def read_host_settings(path: Path) -> HostSettings:
    """Reads host.json; HostError where it is missing, not JSON, or holds a value that the host would refuse."""
    document = _read_object(path)
    if document.get("version") != "2.0":
        raise HostError(f'{path}: "version" must be "2.0"')
    extensions = document.get("extensions") or {}
    try:
        return HostSettings(
            function_timeout_seconds=_function_timeout(document.get("functionTimeout")),
            route_prefix=_or_default((extensions.get("http") or {}).get("routePrefix"), "api").strip("/"),
            queues=_queue_settings(extensions.get("queues") or {}),
        )
    except (HostError, TypeError, AttributeError) as error:
        raise HostError(f"{path}: {error}") from error


def _function_timeout(text: str | None) -> float | None:
    if not text:
        return HostSettings.function_timeout_seconds
    return None if text == "-1" else parse_time_span(text).total_seconds()


def _queue_settings(given: Mapping[str, Any]) -> QueueSettings:
    default = QueueSettings()
    batch_size = _or_default(given.get("batchSize"), default.batch_size)
    settings = QueueSettings(
        batch_size=batch_size,
        new_batch_threshold=_or_default(given.get("newBatchThreshold"), batch_size // 2),
        max_dequeue_count=_or_default(given.get("maxDequeueCount"), default.max_dequeue_count),
        visibility_timeout_seconds=_seconds(given.get("visibilityTimeout"), default.visibility_timeout_seconds),
        max_polling_interval_seconds=_seconds(given.get("maxPollingInterval"), default.max_polling_interval_seconds),
        base64=_or_default(given.get("messageEncoding"), "base64").lower() == "base64",
    )
    _check_queue_settings(settings, given)
    return settings


def _check_queue_settings(settings: QueueSettings, given: Mapping[str, Any]) -> None:
    if not 1 <= settings.batch_size <= _LARGEST_BATCH:
        raise HostError(f"extensions.queues.batchSize must be from 1 to {_LARGEST_BATCH}")
    if settings.new_batch_threshold < 0 or settings.max_dequeue_count < 1:
        raise HostError("extensions.queues: newBatchThreshold must be 0 or more, maxDequeueCount 1 or more")
    if not 0.1 <= settings.max_polling_interval_seconds <= 60:
        raise HostError("extensions.queues.maxPollingInterval must be from 00:00:00.1 to 00:01:00")
    if str(given.get("messageEncoding") or "base64").lower() not in {"base64", "none"}:
        raise HostError("extensions.queues.messageEncoding must be base64 or none")


def _seconds(text: str | None, default: float) -> float:
    return parse_time_span(text).total_seconds() if text else default


def _or_default(value: _T | None, default: _T) -> _T:
    return default if value is None else value


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise HostError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise HostError(f"{path} must hold a JSON object")
    return document
