"""One comment on the merged pull request, edited in place: what is the same on all Git hosts, and the calls of GitHub and Gitea.

The sources are docs.github.com, REST API, issues/comments, and docs.gitea.com, API, issue.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec

from shared.providers.commit_status.api import GitApi, read

LOOKED_THROUGH = 50  #: comments, of which one may be ours


class Comments(ABC):
    """The comments of one commit's pull request. References are the host's, as `create` and `find` give them.

    `marker` stands in ours, unseen, so that it is found again.
    """

    marker: str

    async def write(self, reference: str, text: str) -> str:
        """The reference of the comment that holds `text` now; "" where there is no pull request to comment on.

        A comment that someone has deleted is written anew; so is one that an attempt made before it died, unless it is found.
        """
        if reference and await self.edit(reference, text):
            return reference
        pull = await self.pull()
        if not pull:
            return ""
        found = await self.find(pull)
        if found and await self.edit(found, text):
            return found
        return await self.create(pull, text)

    def marked(self, text: str) -> str:
        return f"{text}\n\n{self.marker}"

    def is_ours(self, text: str) -> bool:
        return self.marker in text

    @abstractmethod
    async def pull(self) -> str:
        """The merged pull request that brought the commit; "" where none did."""

    @abstractmethod
    async def find(self, pull: str) -> str:
        """Our comment on it, by what tells it from others; "" where there is none."""

    @abstractmethod
    async def edit(self, reference: str, text: str) -> bool:
        """Whether it is there, and holds `text` now."""

    @abstractmethod
    async def create(self, pull: str, text: str) -> str: ...


class _Comment(msgspec.Struct):
    id: int
    body: str | None = ""


class IssueComments(Comments):
    """Of GitHub and Gitea, where a pull request is an issue. `key` stands in ours, unseen, so that it is found again."""

    def __init__(self, api: GitApi, repository: str, key: str, *, since: datetime, pull: Callable[[], Awaitable[str]]) -> None:
        self._api = api
        self._issues = f"{repository}/issues"
        self.marker = f"<!-- sluice {key} -->"
        self._since = since
        self._pull = pull

    async def pull(self) -> str:
        return await self._pull()

    async def find(self, pull: str) -> str:
        after = self._since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = urlencode({"since": after, "per_page": LOOKED_THROUGH, "limit": LOOKED_THROUGH})
        comments = await self._api.get(f"{self._issues}/{pull}/comments?{query}", list[_Comment])
        return next((str(comment.id) for comment in comments if self.is_ours(comment.body or "")), "")

    async def edit(self, reference: str, text: str) -> bool:
        answer = await self._api.call("PATCH", f"{self._issues}/comments/{reference}", self._body(text), also=(404,))
        return answer.status != 404

    async def create(self, pull: str, text: str) -> str:
        return str(read(await self._api.call("POST", f"{self._issues}/{pull}/comments", self._body(text)), _Comment).id)

    def _body(self, text: str) -> dict[str, str]:
        return {"body": self.marked(text)}


def unseen(key: str) -> str:
    """What shows nothing and can be found, where HTML is escaped: a link's definition that no link uses (commonmark.org, 4.7)."""
    return f'[sluice-{key}]: https://sluice.invalid "Sluice"'
