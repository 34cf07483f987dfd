"""The servers that the adapters talk to, each a process that ends with its fixture, or with the tests however they end."""

import asyncio
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from local.stack import storage
from local.stack.storage import StorageUrls
from local.tls import TlsFiles

T = TypeVar("T")
#: Run before the real command, so that the kernel ends it with its parent (prctl PR_SET_PDEATHSIG is 1).
DIE_WITH_PARENT = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"
_READY = "ready: "


@contextmanager
def process(command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Iterator[Iterator[str]]:
    """The lines that a server prints, while it runs."""
    whole = [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, *command]
    env = None if environment is None else dict(environment)
    with subprocess.Popen(whole, stdout=subprocess.PIPE, text=True, env=env, cwd=folder) as started:
        assert started.stdout is not None
        try:
            yield iter(started.stdout.readline, "")
        finally:
            started.terminate()


@contextmanager
def tls_server(module: str, tls: TlsFiles, *options: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of `python -m module`, which says when it is ready."""
    command = [sys.executable, "-m", module, "--port", "0", "--cert", str(tls.certificate), "--key", str(tls.key), *options]
    with process(command, environment) as lines:
        ready = next(lines)
        assert ready.startswith(_READY), ready
        yield ready.removeprefix(_READY).strip()


@contextmanager
def azurite(folder: Path) -> Iterator[StorageUrls]:
    with process(storage.command(), folder=folder) as lines:
        seen = ""
        while "Table service is successfully listening" not in seen:
            line = next(lines, None)
            assert line is not None, f"Azurite ended before it listened: {seen}"
            seen += line
        yield storage.urls(seen)


@asynccontextmanager
async def answering(tls: TlsFiles, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The address of a TLS server in this process that gives every request to `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def until(look: Callable[[], Awaitable[T | None]], seconds: float = 10.0) -> T:
    """What `look` gives once it gives something. Fails after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"not reached within {seconds} s")
