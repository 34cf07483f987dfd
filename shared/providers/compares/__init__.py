"""Git hosts that compare two commits for us, one file each. A new one is a file and a line here."""

from collections.abc import Awaitable, Callable

from shared.domain.comparisons import Comparison
from shared.providers.compares import azure_devops, bitbucket_cloud, bitbucket_data_center, gitea, github, gitlab
from shared.providers.http import OutboundHttp

#: Every file that differs, in any order; None where the host does not tell all of them.
Paths = Callable[[OutboundHttp, Comparison], Awaitable[set[str] | None]]

#: By receiver type, as in sluice.yaml. The senders' files say which types may have `compare`.
COMPARES: dict[str, Paths] = {
    "azure-devops": azure_devops.paths,
    "bitbucket-cloud": bitbucket_cloud.paths,
    "bitbucket-data-center": bitbucket_data_center.paths,
    "forgejo": gitea.paths,
    "gitea": gitea.paths,
    "github": github.paths,
    "gitlab": gitlab.paths,
}


class HostCompare:
    """Implements ports.Compare."""

    def __init__(self, http: OutboundHttp) -> None:
        self._http = http

    async def paths(self, host: str, comparison: Comparison) -> frozenset[str] | None:
        found = await COMPARES[host](self._http, comparison)
        return None if found is None else frozenset(found)
