"""Docker Hub's webhooks (docs.docker.com/docker-hub/repos/manage/webhooks).

They are not signed, cannot carry a header, and do not tell the digest. The secret is the end of the URL, and nothing in the body is
believed but that something has happened to a tag: what it is at now is asked of the registry. `callback_url` is never called.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.receivers.artifacts import Artifact, changes
from shared.receivers.inbound import Inbound, Received, Sender
from shared.receivers.payloads import content_id, decode
from shared.receivers.signing import by_address
from shared.receivers.verification import verify_token


class _PushData(msgspec.Struct):
    tag: str
    pusher: Annotated[str, Meta(max_length=256)] = ""


class _Repository(msgspec.Struct):
    repo_name: str  #: namespace/name


class _Push(msgspec.Struct):
    push_data: _PushData
    repository: _Repository


_DECODER = msgspec.json.Decoder(_Push)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies the token in the URL. Every delivery is a push."""
    verify_token(inbound.token, secrets)
    push = decode(_DECODER, inbound.body)
    delivery = content_id(inbound.body)  # the body holds the time of the push, so no two are alike
    pushed = Artifact(repository=f"docker.io/{push.repository.repo_name}", tag=push.push_data.tag)
    return Received(delivery=delivery, event="push", changes=changes(inbound, delivery, [pushed], author=push.push_data.pusher))


SENDER = Sender(receive, by_address, events=("push",), options=frozenset({"registryCredentialsRef"}), takes_token=True)
