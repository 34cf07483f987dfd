"""What people ask: which baseline each cluster has, and how far it is."""

from dataclasses import dataclass
from typing import cast, get_args

from shared.domain.errors import Refused
from shared.domain.onboarding_progress import OVER, OnboardingState, Progress
from shared.ports import Onboardings

MAX_PAGE = 1000
_ID_LENGTH = 32


@dataclass(frozen=True)
class ReportClusters:
    """The use case behind GET /api/clusters."""

    onboardings: Onboardings

    async def __call__(self, *, state: str, limit: int, continuation: str) -> dict[str, object]:
        """A page; "" for any state, and the first page. Raises Refused 400."""
        if state and state not in get_args(OnboardingState):
            raise Refused(400, f"state must be one of {', '.join(get_args(OnboardingState))}", explain=True)
        if continuation and not (continuation.isascii() and continuation.isalnum() and len(continuation) == _ID_LENGTH):
            raise Refused(400, "continuation must be what the page before gave", explain=True)
        most = min(max(limit, 1), MAX_PAGE)
        found = await self.onboardings.some(state=cast("OnboardingState | None", state or None), after=continuation, limit=most)
        return {"clusters": [_view(progress) for progress in found], "continuation": found[-1].id if len(found) == most else None}


def _view(progress: Progress) -> dict[str, object]:
    cluster = progress.cluster
    return {
        "cluster": cluster.cluster_name if cluster else progress.cluster_id.rsplit("/", 1)[-1],
        "resourceId": progress.cluster_id,
        "offering": cluster.offering if cluster else "",
        "connectivity": progress.seen_as,
        "baseline": progress.baseline,
        "state": progress.state,
        "step": "" if progress.step == OVER else progress.step,
        "since": progress.since.isoformat(),
        "reason": progress.reason,
        "notes": list(progress.notes),
        "nextLook": progress.again_at.isoformat() if progress.again_at else None,
    }
