"""Supervision: a child is ready, fails loudly, stops, and never stays behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from local.stack import children
from local.stack.children import Child
from local.stack.errors import ChildFailed

Start = Callable[[str], Awaitable[Child]]
READY = r"^ready: (\S+)$"


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a Python program as a child; all are gone afterwards."""
    started: list[Child] = []

    async def run(program: str) -> Child:
        log = tmp_path / f"{len(started)}.log"
        child = await children.start("sample", [sys.executable, "-uc", program], environment=os.environ, log=log)
        started.append(child)
        return child

    yield run
    for child in started:
        await children.kill(child)


def is_alive(pid: int) -> bool:
    """Whether the process runs: one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ended(pid: int, within_seconds: float = 5) -> bool:
    deadline = monotonic() + within_seconds
    while is_alive(pid) and monotonic() < deadline:
        sleep(0.01)
    return not is_alive(pid)


async def test_a_child_is_ready_when_it_says_so(start: Start) -> None:
    child = await start("import time; print('starting'); print('ready: here'); time.sleep(60)")
    assert (await children.announced(child, READY)).group(1) == "here"


async def test_a_child_that_dies_early_is_named_with_its_last_words(start: Start) -> None:
    child = await start("print('no such table: beds'); raise SystemExit(3)")
    with pytest.raises(ChildFailed, match=r"(?s)sample ended with status 3.*no such table: beds"):
        await children.announced(child, READY)


async def test_a_child_that_is_never_ready_is_named(start: Start) -> None:
    child = await start("import time; print('thinking'); time.sleep(60)")
    await children.announced(child, "thinking")
    with pytest.raises(ChildFailed, match=r"(?s)was not ready within 0.2 seconds.*thinking"):
        await children.announced(child, READY, within_seconds=0.2)


async def test_a_command_that_fails_is_named(start: Start) -> None:
    await children.finish(await start("print('done')"))
    with pytest.raises(ChildFailed, match="status 1"):
        await children.finish(await start("raise ValueError('broken')"))


async def test_stop_lets_a_child_end_its_work(start: Start) -> None:
    child = await start(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('work ended'), sys.exit(0)))\n"
        "print('ready: 1'); time.sleep(60)"
    )
    await children.announced(child, READY)
    await children.stop(child)
    assert child.process.returncode == 0
    assert "work ended" in child.log.read_text()


async def test_stop_ends_a_child_that_will_not(start: Start) -> None:
    child = await start("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready: 1'); time.sleep(60)")
    await children.announced(child, READY)
    await children.stop(child, within_seconds=0.1)
    assert child.process.returncode == -signal.SIGKILL


async def test_stop_leaves_no_grandchild(start: Start) -> None:
    child = await start(
        "import subprocess, sys, time\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(f'ready: {grandchild.pid}'); time.sleep(60)"
    )
    grandchild = int((await children.announced(child, READY)).group(1))
    await children.stop(child)
    assert await asyncio.to_thread(ended, grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio, os, pathlib, sys\n"
        "from local.stack import children\n"
        "async def main():\n"
        "    command = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        f"    child = await children.start('c', command, environment=os.environ, log=pathlib.Path({str(tmp_path / 'log')!r}))\n"
        "    print(child.pid, flush=True)\n"
        "    await child.process.wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    assert ended(child)
