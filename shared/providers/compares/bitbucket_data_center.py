"""Bitbucket Data Center's changes between two commits (developer.atlassian.com/server/bitbucket/rest, Get changes made in commit).

`since` is what `until` is compared with. "The implementation will apply a hard cap (page.max.changes)", 1,000 where the administrator does
not say otherwise, and what is beyond it cannot be asked for: so a page that is full to its limit tells nothing.
"""

import msgspec

from shared.domain.comparisons import Comparison
from shared.domain.errors import Rejected
from shared.providers.compares.asking import bearer, get, segments
from shared.providers.http import OutboundHttp

_LIMIT = 1000


class _Path(msgspec.Struct, rename={"text": "toString"}):
    text: str


class _Change(msgspec.Struct, rename="camel"):
    path: _Path
    src_path: _Path | None = None


class _Page(msgspec.Struct, rename="camel"):
    values: list[_Change]
    limit: int
    is_last_page: bool


async def paths(http: OutboundHttp, comparison: Comparison) -> set[str] | None:
    project, name = _project(comparison)
    address = f"{comparison.api}/projects/{project}/repos/{name}/changes"
    query = {"since": comparison.before, "until": comparison.after, "limit": _LIMIT}
    page = await get(http, address, query, bearer(comparison), _Page)
    if not page.is_last_page or len(page.values) >= page.limit:
        return None
    return {path.text for change in page.values for path in (change.path, change.src_path) if path}


def _project(comparison: Comparison) -> tuple[str, str]:
    """Key and repository: /scm/project/repository over https, /project/repository over ssh."""
    match segments(comparison):
        case [*_, "scm", project, name] | [project, name]:
            return project, name
    raise Rejected("not the path of a repository of this host", code="RepositoryUnknown")
