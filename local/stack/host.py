"""The Functions host of the stack: Azure Functions Core Tools where they are installed, else the stand-in."""

import asyncio
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from local.stack import children
from local.stack.children import READY_SECONDS, Child

ROOT = Path(__file__).parents[2]
STAND_IN_READY = r"^ready: (http://127\.0\.0\.1:\d+)$"
_POLL_SECONDS = 0.2


def command(port: int) -> list[str]:
    """What starts the host on `port`."""
    if func := shutil.which("func"):
        return [func, "start", "--port", str(port)]
    return [sys.executable, "-m", "local.host", "--app", str(ROOT), "--port", str(port)]


async def start(port: int, *, environment: Mapping[str, str], log: Path) -> Child:
    """Starts the host; `port` must be free."""
    return await children.start("host", command(port), environment=environment, log=log, directory=ROOT)


async def ready(child: Child, port: int) -> str:
    """The host's address, once it serves. Raises ChildFailed when it ends before, or takes too long."""
    if shutil.which("func"):
        return await _answers(child, f"http://127.0.0.1:{port}")
    return (await children.announced(child, STAND_IN_READY)).group(1)


async def _answers(child: Child, url: str) -> str:
    """Core Tools announce nothing that could be relied on: asked until they say that they run."""
    deadline = monotonic() + READY_SECONDS
    while monotonic() < deadline:
        if not child.running:
            raise child.failure(f"ended with status {child.process.returncode}")
        if await _state(url) == "Running":
            return url
        await asyncio.sleep(_POLL_SECONDS)
    raise child.failure(f"was not ready within {READY_SECONDS:g} seconds")


async def _state(url: str) -> str:
    import aiohttp

    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/admin/host/status") as response:
            return str((await response.json()).get("state", ""))
    except (aiohttp.ClientError, ValueError):
        return ""


def free_port() -> int:
    """A loopback port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
