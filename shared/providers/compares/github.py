"""GitHub's comparison (docs.github.com/rest/commits/commits, Compare two commits).

It is one of the newer commit with the common ancestor, so it tells all only where the older commit is that ancestor (`ahead`); and it
lists "up to 300 changed files for the entire comparison", all of them on the first page.
"""

import msgspec

from shared.domain.comparisons import Comparison
from shared.providers.compares.asking import bearer, get, split
from shared.providers.http import OutboundHttp

_API = "https://api.github.com"
_MOST_FILES = 300


class _File(msgspec.Struct):
    filename: str
    previous_filename: str | None = None


class _Comparison(msgspec.Struct):
    status: str
    files: list[_File]


async def paths(http: OutboundHttp, comparison: Comparison) -> set[str] | None:
    owner, name = split(comparison)
    address = f"{comparison.api or _API}/repos/{owner}/{name}/compare/{comparison.before}...{comparison.after}"
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", **bearer(comparison)}
    # One commit a page: the files are on the first page, whatever its size.
    told = await get(http, address, {"per_page": 1, "page": 1}, headers, _Comparison)
    if told.status != "ahead" or len(told.files) >= _MOST_FILES:
        return None
    return {path for file in told.files for path in (file.filename, file.previous_filename) if path}
