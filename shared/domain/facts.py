"""What `advance` must know that stands in none of the rollout's documents."""

from shared.domain.gates import GateFacts
from shared.domain.record import Record


class Facts(Record, frozen=True):
    """As the caller found them just now."""

    room: dict[str, int] = {}  #: by subscription: how many writes the pace has room for soon; one that is not named has no limit
    gates: GateFacts = GateFacts()
