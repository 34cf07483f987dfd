"""One run of one function: through the worker library's converters, within the time limit, with one log line."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from azure.core.exceptions import AzureError
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native

from local.host.bindings import Function

_log = logging.getLogger("local.host")

#: Carries out a function's outputs other than the HTTP reply; raises AzureError where the service does not take them.
SendOutputs = Callable[[Function, Mapping[str, Datum]], Awaitable[None]]


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation. `outputs` holds Datum by binding name, the return value under $return."""

    succeeded: bool
    outputs: Mapping[str, Datum]
    error: str = ""


NOTHING: Final[Mapping[str, Datum]] = {}


class Invoker:
    """Runs functions. `timeout_seconds` is host.json's functionTimeout; None is no limit."""

    def __init__(self, send_outputs: SendOutputs, timeout_seconds: float | None) -> None:
        self._send_outputs = send_outputs
        self._timeout_seconds = timeout_seconds
        #: a function that is not async may still be running after its time was up: its thread cannot be ended
        self.may_have_left_threads = False

    async def invoke(self, function: Function, value: Datum, metadata: Mapping[str, Datum] = NOTHING) -> Outcome:
        """Never raises for what the function does: its failure is an Outcome, as the host sees it."""
        invocation_id = str(uuid.uuid4())
        started = time.perf_counter()
        outcome = await self._limited(function, invocation_id, value, metadata)
        _log.log(
            logging.INFO if outcome.succeeded else logging.ERROR,
            "%s %s %s in %.0f ms",
            function.name,
            invocation_id,
            "succeeded" if outcome.succeeded else "failed",
            (time.perf_counter() - started) * 1000,
        )
        return outcome

    async def _limited(self, function: Function, identity: str, value: Datum, metadata: Mapping[str, Datum]) -> Outcome:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._run(function, identity, value, metadata)
        except TimeoutError:
            self.may_have_left_threads = True  # the real host restarts the worker process here
            _log.error("%s %s exceeded functionTimeout (%s s)", function.name, identity, self._timeout_seconds)
            return Outcome(succeeded=False, outputs=NOTHING, error="the function exceeded functionTimeout")
        except asyncio.CancelledError:
            if _is_being_cancelled():
                raise
            return Outcome(succeeded=False, outputs=NOTHING, error="the function let a CancelledError escape")

    async def _run(self, function: Function, identity: str, value: Datum, metadata: Mapping[str, Datum]) -> Outcome:
        inputs: Sequence[tuple[str, Any]] = [(function.trigger.name, value)]
        succeeded, returned, named, error, _ = await invocation_request_native(identity, function.id, inputs, metadata)
        if not succeeded:
            return Outcome(succeeded=False, outputs=NOTHING, error=str(error))
        outputs = dict(named) | ({} if returned is None else {"$return": returned})
        try:
            await self._send_outputs(function, outputs)
        except AzureError as failure:
            return Outcome(succeeded=False, outputs=NOTHING, error=f"an output was not taken: {failure}")
        return Outcome(succeeded=True, outputs=outputs)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
