"""Which repository a URL means, whatever form it is written in."""

import re
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from shared.domain.errors import Malformed
from shared.domain.record import digest

#: What a source is: a Git repository, or an OCI artifact in a registry.
SourceType = Literal["git", "oci"]

_SCP_FORM = re.compile(r"^(?:[^@/\s]+@)?(?P<host>\[[^\]/\s]+\]|[^:/\[\]\s]+):(?!//)(?P<path>[^\s]+)$")
_DEFAULT_PORTS = {"https": 443, "http": 80, "oci": 443}
_OCI = "oci://"
#: Docker Hub's other names (github.com/distribution/reference: index.docker.io and the host that serves it).
_DOCKER_HUB = frozenset({"index.docker.io", "registry-1.docker.io"})
_SEARCHABLE = re.compile(r"[a-z0-9._-]+")


def source_type(url: str) -> SourceType:
    """An artifact's URL begins with oci://, as in Flux (fluxcd.io, OCIRepository spec.url); everything else is a Git repository's."""
    return "oci" if url.strip().lower().startswith(_OCI) else "git"


def canonical_url(url: str) -> str:
    """The one spelling of a source's address: host and path, lower case, without scheme, user, default port or a repository's `.git`.

    Understands https, http, ssh and git URLs, the scp form (`git@host:path`), and Azure DevOps' https and ssh
    addresses (learn.microsoft.com/azure/devops/repos/git/clone), those of the older visualstudio.com hosts included.
    An ssh port says nothing about the repository and is dropped; an unusual https port is another server and is kept.
    An artifact (`oci://`) and a repository may share a spelling: `source_id` tells them apart.
    Raises Malformed when there is no host or no path.
    """
    if source_type(url) == "oci":
        return _canonical_artifact(url.strip())
    host, path = _split(url.strip())
    segments = [part for part in unquote(path).lower().split("/") if part]
    if segments:
        segments[-1] = segments[-1].removesuffix(".git")
    if not host or not segments or not segments[-1]:
        raise Malformed("a repository URL needs a host and a path, for example https://github.com/contoso/platform")
    host, segments = _azure_devops(host.lower(), segments)
    return "/".join([host, *segments])


def source_id(url: str) -> str:
    """The id of a source: a digest of its type and its canonical URL, so that no URL stands readable in the database."""
    return digest(source_type(url), canonical_url(url))


def search_term(url: str) -> str:
    """A piece of text that every spelling of this repository contains: the longest plain run of its name. For coarse filters."""
    name = canonical_url(url).rsplit("/", 1)[-1]
    return max(_SEARCHABLE.findall(name), key=len, default="")


def _split(url: str) -> tuple[str, str]:
    scp = None if "://" in url else _SCP_FORM.match(url)
    if scp:
        return scp["host"].strip("[]"), scp["path"]
    parts = _parts(url if "://" in url else f"https://{url}")
    return _host(parts), parts.path


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read here, since only reading it tells that it is invalid
    except ValueError as error:
        raise Malformed("a repository URL has an invalid host or port") from error
    return parts


def _host(parts: SplitResult) -> str:
    keeps_port = parts.scheme in _DEFAULT_PORTS and parts.port not in (None, _DEFAULT_PORTS[parts.scheme])
    return f"{parts.hostname or ''}{f':{parts.port}' if keeps_port else ''}"


def _canonical_artifact(url: str) -> str:
    parts = _parts(url)
    host, path = _host(parts), [part for part in parts.path.lower().split("/") if part]
    if not host or not path or {":", "@"} & set(parts.path):
        raise Malformed("an artifact's URL is a registry and a repository, without tag or digest: oci://contoso.azurecr.io/manifests")
    return "/".join(["docker.io" if host in _DOCKER_HUB else host, *path])


def _azure_devops(host: str, path: list[str]) -> tuple[str, list[str]]:
    """Folds Azure DevOps' hosts into dev.azure.com/organisation/project/_git/repository."""
    if host in ("ssh.dev.azure.com", "vs-ssh.visualstudio.com") and path[0] == "v3" and len(path) == 4:
        organisation, project, repository = path[1:]
        return "dev.azure.com", [organisation, project, "_git", repository]
    if host.endswith(".visualstudio.com"):
        path = [host.removesuffix(".visualstudio.com"), *(path[1:] if path[0] == "defaultcollection" else path)]
        host = "dev.azure.com"
    if host == "dev.azure.com" and len(path) == 3 and path[1] == "_git":
        # A project's repository of the same name may be written without the project.
        path = [path[0], path[2], "_git", path[2]]
    return host, path
