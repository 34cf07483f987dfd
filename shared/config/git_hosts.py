"""The Git hosts that commits can be reported to, and what each is able to. They are spelt as receivers are."""

from typing import NamedTuple


class GitHost(NamedTuple):
    """What sluice.yaml may say about a provider of this type."""

    public_host: str  #: where its repositories are when no `address` is given; "" where one is always needed
    has_deployments: bool = False
    has_apps: bool = False
    needs_token: bool = True


GIT_HOSTS: dict[str, GitHost] = {
    "github": GitHost("github.com", has_deployments=True, has_apps=True),
    "gitlab": GitHost("gitlab.com", has_deployments=True),
    "bitbucket-cloud": GitHost("bitbucket.org"),
    "bitbucket-data-center": GitHost(""),
    "azure-devops": GitHost("dev.azure.com", needs_token=False),  # without one it is called as the app's own identity
    "gitea": GitHost(""),
}
