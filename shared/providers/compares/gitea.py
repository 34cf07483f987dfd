"""Gitea's and Forgejo's comparison (docs.gitea.com/api, repoCompareDiff).

It lists the commits that the newer one has and the older has not, with their files. That is all that differs only where the older is
an ancestor of the newer, which shows in the parents: one of those commits then grew out of it.
"""

import msgspec

from shared.domain.comparisons import Comparison
from shared.providers.compares.asking import get, split
from shared.providers.http import OutboundHttp


class _Parent(msgspec.Struct):
    sha: str


class _File(msgspec.Struct):
    filename: str


class _Commit(msgspec.Struct):
    parents: list[_Parent] | None = None
    files: list[_File] | None = None


class _Comparison(msgspec.Struct):
    total_commits: int
    commits: list[_Commit] | None = None


async def paths(http: OutboundHttp, comparison: Comparison) -> set[str] | None:
    owner, name = split(comparison)
    headers = {"Authorization": f"token {comparison.token}"} if comparison.token else {}
    address = f"{comparison.api}/repos/{owner}/{name}/compare/{comparison.before}...{comparison.after}"
    told = await get(http, address, {}, headers, _Comparison)
    commits = told.commits or []
    parents = {parent.sha for commit in commits for parent in commit.parents or ()}
    if told.total_commits != len(commits) or comparison.before not in parents or any(commit.files is None for commit in commits):
        return None
    return {file.filename for commit in commits for file in commit.files or ()}
