"""The dashboard's page and its files, and the routes that are there for it: who comes in, and that they are the keys' own."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from builders import a_rollout, a_stage
from calling import FUNCTIONS, call, told
from worlds import World

from shared import bootstrap

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "dashboard"
FROM_PAGE = {"Sec-Fetch-Site": "same-origin"}
BINDINGS: dict[str, Any] = {name: json.loads(function.get_function_json())["bindings"][0] for name, function in FUNCTIONS.items()}


HERE = "http://127.0.0.1:7071/api/dashboard"
THERE = "https://sluice.example/api/dashboard"


def a_request(url: str = HERE, *, body: bytes = b"", headers: dict[str, str] | None = None, **route: str) -> func.HttpRequest:
    return func.HttpRequest("GET", url, headers=headers or {}, params={}, route_params=route, body=body)


def signed_in_as(name: str, *roles: str) -> dict[str, str]:
    claims = [{"typ": "preferred_username", "val": name}, *({"typ": "roles", "val": role} for role in roles)]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"claims": claims}).encode()).decode(), **FROM_PAGE}


@pytest.fixture
def on_this_machine(app: bootstrap.App) -> None:
    app.settings = replace(app.settings, dashboard_without_sign_in=True)


@pytest.fixture
def signs_in(app: bootstrap.App) -> None:
    app.settings = replace(app.settings, signs_in=True)


async def test_the_page_comes_with_a_policy_that_runs_nothing_but_its_own_files() -> None:
    response = await call("dashboard", a_request())
    assert (response.status_code, response.mimetype, response.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    for name, value in {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}.items():
        assert response.headers[name] == value


async def test_the_page_has_no_script_or_style_of_its_own() -> None:
    page = (await call("dashboard", a_request())).get_body().decode()
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", page) == []


def test_no_script_makes_markup_or_code_of_a_text() -> None:
    """The browser's policy forbids it too; here it is found before anybody runs it."""
    sinks = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|srcdoc"
    found = [(path.name, sink) for path in FOLDER.glob("*.js") for sink in re.findall(sinks, path.read_text())]
    assert found == []


async def test_every_file_that_the_page_and_its_modules_name_is_there_and_kept_for_good() -> None:
    page = (await call("dashboard", a_request())).get_body().decode()
    named = re.findall(r'"/api/dashboard/assets/(\w+)/([\w.-]+)"', page)
    imported = {name for path in FOLDER.glob("*.js") for name in re.findall(r'from "\./([\w.-]+)"', path.read_text())}
    (version,) = {version for version, _ in named}
    for name in imported | {name for _, name in named}:
        response = await call("dashboard_asset", a_request(version=version, name=name))
        assert (response.status_code, response.get_body()) == (200, (FOLDER / name).read_bytes())
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Content-Security-Policy" in response.headers


async def test_a_file_is_what_it_is_called() -> None:
    kinds = [(await call("dashboard_asset", a_request(version="x", name=name))).mimetype for name in ("main.js", "base.css", "mark.svg")]
    assert kinds == ["text/javascript", "text/css", "image/svg+xml"]


async def test_what_an_upgrade_has_replaced_is_not_kept() -> None:
    response = await call("dashboard_asset", a_request(version="0000", name="main.js"))
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize("name", ["", "index.html", "nothing.js", "../host.json", "..%2Fhost.json", "/etc/passwd", "main.js/", "MAIN.JS"])
async def test_nothing_else_is_a_file_of_the_dashboard(name: str) -> None:
    response = await call("dashboard_asset", a_request(version="x", name=name))
    assert (response.status_code, response.get_body()) == (404, b"")


@pytest.mark.parametrize("known", ["{}", "W/{}", '"other", {}'])
async def test_what_a_browser_has_is_not_sent_again(known: str) -> None:
    first = await call("dashboard", a_request())
    again = await call("dashboard", a_request(headers={"If-None-Match": known.format(first.headers["ETag"])}))
    assert (again.status_code, again.get_body(), again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert (await call("dashboard", a_request(headers={"If-None-Match": '"other"'}))).status_code == 200


def test_every_question_of_people_has_a_twin_for_the_page_with_the_same_path_and_method() -> None:
    for name in {name for name, binding in BINDINGS.items() if binding.get("authLevel") == "FUNCTION"} - {"ready"}:
        one, twin = BINDINGS[name], BINDINGS[f"dashboard_{name}"]
        assert (twin["route"], twin["methods"]) == (f"dashboard/data/{one['route']}", one["methods"])


DATA = sorted(name for name, binding in BINDINGS.items() if binding.get("route", "").startswith("dashboard/data/"))


@pytest.mark.parametrize("name", DATA)
async def test_by_default_nobody_comes_in_without_a_key(name: str) -> None:
    """No setting says otherwise in Azure."""
    for headers in ({}, FROM_PAGE, {"Sec-Fetch-Site": "cross-site"}, signed_in_as("eve", "Operator")):
        assert (await call(name, a_request(headers=headers, id="rollout-1"))).status_code == 403


@pytest.mark.usefixtures("signs_in")
@pytest.mark.parametrize("name", DATA)
async def test_where_people_sign_in_nobody_comes_in_without(name: str) -> None:
    response = await call(name, a_request(THERE, headers=FROM_PAGE, id="rollout-1"))
    assert (response.status_code, told(response)) == (401, {"error": "sign in: App Service authentication is on"})


@pytest.mark.usefixtures("signs_in")
async def test_who_is_looking_is_told_with_their_roles() -> None:
    response = await call("dashboard_me", a_request(THERE, headers=signed_in_as("sam", "Reader", "leads")))
    assert told(response) == {"name": "sam", "signsIn": True, "roles": ["Reader", "leads"], "holdsEveryRole": False}


@pytest.mark.usefixtures("on_this_machine")
async def test_on_this_machine_nobody_signs_in() -> None:
    assert told(await call("dashboard_me", a_request(headers=FROM_PAGE))) == {
        "name": "key",
        "signsIn": False,
        "roles": [],
        "holdsEveryRole": True,
    }


@pytest.mark.usefixtures("on_this_machine")
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}])
async def test_no_other_page_asks(headers: dict[str, str]) -> None:
    assert (await call("dashboard_list_rollouts", a_request(headers=headers))).status_code == 403


@pytest.mark.usefixtures("on_this_machine")
async def test_no_other_name_leads_to_this_machine() -> None:
    assert (await call("dashboard_list_rollouts", a_request("http://rebound.example:7071/api", headers=FROM_PAGE))).status_code == 403


@pytest.mark.usefixtures("on_this_machine")
async def test_the_page_acts_as_a_key_does(world: World) -> None:
    rollout = a_rollout(a_stage("canary", 1, state="running"))
    world.rollouts.kept.put(rollout.id, rollout)
    headers = {**FROM_PAGE, "Content-Type": "application/json", "X-Sluice-Actor": "alex"}
    response = await call("dashboard_act_on_rollout", a_request(headers=headers, body=b'{"reason": "why not"}', id=rollout.id, act="pause"))
    assert (response.status_code, told(response)["reason"]) == (200, "paused by key (claimed: alex): why not")


def test_the_files_are_part_of_what_is_deployed() -> None:
    left_out = (ROOT / ".funcignore").read_text().splitlines()
    assert not {"dashboard", "*.js", "*.css", "*.svg", "*.html"} & {line.strip().strip("/") for line in left_out}
