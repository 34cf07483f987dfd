"""GitLab's comparison (docs.gitlab.com/api/repositories, Compare branches, tags, or commits).

`straight` compares the two commits themselves, so that it also tells what a forced push took away. `compare_timeout` says that the list
was cut, by time or by the instance's diff limits.
"""

import msgspec

from shared.domain.comparisons import Comparison
from shared.providers.compares.asking import get, segments
from shared.providers.http import OutboundHttp

_API = "https://gitlab.com/api/v4"


class _Diff(msgspec.Struct):
    old_path: str
    new_path: str


class _Comparison(msgspec.Struct):
    diffs: list[_Diff]
    compare_timeout: bool


async def paths(http: OutboundHttp, comparison: Comparison) -> set[str] | None:
    project = "%2F".join(segments(comparison))
    query = {"from": comparison.before, "to": comparison.after, "straight": "true"}
    headers = {"PRIVATE-TOKEN": comparison.token} if comparison.token else {}
    told = await get(http, f"{comparison.api or _API}/projects/{project}/repository/compare", query, headers, _Comparison)
    if told.compare_timeout:
        return None
    return {path for diff in told.diffs for path in (diff.old_path, diff.new_path)}
