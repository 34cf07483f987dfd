"""Everything that a digest tells is read, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from shared.config.digests import DigestSection
from shared.config.models import Config
from shared.domain.announcements import Announcement
from shared.domain.clock import Clock
from shared.domain.digest import Expiry, Facts, left, of_routes, summarize
from shared.domain.errors import SluiceError
from shared.domain.onboarding_progress import Progress
from shared.domain.periods import Period
from shared.domain.rollouts import Rollout
from shared.domain.selectors import Selector
from shared.domain.trend import selected, trend_id
from shared.log import event_logger
from shared.ports import FleetPages, GivenUp, Onboardings, Rollouts, SecretExpiries, TrendPainter, Trends
from shared.services.concurrency import map_bounded
from shared.services.digest_wording import announce
from shared.services.tell_expiry import references

log = event_logger("sluice.digest")

_PAGE = 100
#: A rollout that began so long before a period, and is not open, did not end in it.
_LONGEST = timedelta(days=14)
_MOST_ROLLOUTS = 1000  #: that are looked through
_MOST_UNREADY = 1000


@dataclass(frozen=True)
class MakeDigest:
    """A digest of one period, in words and numbers, and with its picture."""

    config: Config
    pages: FleetPages
    trends: Trends
    rollouts: Rollouts
    onboardings: Onboardings
    given_up: GivenUp
    expiries: SecretExpiries
    paint: TrendPainter
    public_url: str
    clock: Clock

    async def __call__(self, section: DigestSection, period: Period) -> Announcement:
        now = self.clock()
        sweep, _ = await self.pages.sweep()
        pages = [page for page, _ in await self.pages.pages()]
        trend, _ = await self.trends.trend(trend_id(section.selector))
        facts = Facts(
            swept_at=sweep.finished_at,
            trend=trend,
            rollouts=of_routes(await self._rollouts(period), section.routes),
            unready=tuple(await self._unready(section.selector)),
            expiries=tuple(await self._expiries()),
            undelivered=await self.given_up.count_failed(),
        )
        gone = left(pages, period) if section.selector == Selector() else []
        digest = summarize(period, selected(pages, section.selector), gone, facts, since=now - section.trend_span, now=now)
        end = digest.trend[-1].at
        picture = self.paint(digest.trend, end - section.trend_span, end, section.time_zone) if digest.counts.share is not None else b""
        return announce(section, digest, now, self.public_url, picture)

    async def _rollouts(self, period: Period) -> list[Rollout]:
        """The newest, back to long before the period, and every one that is open."""
        found: dict[str, Rollout] = {}
        continuation: str | None = None
        while len(found) < _MOST_ROLLOUTS:
            some, continuation = await self.rollouts.recent(_PAGE, continuation)
            found |= {rollout.id: rollout for rollout in some}
            if continuation is None or some[-1].created_at < period.start - _LONGEST:
                break
        for rollout_id, _ in await self.rollouts.active():
            if rollout_id not in found and (opened := await self.rollouts.get(rollout_id)):
                found[rollout_id] = opened[0]
        return list(found.values())

    async def _unready(self, selector: Selector) -> list[Progress]:
        """A cluster that was never seen has nothing that a selector could match."""
        failed = await self.onboardings.some(state="failed", after="", limit=_MOST_UNREADY)
        clusters = replace(selector, configuration="*")
        return [each for each in failed if clusters == Selector() or (each.cluster and clusters.matches(each.cluster))]

    async def _expiries(self) -> list[Expiry]:
        return await map_bounded(self._expiry, _users(self.config).items())

    async def _expiry(self, used: tuple[str, tuple[str, ...]]) -> Expiry:
        """A secret that cannot be read is told of: what uses it does not work either."""
        reference, users = used
        try:
            return Expiry(reference=reference, used_by=users, expires_at=await self.expiries.expires_at(reference))
        except SluiceError as error:
            log.warning("digest.secret-unread", extra={"error": type(error).__name__})
            return Expiry(reference=reference, used_by=users, expires_at=None, problem=_PROBLEMS.get(type(error).__name__, "it is refused"))


_PROBLEMS: Mapping[str, str] = {
    "NotFound": "there is none",
    "Throttled": "the vault is busy",
    "Unavailable": "the vault does not answer",
}


def _users(config: Config) -> dict[str, tuple[str, ...]]:
    """Every secret of sluice.yaml that may have an end, with the entries that refer to it."""
    users: dict[str, tuple[str, ...]] = {}
    for entry, reference in references(config):
        users[reference] = (*users.get(reference, ()), entry)
    return users
