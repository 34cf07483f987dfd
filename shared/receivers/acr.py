"""Azure Container Registry's webhooks (learn.microsoft.com/azure/container-registry/container-registry-webhook-reference).

Azure signs nothing; the webhook is given a header with the secret (az acr webhook create --headers). A deleted manifest is told without
its tags, a chart of the former chart repositories without its registry, and neither can be followed by a fluxConfiguration: no change.
Helm charts that are pushed as OCI artifacts are pushes like any other.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.domain.errors import Refused
from shared.receivers.artifacts import Artifact, changes, verify_header
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.payloads import content_id, decode, time_of
from shared.receivers.signing import bearer


class _Target(msgspec.Struct):
    repository: str = ""
    tag: str | None = None  #: none where the push named a digest only
    digest: str | None = None


class _Request(msgspec.Struct):
    host: str = ""


class _Event(msgspec.Struct):
    action: Annotated[str, Meta(min_length=1, max_length=64)]
    id: Annotated[str, Meta(max_length=256)] = ""
    timestamp: str | None = None
    target: _Target | None = None
    request: _Request | None = None


_DECODER = msgspec.json.Decoder(_Event)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies the header, then reads the event. A pushed tag is a change."""
    verify_header(inbound, secrets)
    event = decode(_DECODER, inbound.body)
    delivery = event.id or content_id(inbound.body)
    pushed = [_artifact(event)] if event.action == "push" else []
    return Received(delivery=delivery, event=event.action, changes=changes(inbound, delivery, pushed, at=time_of(event.timestamp)))


def _artifact(event: _Event) -> Artifact:
    if event.target is None or event.request is None:
        raise Refused(400, "body-invalid: a push needs `target` and `request`", explain=True)
    repository = f"{event.request.host}/{event.target.repository}"
    return Artifact(repository=repository, tag=event.target.tag or "", digest=event.target.digest or "")


SENDER = Sender(
    receive, bearer, events=("push", "delete", "chart_push", "chart_delete", "quarantine", "ping"), options=frozenset({"header"})
)
