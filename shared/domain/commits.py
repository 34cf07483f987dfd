"""A commit, as a Git host is asked about it."""

from datetime import datetime

from shared.domain.pages import page
from shared.domain.record import Record
from shared.domain.rollouts import Rollout


class Commit(Record, frozen=True):
    """A commit, and the rollout that it is told of."""

    url: str  #: of the repository, canonical
    revision: str
    ref: str  #: full name of the ref that was pushed
    link: str  #: where more can be read of the rollout
    key: str  #: of whatever is made for it on the host, so that it is found again
    since: datetime  #: nothing was made for it before

    @property
    def tag(self) -> str | None:
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else None

    @property
    def branch(self) -> str | None:
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None


def link_of(rollout: Rollout, public_url: str) -> str:
    """The rollout at this app; the repository where the app does not know its own address, since some hosts want one."""
    return page(public_url, rollout=rollout.id) or f"https://{rollout.url}"


def commit_of(rollout: Rollout, key: str, link: str) -> Commit:
    return Commit(url=rollout.url, revision=rollout.revision, ref=rollout.ref, link=link, key=key, since=rollout.created_at)
