"""Child processes that cannot outlive this one: started, watched until they are ready, stopped."""

import asyncio
import contextlib
import ctypes
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from local.stack.errors import ChildFailed

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_LAST_LINES = 20
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Child:
    """A running process that leads its own process group; stdout and stderr go to `log`."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    def last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:])

    def failure(self, what: str) -> ChildFailed:
        return ChildFailed(f"{self.name} {what}; the end of {self.log}:\n{self.last_lines()}")


async def start(name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path, directory: Path | None = None) -> Child:
    """Starts `command` with exactly `environment`. On Linux the kernel kills it when this process ends, however that happens."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
            preexec_fn=_dies_with_parent(),
        )
    return Child(name, process, log)


def _dies_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # loaded before the fork: little is safe after it
    parent = os.getpid()

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return arrange


async def announced(child: Child, pattern: str, within_seconds: float = READY_SECONDS) -> re.Match[str]:
    """The first match of `pattern` in the child's output. Raises ChildFailed when it ends before, or takes too long."""
    expression = re.compile(pattern, re.MULTILINE)
    deadline = monotonic() + within_seconds
    while monotonic() < deadline:
        if match := expression.search(child.log.read_text(errors="replace")):
            return match
        if not child.running:
            raise child.failure(f"ended with status {child.process.returncode}")
        await asyncio.sleep(_POLL_SECONDS)
    raise child.failure(f"was not ready within {within_seconds:g} seconds")


async def finish(child: Child) -> None:
    """Waits for a command that runs to its end. Raises ChildFailed unless its status is 0."""
    if await child.process.wait() != 0:
        raise child.failure(f"ended with status {child.process.returncode}")


async def stop(child: Child, within_seconds: float = STOP_SECONDS) -> None:
    """Asks the child to end, makes it end after `within_seconds`, and leaves nothing of its process group."""
    if child.running:
        with contextlib.suppress(ProcessLookupError):
            child.process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.process.wait(), within_seconds)
    await kill(child)


async def kill(child: Child) -> None:
    """SIGKILL for the child's whole process group, the child included."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.process.wait()
