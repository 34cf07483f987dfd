"""Public prices, in US dollars, pay as you go, East US, as of 2025: other regions, currencies and contracts differ.

Where to look each up: azure.microsoft.com/pricing/details, the page that `page` names. Taken from pages that quote them; nothing is asked
for when the command runs.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """What `per` of `unit` cost, after `free` of them each month."""

    page: str
    unit: str
    dollars: float
    per: float = 1
    free: float = 0

    def of(self, quantity: float) -> float:
        return max(0.0, quantity - self.free) / self.per * self.dollars


ON_DEMAND = Price("functions", "GB-s of instances at work", 0.000026, free=100_000)
EXECUTIONS = Price("functions", "executions", 0.40, per=1e6, free=250_000)
ALWAYS_READY = Price("functions", "GB-s of the instance that is always ready", 0.000004)
REQUEST_UNITS = Price("cosmos-db/serverless", "request units", 0.25, per=1e6)
STORED = Price("cosmos-db/serverless", "GB stored", 0.25)
QUEUE_OPERATIONS = Price("storage/queues", "queue operations", 0.004, per=1e4)
LOGS = Price("monitor", "GB of logs", 2.30, free=5)
KEPT_LOGS = Price("monitor", "GB of logs kept longer than a month", 0.10)
ALERT_RULES_5M = Price("monitor", "alert rules, each 5 minutes", 1.50)
ALERT_RULES_15M = Price("monitor", "alert rules, each 15 minutes or less often", 0.50)
EVENTS = Price("event-grid", "event operations", 0.60, per=1e6, free=100_000)
KEY_OPERATIONS = Price("key-vault", "key and secret operations", 0.03, per=1e4)
PRIVATE_ENDPOINTS = Price("private-link", "private endpoints", 0.01 * 730)
PRIVATE_ZONES = Price("dns", "private DNS zones", 0.50)
