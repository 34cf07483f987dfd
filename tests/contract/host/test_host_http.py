"""HTTP triggers: routes, requests, replies, failures."""

import json
import threading

import pytest
from host_processes import Host


@pytest.mark.parametrize(
    ("path", "function", "parameters"),
    [
        pytest.param("/api/items/7", "item", {"id": "7"}, id="constraint"),
        pytest.param("/api/items/newest", "newest_item", {}, id="a literal wins"),
        pytest.param("/API/Items/Newest", "newest_item", {}, id="case does not matter"),
        pytest.param("/api/shelves/top%20left", "shelf", {"shelf": "top left"}, id="optional left out"),
        pytest.param("/api/shelves/a%2Fb/3/", "shelf", {"shelf": "a/b", "place": "3"}, id="an encoded slash"),
        pytest.param("/api/files/a/b.txt", "file", {"path": "a/b.txt"}, id="catch-all"),
        pytest.param("/api/files", "file", {}, id="catch-all of nothing"),
    ],
)
def test_a_route_is_found_with_its_parameters(host: Host, path: str, function: str, parameters: dict[str, str]) -> None:
    reply = host.get(path)

    assert reply.status == 200
    assert reply.json == {"function": function, **parameters}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/api/items/seven", id="constraint refused"),
        pytest.param("GET", "/api/shelves/a/10", id="out of range"),
        pytest.param("GET", "/api/echo", id="wrong method"),
        pytest.param("GET", "/api/nothing", id="no such route"),
        pytest.param("GET", "/items/7", id="without the prefix"),
        pytest.param("GET", "/api/off", id="disabled by its setting"),
        pytest.param("GET", "/api/work", id="a queue function"),
    ],
)
def test_what_is_not_routed_is_not_found(host: Host, method: str, path: str) -> None:
    assert host.send(method, path).status == 404


def test_request_and_reply_pass_through_the_function(host: Host) -> None:
    reply = host.send("POST", "/api/echo?a=1&a=2&empty=&b=%C3%BC", b"\x00\xff", {"X-Mixed-Case": "yes"})

    assert reply.status == 201
    assert reply.headers["X-First"] == "00"
    assert reply.headers["Set-Cookie"] == "taste=oat; HttpOnly; Path=/"
    assert reply.json["length"] == 2
    assert reply.json["query"] == {"a": "1,2", "b": "ü"}
    assert reply.json["headers"]["x-mixed-case"] == "yes"
    assert reply.json["url"] == f"{host.url}/api/echo?a=1&a=2&empty=&b=%C3%BC"


def test_a_large_body_arrives_whole(host: Host) -> None:
    size = 30 * 1024 * 1024

    assert host.send("PUT", "/api/echo", b"x" * size).json["length"] == size


def test_a_body_over_the_hosts_limit_is_refused(host: Host) -> None:
    # nothing is sent after the headers: the declared length is enough to refuse it
    reply = host.send("PUT", "/api/echo", headers={"Content-Length": str(101 * 1024 * 1024)})

    assert reply.status == 413


def test_a_failing_function_answers_500_without_telling_why(host: Host) -> None:
    reply = host.get("/api/broken")

    assert (reply.status, reply.body) == (500, b"")
    assert "broken on purpose" in host.log.read_text()


def test_a_sync_function_runs_in_the_thread_pool(host: Host) -> None:
    assert host.get("/api/thread").body.startswith(b"ThreadPoolExecutor")


def test_async_functions_share_the_loop(host: Host) -> None:
    replies: list[int] = []
    threads = [threading.Thread(target=lambda: replies.append(host.get("/api/slow/400").status)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3)  # one after the other they would take four seconds

    assert replies == [200] * 10


def test_each_invocation_is_one_line_of_the_log_and_stdout_has_only_the_ready_line(host: Host) -> None:
    before = host.log.read_text().count("local.host: item ")
    host.get("/api/items/1")

    lines = [line for line in host.log.read_text().splitlines() if "local.host: item " in line]
    assert len(lines) == before + 1
    assert lines[-1].split(" local.host: item ")[1].split()[1:3] == ["succeeded", "in"]
    assert "this line must not reach stdout" in host.log.read_text()


def test_the_status_says_that_it_runs(host: Host) -> None:
    status = host.get("/admin/host/status").json

    assert status["state"] == "Running"
    assert status["processUptime"] >= 0
    assert host.get("/admin/host/ping").status == 200


def test_functions_are_listed_and_described(host: Host) -> None:
    names = {function["name"]: function for function in host.get("/admin/functions").json}
    described = host.get("/admin/functions/Work").json

    assert names["switched_off"]["isDisabled"] is True
    assert names["item"]["invoke_url_template"] == f"{host.url}/api/items/{{id:int}}"
    assert {binding["type"] for binding in described["config"]["bindings"]} == {"queueTrigger", "queue"}
    assert host.get("/admin/functions/nobody").status == 404


def test_an_http_function_is_run_by_hand_with_its_input_as_the_body(host: Host) -> None:
    reply = host.post_json("/admin/functions/enqueue", {"input": json.dumps([])})

    assert (reply.status, reply.body) == (202, b"")
    assert host.send("POST", "/admin/functions/enqueue", b"").status == 400
    assert host.post_json("/admin/functions/nobody", {"input": ""}).status == 404
