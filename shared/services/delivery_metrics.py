"""What is measured of messages on their way to people."""

from datetime import datetime

from shared.domain.deliveries import Delivery
from shared.metrics import NOTIFICATION_ATTEMPTS, NOTIFICATION_ENDED, count, seconds


def measure_attempt(provider: str, outcome: str) -> None:
    """`outcome`: sent, or the kind of a failure."""
    count(NOTIFICATION_ATTEMPTS, provider=provider, outcome=outcome)


def measure_end(ended: Delivery, now: datetime) -> None:
    """How long after it was due it was sent, handed over or given up."""
    seconds(NOTIFICATION_ENDED, (now - ended.due_at).total_seconds(), provider=ended.provider, state=ended.state)
