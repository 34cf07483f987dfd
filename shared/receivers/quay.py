"""Quay's repository notifications (docs.redhat.com, Red Hat Quay: Repository notifications).

They are not signed, cannot carry a header, and do not tell the digest: in the older form `updated_tags` maps tags to image ids, which are
no digests of manifests. As with Docker Hub, the secret is the end of the URL, and what a tag is at is asked of the registry.
"""

from collections.abc import Sequence

import msgspec

from shared.domain.record import digest
from shared.receivers.artifacts import Artifact, changes, own_registry
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.payloads import content_id, decode
from shared.receivers.signing import by_address
from shared.receivers.verification import verify_token


class _Notification(msgspec.Struct):
    repository: str = ""  #: namespace/name
    updated_tags: list[str] | dict[str, msgspec.Raw] | None = None  #: present in pushes only


_DECODER = msgspec.json.Decoder(_Notification)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies the token in the URL, then reads the tags. Notifications of other events (builds, mirrors, scans) have none."""
    verify_token(inbound.token, secrets)
    notification = decode(_DECODER, inbound.body)
    # Two pushes of one tag have the same body. Each is looked up anew, so that a replayed one tells nothing but what is true.
    delivery = digest(content_id(inbound.body), inbound.received_at.isoformat())
    if notification.updated_tags is None:
        return Received(delivery=delivery, event="other")
    repository = f"{own_registry(inbound, 'quay.io')}/{notification.repository}"
    pushed = [Artifact(repository=repository, tag=tag) for tag in notification.updated_tags]
    return Received(delivery=delivery, event="repo_push", changes=changes(inbound, delivery, pushed))


SENDER = Sender(receive, by_address, events=("repo_push",), options=frozenset({"url", "registryCredentialsRef"}), takes_token=True)
