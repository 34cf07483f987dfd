"""A refused sluice.yaml is told: whoever changed it believes that it is in force."""

from dataclasses import dataclass

from shared.domain.announcements import Announcement
from shared.domain.record import digest
from shared.services.tell import Tell


@dataclass(frozen=True)
class WatchConfig:
    """Part of the sweep: tells each problem once, through the alerts of the last good version."""

    problem: str
    tell: Tell

    async def __call__(self) -> None:
        if not self.problem:
            return
        await self.tell(
            Announcement(
                id=digest("config-refused", self.problem),
                kind="config.refused",
                severity="error",
                title="sluice.yaml is refused",
                summary=f"The last good version stays in force. {self.problem}",
                subject="sluice.yaml",
                next_step="Mend the line, and check it before it is deployed: sluice validate sluice.yaml",
                fields={"reason": self.problem},
            )
        )
