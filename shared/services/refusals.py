"""What a receiver refuses: every one is counted, and logged with its reason while they are few enough to read and to pay for.

Whoever knows no secret can make an instance do this much and no more: hash a body, count, and write so many lines as the receiver's rate
allows. Those over it are answered 429, and how many they were stands in the next line. The proof is looked at all the same, since a
flood of others must not keep out a delivery that is proven.
"""

import math
from collections import Counter
from dataclasses import dataclass, field

from shared.domain.clock import Clock
from shared.domain.errors import Refused
from shared.domain.pace import Limit, Pace, take
from shared.log import event_logger
from shared.metrics import REFUSED, count

log = event_logger("sluice.receive")


@dataclass(frozen=True)
class Refusals:
    """Lives as long as the process. Each instance limits its own: what it spares is its own work."""

    clock: Clock
    paces: dict[str, Pace] = field(default_factory=dict)
    unlogged: Counter[str] = field(default_factory=Counter)

    def note(self, receiver: str, rate: Limit, refused: Refused) -> int:
        """Counts one, and logs it within the rate; else the seconds after which there is room again."""
        count(REFUSED, receiver=receiver, reason=refused.code)
        pace = self.paces.get(receiver) or Pace(id=receiver)
        self.paces[receiver], wait = take(pace, self.clock(), rate)
        if wait:
            self.unlogged[receiver] += 1
            return math.ceil(wait.total_seconds())
        fields = {"receiver": receiver, "status": refused.status, "reason": refused.reason}
        more = self.unlogged.pop(receiver, 0)
        log.warning("receiver.refused", extra=fields | ({"unlogged": more} if more else {}))
        return 0
