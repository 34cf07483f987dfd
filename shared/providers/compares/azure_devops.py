"""Azure DevOps' comparison (learn.microsoft.com/rest/api/azure/devops/git/diffs/get).

With `diffCommonCommit` false it is one of the two commits themselves. Folders are listed beside their files, and count as paths here: a
pattern that means one of them is concerned. `allChangesIncluded` says whether the list is whole.
"""

import msgspec

from shared.domain.comparisons import Comparison
from shared.domain.errors import Rejected
from shared.providers.compares.asking import basic, get, segments
from shared.providers.http import OutboundHttp

_API = "https://dev.azure.com"
_MOST_CHANGES = 2000


class _Item(msgspec.Struct):
    path: str  #: from the root, with a slash before it


class _Change(msgspec.Struct, rename="camel"):
    item: _Item
    source_server_item: str | None = None  #: what it was named before


class _Diffs(msgspec.Struct, rename="camel"):
    changes: list[_Change]
    all_changes_included: bool = False


async def paths(http: OutboundHttp, comparison: Comparison) -> set[str] | None:
    match segments(comparison):
        case [*above, "_git", name] if above:
            address = f"{comparison.api or _API}/{'/'.join(above)}/_apis/git/repositories/{name}/diffs/commits"
        case _:
            raise Rejected("not the path of a repository of this host", code="RepositoryUnknown")
    query = {
        "api-version": "7.1",
        "diffCommonCommit": "false",
        "$top": _MOST_CHANGES,
        "baseVersion": comparison.before,
        "baseVersionType": "commit",
        "targetVersion": comparison.after,
        "targetVersionType": "commit",
    }
    headers = basic(f":{comparison.token}") if comparison.token else {}
    told = await get(http, address, query, headers, _Diffs)
    if not told.all_changes_included:
        return None
    return {path.lstrip("/") for change in told.changes for path in (change.item.path, change.source_server_item) if path}
