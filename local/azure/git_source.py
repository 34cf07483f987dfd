"""The real Git repositories behind the URLs in fluxConfigurations: references resolved, manifests read.

What cannot change is cached for good (a commit's manifests, whether it is an ancestor of another); heads for a moment.
"""

import asyncio
import io
import re
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

from local.azure.semver import highest

HEADS_KEPT_SECONDS = 0.2
GIT_TIMEOUT_SECONDS = 30
FULL_HASH = re.compile(r"[0-9a-f]{40}")
SCP_FORM = re.compile(r"(?P<user>[^@/]+@)?(?P<host>[^:/]+):(?P<path>(?!//).+)")


@dataclass(frozen=True)
class Resolved:
    """A commit (or a digest), and Flux's names of the revision: `main@sha1:<hex>`, and before Flux 2 `main/<hex>`."""

    commit: str
    name: str
    algorithm: str = "sha1"

    @property
    def revision(self) -> str:
        fixed = f"{self.algorithm}:{self.commit}"
        return f"{self.name}@{fixed}" if self.name else fixed

    @property
    def legacy_revision(self) -> str:
        return f"{self.name}/{self.commit}" if self.name else self.commit


class SourceError(Exception):
    """The source cannot be fetched; the text is Flux's."""


class ManifestError(Exception):
    """A commit's manifests cannot be built; `reason` is Flux's reason and the text its message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def repository_key(url: str) -> str:
    """One key for the forms of a repository's URL: scheme, user, port 443/22, `.git` and case do not count.

    >>> repository_key("git@git.example:Org/repo.git") == repository_key("https://git.example/org/repo")
    True
    """
    if "://" not in url:
        match = SCP_FORM.fullmatch(url)
        host, path = (match["host"], match["path"]) if match else ("", url)
    else:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
        if parts.port not in (None, 22, 80, 443):
            host = f"{host}:{parts.port}"
    return f"{host}/{unquote(path).strip('/').removesuffix('.git')}".lower()


class GitRepositories:
    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._heads: dict[Path, tuple[float, dict[str, str]]] = {}
        self._ancestry: dict[tuple[Path, str, str], bool] = {}
        self._manifests: dict[tuple[Path, str, str], ManifestError | None] = {}

    def register(self, url: str, path: Path) -> None:
        """Raises ValueError when there is no Git repository at `path`."""
        if _git(path, "rev-parse", "--git-dir").returncode != 0:
            raise ValueError(f"no Git repository at {path}")
        self._paths[repository_key(url)] = path

    async def resolve(self, url: str, reference: dict[str, str | None]) -> Resolved:
        """Follows Flux's precedence: commit, then tag, then branch. Raises SourceError."""
        path = self._paths.get(repository_key(url))
        if path is None:
            raise SourceError(_checkout_failure(f"unable to clone '{url}': repository not found"))
        heads = await self._heads_of(path)
        branch, commit, tag = (reference.get(name) or "" for name in ("branch", "commit", "tag"))
        if commit:
            await self._check_commit(path, url, heads, branch, commit)
            return Resolved(commit, branch)
        if reference.get("semver"):
            tag = _highest_tag(heads, str(reference["semver"]))
        full_name = f"refs/tags/{tag}" if tag else f"refs/heads/{branch}"
        return Resolved(_head(heads, url, full_name), tag or branch)

    async def check_manifests(self, url: str, commit: str, folder: str) -> None:
        """Raises ManifestError when the folder is not in the commit or holds YAML that does not parse."""
        path = self._paths[repository_key(url)]
        folder = folder.removeprefix("./").strip("/")
        key = (path, commit, folder)
        if key not in self._manifests:
            self._manifests[key] = await asyncio.to_thread(_manifest_error, path, commit, folder)
        error = self._manifests[key]
        if error is not None:
            raise error

    async def _heads_of(self, path: Path) -> dict[str, str]:
        read_at, heads = self._heads.get(path, (float("-inf"), {}))
        if time.monotonic() - read_at < HEADS_KEPT_SECONDS:
            return heads
        heads = await asyncio.to_thread(_read_heads, path)
        self._heads[path] = (time.monotonic(), heads)
        return heads

    async def _check_commit(self, path: Path, url: str, heads: dict[str, str], branch: str, commit: str) -> None:
        """Flux clones one branch and looks the commit up in it, so another branch's commit is not found."""
        head = _head(heads, url, f"refs/heads/{branch}")
        key = (path, commit, head)
        if key not in self._ancestry:
            self._ancestry[key] = await asyncio.to_thread(_is_ancestor, path, commit, head)
        if not self._ancestry[key]:
            raise SourceError(_checkout_failure(f"unable to resolve commit object for '{commit}': object not found"))


def _git(path: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-c", "safe.directory=*", "-C", str(path), *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=GIT_TIMEOUT_SECONDS)


def _read_heads(path: Path) -> dict[str, str]:
    """Branches and tags by full name; an annotated tag stands for the commit it points to."""
    lines = _git(path, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)").stdout.decode()
    heads = {}
    for line in lines.splitlines():
        name, direct, *peeled = line.split()
        heads[name] = peeled[0] if peeled else direct
    return heads


def _is_ancestor(path: Path, commit: str, head: str) -> bool:
    if not FULL_HASH.fullmatch(commit):
        return False
    return _git(path, "merge-base", "--is-ancestor", commit, head).returncode == 0


def _head(heads: dict[str, str], url: str, full_name: str) -> str:
    if full_name not in heads:
        raise SourceError(_checkout_failure(f"unable to clone '{url}': couldn't find remote ref \"{full_name}\""))
    return heads[full_name]


def _checkout_failure(reason: str) -> str:
    return f"failed to checkout and determine revision: {reason}"


def _highest_tag(heads: dict[str, str], constraint: str) -> str:
    tags = [name.removeprefix("refs/tags/") for name in heads if name.startswith("refs/tags/")]
    tag = highest(tags, constraint)
    if tag is None:
        raise SourceError(_checkout_failure(f"no match found for semver: {constraint}"))
    return tag


def _manifest_error(path: Path, commit: str, folder: str) -> ManifestError | None:
    archive = _git(path, "archive", "--format=tar", commit, *([folder] if folder else []))
    if archive.returncode != 0:
        stat = f"stat /tmp/kustomization-{commit[:9]}/{folder}: no such file or directory"
        return ManifestError("ArtifactFailed", f"kustomization path not found: {stat}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        for member in files:
            if member.isfile() and member.name.endswith((".yaml", ".yml")):
                error = _yaml_error((files.extractfile(member) or io.BytesIO()).read())
                if error:
                    where = f"/tmp/kustomization-{commit[:9]}/{member.name}"  # noqa: S108 -- Flux's text, not a file
                    text = f"failed to decode Kubernetes YAML from {where}: MalformedYAMLError: {error}"
                    return ManifestError("BuildFailed", text)
    return None


def _yaml_error(content: bytes) -> str | None:
    try:
        for _event in yaml.parse(content, Loader=yaml.CSafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return f"yaml: line {line}: {error.problem}"
    except yaml.YAMLError as error:
        return f"yaml: {error}"
    return None
