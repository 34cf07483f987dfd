"""What the simulation takes for granted of Azure, of the Functions host and of the clusters. Each figure says where it comes from."""

import random
from typing import Literal

from shared.domain.record import Record

Range = tuple[float, float]  #: seconds, drawn evenly from it

#: ARM's token bucket for writes, per principal, subscription and region (learn.microsoft.com, request-limits-and-throttling).
ARM_BURST, ARM_PER_SECOND = 200, 10.0
#: How long ARM takes for one PATCH. No promise is published; a few tenths of a second is what one sees.
ARM_SECONDS: Range = (0.2, 0.8)
#: How often a cluster's fluxconfig-agent asks Azure for changes. Not published ("typically little delay"); a cautious guess.
AGENT_POLL_SECONDS = 60.0
#: How long a cluster takes to fetch the commit, apply it and see it healthy. Depends on the workload; a small one.
WORK_SECONDS: Range = (5.0, 40.0)
#: From the agent's report to Resource Graph. Azure promises no figure ("near real-time"); what users saw was within 30 seconds mostly
#: (github.com/Azure/azure-dev, issue 540).
GRAPH_LAG_SECONDS: Range = (2.0, 20.0)
#: One page of Resource Graph holds 1,000 rows at most (learn.microsoft.com, Resource Graph: work with large data); half a second each.
GRAPH_PAGE_ROWS, GRAPH_PAGE_SECONDS = 1_000, 0.5
#: Cosmos DB: point operations are under 10 ms at the 99th percentile (learn.microsoft.com, SLA); batches and pages take more.
READ_SECONDS, WRITE_SECONDS, BATCH_SECONDS, PAGE_SECONDS = 0.005, 0.01, 0.04, 0.05
ROWS_IN_BATCH, ROWS_IN_PAGE = 100, 1_000
#: One call of a Storage queue.
QUEUE_SECONDS = 0.005
#: One call of Key Vault, or of the service behind a gate.
CALL_SECONDS = 0.1
#: The host looks at a queue that is busy every 100 ms, and at a quiet one ever more rarely (host.json, maxPollingInterval).
BUSY_POLL_SECONDS, IDLE_POLL_SECONDS = 0.1, 2.0
#: An instance takes so many messages at once, and more as soon as no more than so many are left (host.json).
QUEUE_BATCH, QUEUE_THRESHOLD = 16, 8
#: A message whose work failed is visible again after so long, and is buried after so many times (host.json).
VISIBILITY_SECONDS, MOST_DEQUEUES = 30.0, 5
#: Timers (docs/configuration.md: good values).
SWEEP_COMPLIANCE_SECONDS, SWEEP_ROLLOUTS_SECONDS = 30.0, 60.0

CANARY_SHARE, EARLY_SHARE = 0.01, 0.09
LOCATIONS = ("westeurope", "northeurope", "eastus", "southeastasia")
SITES = ("berlin", "lyon", "porto", "turin", "malmo", "gdansk", "leeds", "utrecht")


class Model(Record, frozen=True):
    """What a user can choose. The same model gives the same simulation."""

    clusters: int
    subscriptions: int = 1
    seed: int = 1
    failure_rate: float = 0.0  #: share of the clusters that report Non-Compliant on the new commit
    offline_rate: float = 0.0  #: share of the clusters that are away when it begins
    offline_seconds: float = 3600.0  #: how long they stay away: each half as long to half as long again
    agent_poll_seconds: float = AGENT_POLL_SECONDS
    work_seconds: Range = WORK_SECONDS
    graph_lag_seconds: Range = GRAPH_LAG_SECONDS
    approve_after_seconds: float = 600.0  #: when people and other systems say yes at a gate
    resume_after_seconds: float | None = None  #: when people resume a paused rollout; None: nobody does
    instances: int = 8  #: of the app, for each queue (Flex Consumption scales the function of each queue by itself)


class ClusterTraits(Record, frozen=True):
    """A cluster as chance made it. All times are seconds on the simulation's clock."""

    number: int
    subscription: str
    ring: Literal["canary", "early", "prod"]
    fails: bool
    back_at: float  #: when it is connected again; 0: it never was away
    poll_period: float
    poll_phase: float
    work_seconds: float
    arm_seconds: float
    lag_seconds: float

    def polls_after(self, moment: float) -> float:
        """When its agent next asks Azure, at `moment` or later."""
        moment = max(moment, self.back_at)
        periods = -((self.poll_phase - moment) // self.poll_period)
        return self.poll_phase + max(0.0, periods) * self.poll_period

    def reports_at(self, written_at: float) -> float:
        """When it tells Azure how what was written at `written_at` went."""
        return self.polls_after(written_at) + self.work_seconds

    def shown_at(self, written_at: float) -> float:
        """When Resource Graph shows that."""
        return self.reports_at(written_at) + self.lag_seconds


def make_fleet(model: Model) -> list[ClusterTraits]:
    """The clusters, spread over the subscriptions in turn; the canaries come first by name."""
    chance = random.Random(model.seed)  # noqa: S311 -- a repeatable simulation, not a secret
    fails = _some(model.clusters, model.failure_rate, chance)
    away = _some(model.clusters, model.offline_rate, chance)
    canaries = _share(model.clusters, CANARY_SHARE)
    early = canaries + _share(model.clusters, EARLY_SHARE)
    fleet = []
    for number in range(model.clusters):
        period = max(0.1, model.agent_poll_seconds * chance.uniform(0.9, 1.1))
        stays_away = model.offline_seconds * chance.uniform(0.5, 1.5)
        fleet.append(
            ClusterTraits(
                number=number,
                subscription=f"00000000-0000-4000-8000-{number % model.subscriptions:012}",
                ring="canary" if number < canaries else "early" if number < early else "prod",
                fails=number in fails,
                back_at=stays_away if number in away else 0.0,
                poll_period=period,
                poll_phase=chance.uniform(0, period),
                work_seconds=chance.uniform(*model.work_seconds),
                arm_seconds=chance.uniform(*ARM_SECONDS),
                lag_seconds=chance.uniform(*model.graph_lag_seconds),
            )
        )
    return fleet


def _share(clusters: int, share: float) -> int:
    """At least one, so that small fleets have every ring as far as they go."""
    return max(1, round(clusters * share))


def _some(clusters: int, rate: float, chance: random.Random) -> frozenset[int]:
    return frozenset(chance.sample(range(clusters), round(clusters * rate)))
