"""Senders that do not tell what a tag is at: the registry is asked before the change is recorded, so every change has a revision."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from shared.config.models import Config, Receiver
from shared.domain.changes import Change
from shared.domain.errors import Refused, Rejected
from shared.domain.sources import canonical_url, source_type
from shared.log import event_logger
from shared.ports import Registry, Secrets
from shared.receivers.artifacts import is_unresolved
from shared.services.concurrency import map_bounded

log = event_logger("sluice.digests")


@dataclass(frozen=True)
class Digests:
    """Asks only for what a route follows: whoever knows a receiver's secret can make Sluice call no host but those of its own sources."""

    config: Config
    registry: Registry
    secrets: Secrets

    async def fill(self, receiver: Receiver, changes: Iterable[Change]) -> list[Change]:
        """The changes that have a revision, or now have one.

        Raises Refused 422 when a registry tells none of those that it was asked for, Throttled or Unavailable when it may do so later.
        """
        told, asked = [], []
        for change in changes:
            if not is_unresolved(change):
                told.append(change)
            elif self._is_followed(change):
                asked.append(change)
            else:
                log.info("digest.unfollowed", extra={"receiver": receiver.name})
        if not asked:
            return told
        credentials = await self.secrets.get(receiver.registry_credentials_ref) if receiver.registry_credentials_ref else ""
        found = await map_bounded(lambda change: self._ask(receiver, change, credentials), asked)
        filled = [change for change in found if change]
        if not filled:
            raise Refused(422, "digest-unknown: the registry does not tell what the tag is at", explain=True)
        return told + filled

    def _is_followed(self, change: Change) -> bool:
        return any(
            source_type(route.source.url) == change.source_kind and canonical_url(route.source.url) == change.url
            for route in self.config.routes
        )

    async def _ask(self, receiver: Receiver, change: Change, credentials: str) -> Change | None:
        try:
            digest = await self.registry.digest(change.url, change.tag or "", credentials=credentials)
        except Rejected as error:
            log.warning("digest.rejected", extra={"receiver": receiver.name, "change": change.id, "code": error.code})
            return None
        # What it is at is true as of now, whatever time the sender tells: of two answers, the later is the newer.
        return replace(change, revision=digest, pushed_at=change.received_at)
