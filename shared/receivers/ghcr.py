"""GitHub's container registry: what the webhook events registry_package and package say of it.

They come with all other events of a GitHub hook and are verified with them (docs.github.com/webhooks/webhook-events-and-payloads).
"""

from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from shared.domain.changes import Change
from shared.receivers.artifacts import changes, split_image
from shared.receivers.inbound import Inbound
from shared.receivers.payloads import decode

EVENTS = ("registry_package", "package")


class _Version(msgspec.Struct):
    package_url: str | None = None  #: host/owner/name:tag, and nothing after the colon where there is no tag; other ecosystems have others
    version: str | None = None  #: the digest
    container_metadata: dict[str, msgspec.Raw] | None = None  #: of containers only


class _Package(msgspec.Struct):
    package_version: _Version | None = None


class _Sender(msgspec.Struct):
    login: Annotated[str, Meta(max_length=256)] = ""


class _Event(msgspec.Struct):
    action: str = ""  #: published, updated
    registry_package: _Package | None = None
    package: _Package | None = None
    sender: _Sender | None = None


_DECODER = msgspec.json.Decoder(_Event)


def pushed(inbound: Inbound, delivery: str, payload: bytes) -> tuple[Change, ...]:
    """The change that a verified event is: none where the package is no container, or has no tag.

    Its times are those of the package, not of the push, so the time is when it arrived.
    """
    event = decode(_DECODER, payload)
    package = event.registry_package or event.package
    version = package.package_version if package else None
    if event.action not in ("published", "updated") or version is None or not version.container_metadata or not version.package_url:
        return ()
    artifact = replace(split_image(version.package_url), digest=version.version or "")
    return changes(inbound, delivery, [artifact], author=event.sender.login if event.sender else "")
