"""Bitbucket Cloud's diffstat of two commits (developer.atlassian.com/cloud/bitbucket/rest/api-group-commits).

The newer commit stands first, "the opposite of the order used in git diff"; without `topic` it compares the two commits themselves.
"""

import msgspec

from shared.domain.comparisons import Comparison
from shared.providers.compares.asking import basic, bearer, get, split
from shared.providers.http import OutboundHttp

_API = "https://api.bitbucket.org/2.0"
_PAGE = 500  #: files
_MOST_PAGES = 6


class _File(msgspec.Struct):
    path: str


class _Stat(msgspec.Struct):
    old: _File | None = None
    new: _File | None = None


class _Page(msgspec.Struct):
    values: list[_Stat]
    next: str | None = None  #: where the next page is; never followed, since it may lead anywhere


async def paths(http: OutboundHttp, comparison: Comparison) -> set[str] | None:
    owner, name = split(comparison)
    address = f"{comparison.api or _API}/repositories/{owner}/{name}/diffstat/{comparison.after}..{comparison.before}"
    # An API token belongs to a user, whose address stands before it; an access token stands alone.
    headers = basic(comparison.token) if ":" in comparison.token else bearer(comparison)
    found: set[str] = set()
    for number in range(1, _MOST_PAGES + 1):
        page = await get(http, address, {"topic": "false", "pagelen": _PAGE, "page": number}, headers, _Page)
        found |= {file.path for stat in page.values for file in (stat.old, stat.new) if file}
        if not page.next:
            return found
    return None
