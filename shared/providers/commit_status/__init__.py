"""Git hosts that are told how far a commit is. A new one is a file and a line here, and a line in shared/config/git_hosts.py."""

from collections.abc import Callable

from shared.ports import GitHost
from shared.providers.commit_status.api import Authorize
from shared.providers.commit_status.azure_devops import AzureDevOps
from shared.providers.commit_status.bitbucket_cloud import BitbucketCloud
from shared.providers.commit_status.bitbucket_data_center import BitbucketDataCenter
from shared.providers.commit_status.gitea import Gitea
from shared.providers.commit_status.github import GitHub
from shared.providers.commit_status.gitlab import GitLab
from shared.providers.http import OutboundHttp

#: provider type, as in sluice.yaml -> constructor (http, address of the API or "", what makes the headers that say who calls)
GIT_HOSTS: dict[str, Callable[[OutboundHttp, str, Authorize], GitHost]] = {
    "github": GitHub,
    "gitlab": GitLab,
    "bitbucket-cloud": BitbucketCloud,
    "bitbucket-data-center": BitbucketDataCenter,
    "azure-devops": AzureDevOps,
    "gitea": Gitea,
}
