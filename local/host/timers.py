"""Timer triggers: run when due, once at the start where asked or missed, and never twice at the same time."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from azure.core.exceptions import AzureError
from azure_functions_runtime.bindings.datumdef import Datum

from local.host.bindings import Function
from local.host.invocation import Invoker
from local.host.schedules import Schedule, is_more_often_than_a_minute
from local.host.timer_status import TimerStatus, TimerStatusStore, after_run, decide_at_start
from local.host.waiting import is_set_within

_log = logging.getLogger("local.host")
_LONGEST_WAIT: Final = 60  # seconds; the wall clock may be set while waiting


class Timer:
    """One timer function. Without a store, nothing is remembered and no run is past due."""

    def __init__(self, function: Function, schedule: Schedule, store: TimerStatusStore | None, invoker: Invoker) -> None:
        self._function = function
        self._schedule = schedule
        self._store = None if is_more_often_than_a_minute(schedule, datetime.now(UTC)) else store
        self._invoker = invoker

    async def run(self, stopping: asyncio.Event) -> None:
        """Serves the timer until the host stops; a run in progress is finished first."""
        status = await self._start()
        while not await _is_stopped_before(status.next, stopping):
            status = await self._ring(status, is_past_due=False)

    async def _start(self) -> TimerStatus:
        decision = decide_at_start(await self._read(), self._schedule, datetime.now(UTC))
        await self._write(decision.status)
        if decision.is_past_due:
            return await self._ring(decision.status, is_past_due=True)
        if self._function.trigger.properties.get("runOnStartup"):
            await self._invoke(decision.status, is_past_due=False)
            return _not_before_now(decision.status, self._schedule)
        return decision.status

    async def _ring(self, status: TimerStatus, *, is_past_due: bool) -> TimerStatus:
        started = datetime.now(UTC)
        await self._invoke(status, is_past_due=is_past_due)
        status = _not_before_now(after_run(status, self._schedule, started, datetime.now(UTC)), self._schedule)
        await self._write(status)
        return status

    async def _invoke(self, status: TimerStatus, *, is_past_due: bool) -> None:
        value = timer_datum(status if self._store else None, is_past_due=is_past_due)
        metadata = {"TimerTrigger": Datum(self._function.trigger.text("schedule"), "string")}
        await self._invoker.invoke(self._function, value, metadata)

    async def _read(self) -> TimerStatus | None:
        if self._store is None:
            return None
        try:
            return await self._store.read()
        except AzureError as error:
            _log.warning("timer %s: its status cannot be read: %s", self._function.name, error)
            return None

    async def _write(self, status: TimerStatus) -> None:
        if self._store is None:
            return
        try:
            await self._store.write(status)
        except AzureError as error:
            _log.warning("timer %s: its status cannot be written: %s", self._function.name, error)


def timer_datum(status: TimerStatus | None, *, is_past_due: bool) -> Datum:
    """The TimerInfo that the worker library's TimerRequest is made from."""
    info: dict[str, Any] = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status.to_json() if status else None,
        "IsPastDue": is_past_due,
    }
    return Datum(json.dumps(info), "json")


def _not_before_now(status: TimerStatus, schedule: Schedule) -> TimerStatus:
    """Occurrences that passed during a long run are left out, not made up for one after the other."""
    now = datetime.now(UTC)
    if status.next >= now:
        return status
    return TimerStatus(now, schedule.next_after(now), now)


async def _is_stopped_before(moment: datetime, stopping: asyncio.Event) -> bool:
    while (remaining := (moment - datetime.now(UTC)).total_seconds()) > 0:
        if await is_set_within(stopping, min(remaining, _LONGEST_WAIT)):
            return True
    return stopping.is_set()
