"""With --auth: who may pass with which key. Also the time limit, which this host has set to a second."""

import stat

import pytest
from host_processes import Host


def every_key(host: Host) -> dict[str, str]:
    keys = host.keys
    functions = {name: own["default"] for name, own in keys["functions"].items()}
    system = keys["system"]["eventgrid_extension"]
    return {"master": keys["master"], "host": keys["host"]["default"], "eventgrid": system, **functions}


def key(host: Host, name: str) -> str:
    """The key of that name or function; "wrong" is none."""
    return {**every_key(host), "wrong": "wrong"}[name]


def test_generated_keys_are_kept_where_only_their_owner_reads_them(guarded_host: Host) -> None:
    file = guarded_host.folder / "state" / "keys.json"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len({value for value in every_key(guarded_host).values() if len(value) >= 40}) == len(every_key(guarded_host))


def test_an_anonymous_function_needs_no_key(guarded_host: Host) -> None:
    assert guarded_host.get("/api/seen").status == 200


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        pytest.param("/api/items/1", {"master", "host", "item"}, id="function level"),
        pytest.param("/api/for-admins", {"master"}, id="admin level"),
        pytest.param("/admin/host/status", {"master"}, id="admin surface"),
        pytest.param("/admin/functions/item/keys", {"master"}, id="keys of a function"),
    ],
)
def test_which_keys_open_what(guarded_host: Host, path: str, accepted: set[str]) -> None:
    kinds = {"master", "host", "item", "file", "eventgrid", "wrong"}
    opened = {kind for kind in kinds if guarded_host.get(path, {"x-functions-key": key(guarded_host, kind)}).status == 200}

    assert opened == accepted


def test_without_a_key_the_answer_is_an_empty_401(guarded_host: Host) -> None:
    reply = guarded_host.get("/api/items/1")

    assert (reply.status, reply.body) == (401, b"")
    assert guarded_host.get("/api/nothing").status == 404
    assert guarded_host.get("/admin/host/ping").status == 200


def test_the_header_wins_over_the_query(guarded_host: Host) -> None:
    right, wrong = key(guarded_host, "item"), "wrong"

    assert guarded_host.get(f"/api/items/1?code={right}").status == 200
    assert guarded_host.get(f"/api/items/1?code={wrong}", {"x-functions-key": right}).status == 200
    assert guarded_host.get(f"/api/items/1?code={right}", {"x-functions-key": wrong}).status == 401


def test_the_event_grid_webhook_needs_its_system_key(guarded_host: Host) -> None:
    path = "/runtime/webhooks/EventGrid?functionName=on_event"

    def status(kind: str) -> int:
        url = f"{path}&code={key(guarded_host, kind)}"
        return guarded_host.send("POST", url, b"[]", {"aeg-event-type": "Unsubscribe"}).status

    assert {kind: status(kind) for kind in ("eventgrid", "master", "host", "wrong")} == {
        "eventgrid": 202,
        "master": 202,
        "host": 401,
        "wrong": 401,
    }


def test_the_master_key_reads_the_others(guarded_host: Host) -> None:
    headers = {"x-functions-key": key(guarded_host, "master")}

    def read(path: str) -> dict[str, str]:
        return {entry["name"]: entry["value"] for entry in guarded_host.get(path, headers).json["keys"]}

    assert read("/admin/host/keys") == {"default": key(guarded_host, "host"), "_master": key(guarded_host, "master")}
    assert read("/admin/host/systemkeys") == {"eventgrid_extension": key(guarded_host, "eventgrid")}
    assert read("/admin/functions/item/keys") == {"default": key(guarded_host, "item")}


def test_an_async_function_over_the_time_limit_is_cancelled(guarded_host: Host) -> None:
    reply = guarded_host.get("/api/endless")

    assert (reply.status, reply.body) == (500, b"")
    assert guarded_host.seen("endless", cancelled=True)
    assert "exceeded functionTimeout" in guarded_host.log.read_text()
