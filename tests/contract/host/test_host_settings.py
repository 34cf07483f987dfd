"""host.json, local.settings.json, route templates and the pace of polling, without a process."""

import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local.host.errors import HostError
from local.host.queues import Backoff
from local.host.routes import compile_route
from local.host.settings import (
    HostSettings,
    QueueSettings,
    apply_local_settings,
    parse_time_span,
    read_host_settings,
    resolve_placeholders,
)


def host_json(folder: Path, **content: Any) -> Path:
    path = folder / "host.json"
    path.write_text(json.dumps({"version": "2.0", **content}))
    return path


def test_a_blank_host_json_has_the_hosts_defaults(tmp_path: Path) -> None:
    settings = read_host_settings(host_json(tmp_path, functionTimeout=None, extensions={"queues": {"batchSize": None}}))

    assert settings == HostSettings(
        function_timeout_seconds=1800,
        route_prefix="api",
        queues=QueueSettings(
            batch_size=16,
            new_batch_threshold=8,
            max_dequeue_count=5,
            visibility_timeout_seconds=0,
            max_polling_interval_seconds=2,
            base64=True,
        ),
    )


def test_host_json_is_read(tmp_path: Path) -> None:
    queues = {"batchSize": 8, "visibilityTimeout": "00:00:30", "maxPollingInterval": "00:01:00", "messageEncoding": "none"}
    settings = read_host_settings(host_json(tmp_path, functionTimeout="-1", extensions={"queues": queues, "http": {"routePrefix": ""}}))

    assert settings.function_timeout_seconds is None
    assert settings.route_prefix == ""
    assert settings.queues == QueueSettings(8, 4, 5, 30, 60, base64=False)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"version": "1.0"}, id="version"),
        pytest.param({"functionTimeout": "ten minutes"}, id="time span"),
        pytest.param({"extensions": {"queues": {"maxDequeueCount": 0}}}, id="no tries"),
        pytest.param({"extensions": {"queues": {"maxPollingInterval": "00:02:00"}}}, id="polling too slow"),
        pytest.param({"extensions": {"queues": {"messageEncoding": "base65"}}}, id="encoding"),
        pytest.param({"extensions": {"queues": {"batchSize": "8"}}}, id="text for a number"),
        pytest.param({"extensions": {"queues": [1]}}, id="list of settings"),
    ],
)
def test_a_host_json_that_the_host_would_refuse_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(HostError, match=r"host\.json"):
        read_host_settings(host_json(tmp_path, **content))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:00.25", 0.25), ("01:30", 5400), ("1.00:00:01", 86401), ("00:00:00.1234567", 0.123457)],
)
def test_a_time_span_is_read(text: str, seconds: float) -> None:
    assert parse_time_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["10", "24:00:00", "00:60:00", "-00:00:01", "00:00:00:00", "1h"])
def test_what_is_not_a_time_span_is_refused(text: str) -> None:
    with pytest.raises(HostError):
        parse_time_span(text)


def test_the_environment_wins_over_local_settings(tmp_path: Path) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps({"Values": {"A": "file", "B": "file"}}))
    environment = {"A": "environment"}

    apply_local_settings(path, environment)

    assert environment == {"A": "environment", "B": "file"}


@pytest.mark.parametrize("document", [{"IsEncrypted": True, "Values": {}}, {"Values": {"A": 1}}, []])
def test_local_settings_that_cannot_be_used_are_refused(tmp_path: Path, document: Any) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps(document))

    with pytest.raises(HostError, match=r"local\.settings\.json"):
        apply_local_settings(path, {})


def test_placeholders_are_resolved() -> None:
    assert resolve_placeholders("%A%-%B%", {"A": "1", "B": "2"}) == "1-2"
    with pytest.raises(HostError, match="B"):
        resolve_placeholders("%A%-%B%", {"A": "1"})


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("a/{b:guid}", "a/0f8fad5b-d9cb-469f-a165-70867728950e", {"b": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        ("a/{b:guid}", "a/b", None),
        ("a/{b:alpha:length(2,3)}", "a/xyz", {"b": "xyz"}),
        ("a/{b:alpha:length(2,3)}", "a/wxyz", None),
        ("a/{b:regex(^v\\d+$)}", "a/v12", {"b": "v12"}),
        ("a/{b:regex(^v\\d{{2}}$)}", "a/v123", None),
        ("a/{b=5}", "a", {"b": "5"}),
        ("a/{b=5}", "a/6", {"b": "6"}),
        ("{name}.{kind}", "report.pdf", {"name": "report", "kind": "pdf"}),
        ("a/{b:int}", "a/2147483648", None),
        ("a/{b:bool}/{*rest}", "a/TRUE/x/y", {"b": "TRUE", "rest": "x/y"}),
        ("a.b/{c}", "axb/1", None),
    ],
)
def test_route_templates(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert compile_route(template).match(path) == expected


def test_the_most_literal_route_is_tried_first() -> None:
    templates = ["{*rest}", "a/{b}", "a/{b:int}", "a/b", "{x}/b"]

    ordered = sorted((compile_route(template) for template in templates), key=lambda route: route.precedence)
    assert [route.template for route in ordered] == ["a/b", "a/{b:int}", "a/{b}", "{x}/b", "{*rest}"]


def test_an_empty_queue_is_polled_ever_less_often_until_a_message_comes() -> None:
    backoff = Backoff(2)
    waits = [backoff.next_seconds() for _ in range(8)]

    assert waits[0] == pytest.approx(0.1)
    assert waits[-1] == 2
    assert all(later >= earlier for earlier, later in pairwise(waits))
    backoff.reset()
    assert backoff.next_seconds() == pytest.approx(0.1)
