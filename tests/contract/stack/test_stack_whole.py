"""The stack with the app in it: it starts, survives the loss of its host, and leaves nothing running."""

import asyncio
import json
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import monotonic

import aiohttp
import pytest

from local.stack.errors import ChildFailed
from local.stack.seed import Fleet
from local.stack.stack import Stack

Up = Callable[[Path], Awaitable[asyncio.subprocess.Process]]
PARTS = {"azurite", "cosmos", "azure", "host"}


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def all_ended(pids: list[int], within_seconds: float = 15) -> bool:
    deadline = monotonic() + within_seconds
    while any(map(is_alive, pids)) and monotonic() < deadline:  # noqa: ASYNC110 - other processes' ends raise no event
        await asyncio.sleep(0.02)
    return not any(map(is_alive, pids))


def running_pids(state: Path) -> dict[str, int]:
    pids: dict[str, int] = json.loads((state / "stack.json").read_text())["pids"]
    assert set(pids) == PARTS
    assert all(map(is_alive, pids.values()))
    return pids


@pytest.fixture
async def up() -> AsyncIterator[Up]:
    """Runs `sluice up` until it is ready."""
    started: list[asyncio.subprocess.Process] = []

    async def run(state: Path) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "up", "--port", "0", "--clusters", "2", "--state", str(state)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        ready = await process.stdout.readline()
        assert ready.startswith(b"ready: http://127.0.0.1:"), (await process.communicate())[1].decode()
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


async def sluice(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "cli", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = await process.communicate()
    return process.returncode or 0, output.decode(), errors.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_up_serves_until_it_is_told_to_stop(up: Up, tmp_path: Path, number: signal.Signals) -> None:
    process = await up(tmp_path)
    pids = running_pids(tmp_path)
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600

    payload = tmp_path / "ping.json"
    payload.write_text('{"zen": "Keep it logically awesome.", "hook_id": 1}')
    state = ("--state", str(tmp_path))
    status, answer, errors = await sluice("send", "--receiver", "platform", "--event", "ping", str(payload), *state)
    assert (status, answer.split()[0]) == (0, "200"), errors
    answers = await asyncio.gather(
        sluice("status", *state),
        sluice("audit", "verify", *state),
        sluice("replay", *state),
        sluice("up", "--port", "0", *state),
    )
    assert [answer[:2] for answer in answers[:3]] == [
        (0, "no rollouts yet\n"),
        (0, "0 records in 0 streams: every record fits its chain\n"),
        (0, "no message is buried\n"),
    ]
    assert (answers[3][0], "already runs" in answers[3][2]) == (1, True)

    process.send_signal(number)
    assert process.stdout is not None
    assert await process.stdout.read() == b""  # one line on stdout, no more
    assert await asyncio.wait_for(process.wait(), 30) == 0
    assert not any(map(is_alive, pids.values()))
    assert not (tmp_path / "stack.json").exists()


async def test_nothing_outlives_a_stack_that_was_killed(up: Up, tmp_path: Path) -> None:
    process = await up(tmp_path)
    pids = running_pids(tmp_path)
    process.kill()
    assert await all_ended(list(pids.values()))


async def test_up_ends_and_says_why_when_a_part_is_lost(up: Up, tmp_path: Path) -> None:
    process = await up(tmp_path)
    pids = running_pids(tmp_path)
    subprocess.run(["kill", "-KILL", str(pids["cosmos"])], check=True)  # noqa: ASYNC221 - takes no time
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert "sluice: cosmos ended with status -9" in errors.decode()
    assert not any(map(is_alive, pids.values()))


async def test_the_host_alone_is_killed_and_comes_back(tmp_path: Path) -> None:
    async with Stack(tmp_path, fleet=Fleet(clusters=2)) as stack, aiohttp.ClientSession() as session:
        before = running_pids(tmp_path)
        await stack.kill_host()
        assert not is_alive(before["host"])
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{stack.host}/api/health")
        address = stack.host
        await stack.start_host()
        after = running_pids(tmp_path)
        assert stack.host == address
        assert {part for part in PARTS if after[part] != before[part]} == {"host"}
        async with session.get(f"{stack.host}/api/health/ready") as response:
            assert response.status == 200, await response.text()
    assert not any(map(is_alive, after.values()))


async def test_a_start_that_fails_says_why_and_stops_the_rest(tmp_path: Path) -> None:
    stack = Stack(tmp_path, fleet=Fleet(clusters=1), settings={"COSMOS_ENDPOINT": ""})
    with pytest.raises(ChildFailed, match=r"(?s)init ended with status 1.*COSMOS_ENDPOINT"):
        await stack.start()
    with pytest.raises(AttributeError):
        _ = stack.host
    again = Stack(tmp_path, fleet=Fleet(clusters=1))
    again.state.claim()  # the failed one has let go of it
    again.state.release()
