"""Every Protocol between the use cases and the outside, one file a neighbourhood."""

from shared.ports.changes import Changes, Checks, ObjectEvents
from shared.ports.configurations import AskedStates, Configurations, ForeignWrites, Restorations
from shared.ports.fleet import Fleet, FleetPages, FluxConfigurations, Inventory, PolicyStates, Probe, Trends
from shared.ports.outbound import Compare, Converser, Dialog, EventTopics, GateCaller, GitHost, Provider, ReceiverCaller, Registry
from shared.ports.queues import Queue
from shared.ports.records import Audit, LogRows, LogStreams
from shared.ports.resources import ClusterResources, Clusters, Onboardings, ResourceManager
from shared.ports.rollouts import PaceStore, Rollouts
from shared.ports.secrecy import Sealer, SecretExpiries, Secrets
from shared.ports.telling import CommitReports, Conversations, Deliveries, DigestMarks, GivenUp, TrendPainter

__all__ = [
    "AskedStates",
    "Audit",
    "Changes",
    "Checks",
    "ClusterResources",
    "Clusters",
    "CommitReports",
    "Compare",
    "Configurations",
    "Conversations",
    "Converser",
    "Deliveries",
    "Dialog",
    "DigestMarks",
    "EventTopics",
    "Fleet",
    "FleetPages",
    "FluxConfigurations",
    "ForeignWrites",
    "GateCaller",
    "GitHost",
    "GivenUp",
    "Inventory",
    "LogRows",
    "LogStreams",
    "ObjectEvents",
    "Onboardings",
    "PaceStore",
    "PolicyStates",
    "Probe",
    "Provider",
    "Queue",
    "ReceiverCaller",
    "Registry",
    "ResourceManager",
    "Restorations",
    "Rollouts",
    "Sealer",
    "SecretExpiries",
    "Secrets",
    "TrendPainter",
    "Trends",
]
