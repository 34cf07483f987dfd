"""A verb that asks the app, run as a user runs it against a server in the app's place."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer


@asynccontextmanager
async def served(routes: Iterable[web.RouteDef]) -> AsyncIterator[str]:
    """Where the routes are served."""
    app = web.Application()
    app.add_routes(list(routes))
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def sluice(verb: str, url: str, *arguments: str) -> tuple[int, str]:
    """Exit status, and what it says; wide enough for any table."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", verb, "--url", url, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"COLUMNS": "200"},
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()
