"""A blob was written, removed or renamed: learn.microsoft.com/azure/event-grid/event-schema-blob-storage.

Events of one blob are ordered by `sequencer`, which is compared as text. Where an account has a hierarchical namespace the address names
its Data Lake endpoint; Flux reads the same container at the Blob endpoint.
"""

import re
from datetime import datetime
from urllib.parse import unquote, urlsplit

import msgspec

from shared.azure_events.event import AzureEvent, Family, decode
from shared.azure_events.news import ObjectsChanged
from shared.azure_events.registry import RECEIVER
from shared.domain.buckets import ObjectEvent, bucket_change, bucket_url
from shared.domain.errors import Malformed, Refused

_TYPES = frozenset(f"Microsoft.Storage.{what}" for what in ("BlobCreated", "BlobDeleted", "BlobRenamed"))
_SUBJECT = re.compile(r"/blobServices/default/containers/(?P<container>[^/]+)/blobs/(?P<path>.+)", re.IGNORECASE | re.DOTALL)
_MAX_URL = 4096  #: characters


class _Data(msgspec.Struct, rename="camel"):
    sequencer: str = ""
    e_tag: str = ""
    url: str = ""
    destination_url: str = ""  #: of a renamed blob, in place of `url`
    source_url: str = ""


def read(event: AzureEvent, received_at: datetime) -> ObjectsChanged:
    """A renamed blob is gone where it was, and new where it is."""
    place = _SUBJECT.fullmatch(event.subject)
    data: _Data = decode(event.data, _Data)
    host, _ = _parts(data.url or data.destination_url)
    if place is None or not host:
        raise Refused(400, "event-invalid: it names no blob")
    container, keys = place["container"], [place["path"]]
    if data.source_url:
        keys.append(_parts(data.source_url)[1].removeprefix(f"{container}/"))
    objects = tuple(ObjectEvent(key=key, sequencer=data.sequencer, at=event.at, etag=data.e_tag) for key in keys)
    url = bucket_url("azureblob", host, container)
    try:
        change = bucket_change(url, objects, receiver=RECEIVER, delivery=event.id, received_at=received_at)
    except Malformed as error:
        raise Refused(400, f"event-invalid: {error}") from None
    return ObjectsChanged(change=change, objects=objects)


def _parts(url: str) -> tuple[str, str]:
    """Host, at the Blob endpoint, and decoded path without its first slash; both "" for what is no address."""
    try:
        parts = urlsplit(url[:_MAX_URL])
        host = parts.hostname or ""
    except ValueError:
        return "", ""
    return host.replace(".dfs.", ".blob.", 1), unquote(parts.path).removeprefix("/")


FAMILY = Family(read, _TYPES)
