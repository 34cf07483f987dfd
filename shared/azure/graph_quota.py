"""Resource Graph's quota: 15 queries in 5 seconds for each caller, of which every answer tells what is left.

learn.microsoft.com, Guidance for throttled requests in Azure Resource Graph.
"""

import asyncio
import re
from collections.abc import Mapping
from time import monotonic
from typing import Any

_RESETS_AFTER = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})", re.ASCII)


class GraphQuota:
    """What the newest answer said. A page is a query like any other, so whoever asks for many waits between them, and is not refused."""

    def __init__(self) -> None:
        self._free_at = 0.0

    async def wait(self) -> None:
        """Until there is room for one more."""
        if (seconds := self._free_at - monotonic()) > 0:
            await asyncio.sleep(seconds)

    def note(self, response: Any) -> None:
        """A hook of azure-core (`raw_response_hook`): reads the headers of an answer."""
        self.read(response.http_response.headers)

    def read(self, headers: Mapping[str, str]) -> None:
        resets_after = _RESETS_AFTER.fullmatch(headers.get("x-ms-user-quota-resets-after", ""))
        if headers.get("x-ms-user-quota-remaining") != "0" or resets_after is None:
            return
        hours, minutes, seconds = map(int, resets_after.groups())
        self._free_at = monotonic() + (hours * 60 + minutes) * 60 + seconds
