"""An artifact was pushed to Azure Container Registry: learn.microsoft.com/azure/event-grid/event-schema-container-registry.

The data is that of the registry's webhooks. Helm charts that are pushed as OCI artifacts are images here; charts of the former chart
repositories, and deletions, which tell no tag, move nothing, as with the webhook (`receivers/acr.py`).
"""

from datetime import datetime

import msgspec

from shared.azure_events.event import AzureEvent, Family, decode
from shared.domain.changes import Change
from shared.receivers.artifacts import Artifact, changes
from shared.receivers.inbound import Inbound
from shared.receivers.payloads import time_of

RECEIVER = "event-grid"  #: what stands for a receiver's name in a change
_PUSHED = "Microsoft.ContainerRegistry.ImagePushed"
_OTHERS = frozenset(f"Microsoft.ContainerRegistry.{what}" for what in ("ImageDeleted", "ChartPushed", "ChartDeleted"))


class _Target(msgspec.Struct):
    repository: str
    digest: str
    tag: str | None = None  #: none where the push named a digest only


class _Request(msgspec.Struct):
    host: str


class _Data(msgspec.Struct):
    target: _Target
    request: _Request
    timestamp: str | None = None


def read(event: AzureEvent, received_at: datetime) -> Change | None:
    """A pushed tag is a change. The registry's name alone would not tell its host, which may have a hash in it."""
    if event.type != _PUSHED:
        return None
    data: _Data = decode(event.data, _Data)
    artifact = Artifact(repository=f"{data.request.host}/{data.target.repository}", tag=data.target.tag or "", digest=data.target.digest)
    inbound = Inbound(receiver=RECEIVER, headers={}, body=b"", received_at=received_at)
    found = changes(inbound, event.id, [artifact], at=time_of(data.timestamp) or event.at)
    return next((change for change in found if change.revision), None)


FAMILY = Family(read, _OTHERS | {_PUSHED})
