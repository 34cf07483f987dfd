"""Which source a URL means, whatever form it is written in."""

import re
from typing import Literal, TypeGuard
from urllib.parse import SplitResult, unquote, urlsplit

from shared.domain.errors import Malformed
from shared.domain.record import digest

#: What a source is: a Git repository, an OCI artifact in a registry, a bucket of an S3-style store, or a container of Azure Blob Storage.
SourceType = Literal["git", "oci", "bucket", "azureblob"]
BucketType = Literal["bucket", "azureblob"]

_SCP_FORM = re.compile(r"^(?:[^@/\s]+@)?(?P<host>\[[^\]/\s]+\]|[^:/\[\]\s]+):(?!//)(?P<path>[^\s]+)$")
_DEFAULT_PORTS = {"https": (443,), "http": (80,), "oci": (443,), "bucket": (443, 80), "azureblob": (443, 80)}
#: By the scheme of the URL. Flux writes oci:// itself; of a bucket it has endpoint and name apart, and both schemes are ours.
_SCHEMES: dict[str, SourceType] = {"oci": "oci", "bucket": "bucket", "azureblob": "azureblob"}
#: Docker Hub's other names (github.com/distribution/reference: index.docker.io and the host that serves it).
_DOCKER_HUB = frozenset({"index.docker.io", "registry-1.docker.io"})
#: One bucket is reached at many hosts of AWS, and its name is one of a kind in all regions (docs.aws.amazon.com, S3 endpoints).
_AWS_HOST = re.compile(r"s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?P<china>\.cn)?")
_BUCKET_NAME = re.compile(r"[a-z0-9$][a-z0-9._-]{2,62}")
_SEARCHABLE = re.compile(r"[a-z0-9._-]+")


def source_type(url: str) -> SourceType:
    """An artifact's URL begins with oci://, as in Flux (fluxcd.io, OCIRepository spec.url), a bucket's with bucket:// and a container's
    with azureblob://; everything else is a Git repository's.
    """
    scheme, separator, _ = url.strip().lower().partition("://")
    return _SCHEMES.get(scheme, "git") if separator else "git"


def is_bucket(kind: SourceType) -> TypeGuard[BucketType]:
    """Whether a source of this type is a bucket or a blob container: something without refs."""
    return kind in ("bucket", "azureblob")


def canonical_url(url: str) -> str:
    """The one spelling of a source's address: host and path, lower case, without scheme, user, default port or a repository's `.git`.

    Understands https, http, ssh and git URLs, the scp form (`git@host:path`), and Azure DevOps' https and ssh
    addresses (learn.microsoft.com/azure/devops/repos/git/clone), those of the older visualstudio.com hosts included.
    An ssh port says nothing about the repository and is dropped; an unusual https port is another server and is kept.
    An artifact (`oci://`) and a repository may share a spelling: `source_id` tells them apart.
    Raises Malformed when there is no host or no path.
    """
    kind = source_type(url)
    if kind == "oci":
        return _canonical_artifact(url.strip())
    if kind != "git":
        return _canonical_bucket(url.strip())
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
    keeps_port = parts.scheme in _DEFAULT_PORTS and parts.port is not None and parts.port not in _DEFAULT_PORTS[parts.scheme]
    return f"{parts.hostname or ''}{f':{parts.port}' if keeps_port else ''}"


def _canonical_artifact(url: str) -> str:
    parts = _parts(url)
    host, path = _host(parts), [part for part in parts.path.lower().split("/") if part]
    if not host or not path or {":", "@"} & set(parts.path):
        raise Malformed("an artifact's URL is a registry and a repository, without tag or digest: oci://contoso.azurecr.io/manifests")
    return "/".join(["docker.io" if host in _DOCKER_HUB else host, *path])


def _canonical_bucket(url: str) -> str:
    parts = _parts(url)
    host, path = _host(parts), [part for part in parts.path.lower().split("/") if part]
    if not host or len(path) != 1 or not _BUCKET_NAME.fullmatch(path[0]):
        raise Malformed(
            "a bucket's URL is its host and its name: bucket://minio.example.com/fleet, azureblob://contoso.blob.core.windows.net/fleet"
        )
    if aws := _AWS_HOST.fullmatch(host):
        host = "s3.amazonaws.com" + (aws["china"] or "")
    return f"{host}/{path[0]}"


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
