"""What a push touched, asked of its Git host where the payload could not tell and a route wants to know."""

import asyncio
from dataclasses import dataclass

from msgspec.structs import replace

from shared.config.models import CompareApi, Config
from shared.domain.changes import Change
from shared.domain.comparisons import Comparison
from shared.domain.errors import SluiceError
from shared.log import event_logger
from shared.ports import Compare, Secrets
from shared.services.matching import routes_for

log = event_logger("sluice.compare")


@dataclass(frozen=True)
class TouchedPaths:
    """Asks only for repositories that a route names, at the address that sluice.yaml or the receiver's type gives."""

    config: Config
    compare: Compare
    secrets: Secrets
    #: a host that thinks longer is not waited for: the push then counts as touching everything, as it does without `compare`
    deadline_seconds: float = 20.0

    async def fill(self, change: Change) -> Change:
        """The change with its paths, where its receiver has `compare` and its host tells them all. Raises nothing: unknown is an answer."""
        receiver = self.config.receiver(change.receiver)
        if receiver is None or receiver.compare is None or not self._is_asked_for(change):
            return change
        try:
            async with asyncio.timeout(self.deadline_seconds):
                paths = await self._ask(change, receiver.type, receiver.compare)
        except (SluiceError, TimeoutError) as error:
            log.warning("compare.failed", extra={"receiver": change.receiver, "change": change.id, "error": type(error).__name__})
            return change
        log.info(
            "compare.told", extra={"receiver": change.receiver, "change": change.id, "files": "unknown" if paths is None else len(paths)}
        )
        return change if paths is None else replace(change, paths=tuple(sorted(paths)))

    def _is_asked_for(self, change: Change) -> bool:
        """A branch that went from one commit to another, and a route that moves by paths."""
        is_move = change.paths is None and change.kind == "updated" and bool(change.branch and change.before)
        return is_move and any(route.source.paths for route in routes_for(self.config, change))

    async def _ask(self, change: Change, host: str, asked: CompareApi) -> frozenset[str] | None:
        token = await self.secrets.get(asked.token_ref) if asked.token_ref else ""
        comparison = Comparison(
            repository=change.url, before=change.before, after=change.revision, api=asked.url.rstrip("/"), token=token.strip()
        )
        return await self.compare.paths(host, comparison)
