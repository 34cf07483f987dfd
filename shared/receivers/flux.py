"""Flux's own alerts: the events of a cluster's notification-controller, as its provider `generic-hmac` sends them (fluxcd.io)."""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from shared.domain.errors import Malformed, Refused
from shared.domain.flux_reports import FluxReport
from shared.receivers.inbound import Inbound, Outbound, Received, Sender
from shared.receivers.payloads import content_id, decode, time_of
from shared.receivers.signing import signed
from shared.receivers.verification import verify_hmac

#: Of one event: Flux cuts its message at 39,000 characters (fluxcd/pkg, runtime/events).
MAX_BYTES: Final = 512 * 1024
_MAX_MESSAGE = 500  #: characters that are kept
_MAX_REVISION = 512
#: Flux tries for 15 seconds and signs no time of its own: an event that is older is a replay, or its clock is wrong.
_PAST, _FUTURE = timedelta(minutes=15), timedelta(minutes=5)
#: Arc clusters, and AKS, which takes fluxConfigurations too.
_CLUSTER_ID = re.compile(
    r"/subscriptions/[a-z0-9-]{1,64}/resourcegroups/[\w.()-]{1,90}"
    r"/providers/(microsoft\.kubernetes/connectedclusters|microsoft\.containerservice/managedclusters)/[a-z0-9._-]{1,63}"
)

_ObjectName = Annotated[str, Meta(min_length=1, max_length=253)]
_Word = Annotated[str, Meta(min_length=1, max_length=128)]


class _Metadata(msgspec.Struct):
    cluster_id: str = msgspec.field(name="clusterArmId", default="")


class _Claim(msgspec.Struct):
    metadata: _Metadata


class _InvolvedObject(msgspec.Struct):
    kind: _Word
    name: _ObjectName
    namespace: _ObjectName


class _Event(msgspec.Struct, rename="camel"):
    involved_object: _InvolvedObject
    severity: Literal["trace", "info", "error"]
    timestamp: str
    reason: _Word
    message: str
    metadata: dict[str, str]


_CLAIM = msgspec.json.Decoder(_Claim)
_EVENT = msgspec.json.Decoder(_Event)


def receive(inbound: Inbound, secrets: Sequence[str]) -> Received:
    """Verifies X-Signature, `sha256=` or `sha512=` and the digits of the HMAC over the raw body, then reads the event.

    The key is the receiver's secret, or, unless the receiver says otherwise, the token that is derived of it for the one cluster that
    the event names. Equal bodies are one delivery: Flux gives its events no id.
    """
    if len(inbound.body) > MAX_BYTES:
        raise Refused(413, f"body-too-large: at most {MAX_BYTES} bytes", explain=True)
    keys = secrets if inbound.identity == "shared" else _tokens(inbound.body, secrets)
    signature = inbound.headers.get("x-signature", "")
    verify_hmac(inbound.body, signature, keys, {"sha256=": "sha256", "sha512=": "sha512"})
    event = decode(_EVENT, inbound.body)
    report = _report(event, _time(event, inbound.received_at))
    return Received(delivery=content_id(inbound.body), event=event.severity, reports=(report,))


def cluster_token(secret: str, cluster_id: str) -> str:
    """The token of one cluster, by its ARM id in any case: whoever has it can speak for that cluster, and for no other.

    Raises ValueError where it is no cluster's id.
    """
    folded = cluster_id.lower()
    if not _CLUSTER_ID.fullmatch(folded):
        raise ValueError("not the ARM id of an Arc or AKS cluster")
    return hmac.digest(secret.encode(), folded.encode(), "sha256").hex()


def _tokens(body: bytes, secrets: Sequence[str]) -> list[str]:
    """The keys that the named cluster may have signed with. Raises Refused 401.

    Who it is stands in the body, so that this one field is read before the proof; nothing but the choice of the key depends on it.
    """
    if not secrets or not all(secrets):
        raise Refused(401, "secret-empty")
    try:
        claimed = _CLAIM.decode(body).metadata.cluster_id
        return [cluster_token(secret, claimed) for secret in secrets]
    except (msgspec.DecodeError, RecursionError, ValueError):  # ValueError: also UnicodeDecodeError
        raise Refused(401, "cluster-missing: metadata.clusterArmId must be the ARM id of a cluster") from None


def _time(event: _Event, received_at: datetime) -> datetime:
    """Raises Refused 400: who is proven may know why."""
    at = time_of(event.timestamp)
    if at is None:
        raise Refused(400, "body-invalid: timestamp is no time", explain=True)
    if not received_at - _PAST <= at <= received_at + _FUTURE:
        raise Refused(400, "timestamp-away: told too long ago, or a clock is wrong", explain=True)
    return at


def _report(event: _Event, at: datetime) -> FluxReport:
    cluster_id = event.metadata.get("clusterArmId", "").lower()
    if not _CLUSTER_ID.fullmatch(cluster_id):
        raise Refused(400, "body-invalid: metadata.clusterArmId must be the ARM id of a cluster", explain=True)
    return FluxReport(
        cluster_id=cluster_id,
        namespace=event.involved_object.namespace,
        kind=event.involved_object.kind,
        name=event.involved_object.name,
        revision=_of_flux(event.metadata, "revision")[:_MAX_REVISION],
        severity=event.severity,
        reason=event.reason,
        message=event.message[:_MAX_MESSAGE],
        at=at,
    )


def _of_flux(metadata: dict[str, str], name: str) -> str:
    """A controller's own entry: its documentation spells `kustomize.toolkit.fluxcd.io/revision`, what it sends is `revision`."""
    groups = (value for key, value in metadata.items() if key.endswith(f".toolkit.fluxcd.io/{name}"))
    return metadata.get(name) or next(groups, "")


def sign(outbound: Outbound) -> dict[str, str]:
    """As the cluster that the event names does it."""
    if outbound.identity == "shared":
        return signed(outbound)
    try:
        claimed = _CLAIM.decode(outbound.body).metadata.cluster_id
        return signed(replace(outbound, secret=cluster_token(outbound.secret, claimed)))
    except (msgspec.DecodeError, ValueError):
        raise Malformed("metadata.clusterArmId must be the ARM id of a cluster: its token signs the event") from None


SENDER = Sender(receive, sign, events=("info", "error", "trace"), default_events=("info", "error"), options=frozenset({"identity"}))
