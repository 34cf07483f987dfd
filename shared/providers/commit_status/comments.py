"""One comment on a pull request, edited in place: the calls that GitHub and Gitea have in common.

The sources are docs.github.com, REST API, issues/comments, and docs.gitea.com, API, issue.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec

from shared.providers.commit_status.api import GitApi, read

_LOOKED_THROUGH = 50  #: comments since the rollout began, of which one may be ours


class _Comment(msgspec.Struct):
    id: int
    body: str | None = ""


class Comments:
    """Comments of one repository. `key` stands in ours, unseen, so that it is found again."""

    def __init__(self, api: GitApi, repository: str, key: str) -> None:
        self._api = api
        self._issues = f"{repository}/issues"
        self._marker = f"<!-- sluice {key} -->"

    async def write(self, reference: str, text: str, *, since: datetime, pull: Callable[[], Awaitable[str]]) -> str:
        """The id of the comment that holds `text` now; "" where there is no pull request to comment on.

        A comment that someone has deleted is written anew; so is one that an attempt made before it died, unless it is found.
        """
        body = {"body": f"{text}\n\n{self._marker}"}
        if reference and await self._edit(reference, body):
            return reference
        number = await pull()
        if not number:
            return ""
        found = await self._find(number, since)
        if found and await self._edit(found, body):
            return found
        return str(read(await self._api.call("POST", f"{self._issues}/{number}/comments", body), _Comment).id)

    async def _edit(self, comment: str, body: object) -> bool:
        answer = await self._api.call("PATCH", f"{self._issues}/comments/{comment}", body, also=(404,))
        return answer.status != 404

    async def _find(self, number: str, since: datetime) -> str:
        after = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = urlencode({"since": after, "per_page": _LOOKED_THROUGH, "limit": _LOOKED_THROUGH})
        comments = await self._api.get(f"{self._issues}/{number}/comments?{query}", list[_Comment])
        return next((str(comment.id) for comment in comments if self._marker in (comment.body or "")), "")
