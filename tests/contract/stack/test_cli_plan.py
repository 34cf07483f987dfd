"""`sluice plan`, run as a user runs it: from a saved fleet, and against the local stack."""

import asyncio
import json
import stat
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from local.stack.repository import URL
from local.stack.seed import Fleet
from local.stack.stack import Stack
from shared.domain.observations import FluxConfiguration, Observation
from shared.services.preview import SavedFleet

OLD, NEW = "0a" * 20, "0b" * 20
AT = datetime(2026, 1, 2, tzinfo=UTC)
CONFIG = """
apiVersion: sluice/v1
receivers:
  - {name: platform, type: github, secretRef: kv://sluice/github}
strategies:
  - name: rings
    stages:
      - {name: canary, selector: {tags: {ring: canary}}, maxConcurrency: 5, afterStageWait: 10m}
      - {name: prod, selector: {tags: {ring: prod}}}
routes:
  - name: edge
    source: {url: https://github.com/contoso/platform}
    action: pin
    strategy: rings
    substitute: {SITE: "{tags.site}"}
"""


def found(name: str, ring: str, **fields: Any) -> FluxConfiguration:
    seen = {"compliance": "Compliant", "revision": f"main@sha1:{OLD}", "provisioning": "Succeeded", "connectivity": "Connected"}
    values: dict[str, Any] = {
        "id": f"/subscriptions/s/{name}",
        "name": "platform",
        "cluster_id": f"/c/{name}",
        "cluster_name": name,
        "subscription": "s",
        "resource_group": "edge",
        "location": "westeurope",
        "distribution": "k3s",
        "kubernetes_version": "1.31.2",
        "tags": {"ring": ring, "site": f"site-of-{name}"},
        "url": URL,
        "branch": "main",
        "tag": "",
        "commit": "",
        "observation": Observation(observed_at=AT, **seen),
        "kustomizations": {"apps": {}},
    }
    return FluxConfiguration(**values | fields)


def push(**fields: Any) -> bytes:
    body = {
        "ref": "refs/heads/main",
        "before": OLD,
        "after": NEW,
        "repository": {"clone_url": URL},
        "commits": [{"added": ["clusters/a.yaml"]}],
        "head_commit": {"id": NEW, "message": "Open the \x1b[31mtill[/]"},
    }
    return json.dumps(body | fields).encode()


@dataclass(frozen=True)
class Files:
    folder: Path

    def write(self, name: str, content: bytes | str) -> None:
        (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    async def plan(self, *extra: str, fleet: bool = True) -> subprocess.CompletedProcess[str]:
        files = {"--event": "push.json", "--config": "sluice.yaml", **({"--fleet": "fleet.json"} if fleet else {})}
        named = [part for option, name in files.items() for part in (option, str(self.folder / name))]
        return await sluice("plan", *named, *extra)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.write("push.json", push())
    made.write("sluice.yaml", CONFIG)
    fleet = (
        found("berlin", "canary"),
        found("lyon", "prod"),
        found("porto", "prod", tags={"ring": "prod"}),
        found("turin", "lab"),
        found("leeds", "prod", url="https://github.com/contoso/other"),
        found("malmo", "prod", branch="release"),
    )
    made.write("fleet.json", msgspec.json.encode(SavedFleet(version=1, configurations=fleet)))
    return made


async def sluice(*arguments: str) -> subprocess.CompletedProcess[str]:
    import os

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"COLUMNS": "200"}
    )
    output, errors = await process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode or 0, output.decode(), errors.decode())


async def test_a_plan_shows_who_is_updated_and_why_nobody_else(files: Files) -> None:
    shown = await files.plan()
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = [" ".join(line.replace("│", " ").split()) for line in shown.stdout.splitlines()]
    for line in (
        "route edge: 2 to update",
        "stage canary: 1, 5 at once, not before +0 s, afterStageWait 10m",
        "+0 s berlin platform main@0a0a0a0a0a main@0b0b0b0b0b SITE=site-of-berlin",
        "stage prod: 1, 1 at once, not before +600 s",
        "+600 s lyon platform main@0a0a0a0a0a main@0b0b0b0b0b SITE=site-of-lyon",
        "edge value SITE: the cluster has no tags.site 1 porto/platform",
        "edge no stage selects its cluster 1 turin/platform",
        "any follows another source 1 leeds/platform",
        "any follows another branch 1 malmo/platform",
    ):
        assert line in lines, shown.stdout
    assert "\x1b" not in shown.stdout
    assert "till[/]" in shown.stdout


@pytest.mark.parametrize(
    ("checks", "shown"),
    [("[ci/build]", "route edge: 2 to update, once ci/build has succeeded, within 2h"), ("[a, b]", "a, b have succeeded, within 2h")],
)
async def test_what_a_route_requires_is_shown(checks: str, shown: str, files: Files) -> None:
    text = CONFIG.replace("sluice/github}", "sluice/github, events: [push, status]}")
    files.write("sluice.yaml", text.replace("strategy: rings\n", f"strategy: rings\n    requires: {{checks: {checks}}}\n"))
    assert shown in (await files.plan()).stdout


async def test_as_json_it_is_complete(files: Files) -> None:
    shown = await files.plan("--json", "--receiver", "platform")
    (plan,) = json.loads(shown.stdout)["plans"]
    assert (plan["change"]["revision"], plan["change"]["paths"]) == (NEW, ["clusters/a.yaml"])
    (route,) = plan["routes"]
    assert [stage["stage"]["name"] for stage in route["stages"]] == ["canary", "prod"]
    (update,) = route["stages"][1]["updates"]
    assert (update["cluster"], update["earliestSeconds"]) == ("lyon", 600)
    assert update["pin"]["substitutions"] == {"apps": {"SITE": "site-of-lyon"}}
    assert update["previous"] == update["pin"] | {"revision": OLD, "substitutions": {"apps": {"SITE": None}}}
    assert len(plan["leftAlone"]) == 4


async def test_a_push_that_nothing_follows_and_a_deleted_branch_are_told(files: Files) -> None:
    files.write("push.json", push(repository={"clone_url": "https://github.com/contoso/far"}))
    assert "no route moves anything" in (await files.plan()).stdout
    files.write("push.json", push(after="0" * 40, deleted=True, head_commit=None))
    assert "deleted, so nothing moves" in (await files.plan()).stdout


@pytest.mark.parametrize(
    ("name", "content", "extra", "reason"),
    [
        ("push.json", b"", (), "the receiver would refuse the event: body-invalid"),
        ("push.json", b"\xff\xfe", (), "the receiver would refuse the event: body-invalid"),
        ("push.json", b"[" * 100_000, (), "the receiver would refuse the event: body-invalid"),
        ("push.json", push(ref="main"), (), "the receiver would refuse the event: body-invalid"),
        ("push.json", b"{" + b" " * 2000, (), "is larger than 1024 bytes"),
        ("fleet.json", b"[" * 100_000, (), "is not a fleet as --save-fleet writes it"),
        ("fleet.json", b'{"version": 2, "configurations": []}', (), "is not a fleet as --save-fleet writes it"),
        ("fleet.json", b'{"version": 1, "configurations": [{"id": 1}]}', (), "is not a fleet as --save-fleet writes it"),
        ("fleet.json", b"\xff", (), "is not a fleet as --save-fleet writes it"),
        ("sluice.yaml", b"\xff\xfe", (), "is not UTF-8 text"),
        ("sluice.yaml", "apiVersion: sluice/v1\nroute: []\n", (), "sluice.yaml:2: route: "),
        ("sluice.yaml", "apiVersion: sluice/v1\n", (), "--receiver must name one of sluice.yaml's receivers (it has: none)"),
        ("sluice.yaml", CONFIG, ("--receiver", "x"), "sluice.yaml has no receiver named x (it has: platform)"),
        ("sluice.yaml", CONFIG, ("--config", "/nowhere/sluice.yaml"), "No such file"),
    ],
)
async def test_what_cannot_be_used_is_told_in_one_line(
    files: Files, name: str, content: bytes | str, extra: tuple[str, ...], reason: str
) -> None:
    if "larger" in reason:
        files.write("sluice.yaml", CONFIG.replace("secretRef", "maxBodyBytes: 1024, secretRef"))
    files.write(name, content)
    refused = await files.plan(*extra)
    assert refused.returncode == 1
    assert refused.stderr.startswith("sluice: ")
    assert reason in refused.stderr
    assert (refused.stderr.count("\n"), refused.stdout) == (1, "")


async def test_without_a_stack_and_without_settings_that_is_told(files: Files) -> None:
    refused = await files.plan("--state", str(files.folder), fleet=False)
    assert (refused.returncode, refused.stderr.split(" with ")[0]) == (1, "sluice: no stack runs")


async def test_the_stack_s_fleet_is_planned_saved_and_left_as_it_is(files: Files, tmp_path: Path) -> None:
    state = tmp_path / "state"
    saved = tmp_path / "saved.json"
    async with Stack(state, fleet=Fleet(clusters=12)) as stack, stack.simulator() as simulator:
        arguments = ("plan", "--event", str(files.folder / "push.json"), "--config", str(stack.state.configuration), "--json")
        asked = await sluice(*arguments, "--state", str(state), "--save-fleet", str(saved))
        assert asked.returncode == 0, asked.stderr
        assert await simulator.get("requests?method=PATCH") == []
        assert (await sluice("status", "--state", str(state))).stdout == "no rollouts yet\n"
    again = await sluice(*arguments, "--fleet", str(saved))
    asked_plan, again_plan = (json.loads(each.stdout)["plans"][0] for each in (asked, again))
    assert asked_plan["routes"] == again_plan["routes"]
    assert sum(len(stage["updates"]) for stage in asked_plan["routes"][0]["stages"]) == 12
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
