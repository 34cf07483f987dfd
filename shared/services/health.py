"""Whether the app can work: each dependency is asked, all at once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from shared.log import event_logger
from shared.ports import Probe

log = event_logger("sluice.health")


@dataclass(frozen=True)
class Readiness:
    """The use case behind GET /api/health/ready."""

    probes: Mapping[str, Probe]
    patience_seconds: float = 5.0

    async def __call__(self) -> dict[str, str]:
        """One line a dependency: "ok", or the kind of its failure. Details go to the log only: they may name addresses."""
        results = await asyncio.gather(*(self._ask(name, probe) for name, probe in self.probes.items()))
        return dict(zip(self.probes, results, strict=True))

    async def _ask(self, name: str, probe: Probe) -> str:
        try:
            async with asyncio.timeout(self.patience_seconds):
                await probe.check()
        except Exception as error:  # noqa: BLE001 -- whatever a dependency's client raises means that it is not ready
            log.warning("health.not-ready", extra={"dependency": name, "error": type(error).__name__})
            return type(error).__name__
        return "ok"
