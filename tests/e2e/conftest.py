"""Stacks: real processes, started for a module and stopped after it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playground import Playground, running

Start = Callable[..., Awaitable[Playground]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Start]:
    """Starts stacks, with the arguments of `playground.running`; all are stopped when the module is done."""
    async with AsyncExitStack() as parts:

        async def one(**options: object) -> Playground:
            return await parts.enter_async_context(running(tmp_path_factory.mktemp("stack"), **options))  # type: ignore[arg-type] # passed on as they are

        yield one
