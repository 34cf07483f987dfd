"""The real Git repository that the fleet follows: made anew for each stack, changed by the demo."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

URL = "https://github.com/contoso/platform"
BRANCH = "main"
_AUTHOR = ("Sluice demo", "demo@example.com")

_KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
{resources}
"""

_NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
"""

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: till
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels: {{app: till}}
  template:
    metadata:
      labels: {{app: till}}
    spec:
      containers:
        - name: till
          image: contoso.azurecr.io/till:{version}
          resources:
            requests: {{cpu: 50m, memory: 64Mi}}
"""

_SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: till-settings
  namespace: shop
data:
  currency: EUR
"""


def deployment(version: str) -> str:
    """The manifest of the demo's one workload at an image version."""
    return _DEPLOYMENT.format(version=version)


def _kustomization(*resources: str) -> str:
    return _KUSTOMIZATION.format(resources="\n".join(f"  - {resource}" for resource in resources))


def _first_files() -> dict[str, str]:
    return {
        "README.md": "# platform\n\nWhat every cluster of Contoso's shops runs.\n",
        "clusters/base/kustomization.yaml": _kustomization("namespace.yaml", "till.yaml"),
        "clusters/base/namespace.yaml": _NAMESPACE,
        "clusters/base/till.yaml": deployment("1.0.0"),
        "clusters/canary/kustomization.yaml": _kustomization("../base", "settings.yaml"),
        "clusters/canary/settings.yaml": _SETTINGS,
        "clusters/prod/kustomization.yaml": _kustomization("../base", "settings.yaml"),
        "clusters/prod/settings.yaml": _SETTINGS,
    }


@dataclass(frozen=True)
class Repository:
    """A working tree on branch main. Nothing of the user's own Git settings has an effect on it."""

    path: Path

    def git(self, *arguments: str) -> str:
        """Runs git and returns what it prints. Raises CalledProcessError with git's own words."""
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, check=True, text=True, capture_output=True, env=_environment()).stdout.strip()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def commit(self, files: dict[str, str], message: str) -> str:
        """Writes `files` (path to text), commits them, and returns the commit."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--", *files)
        self.git("commit", "--quiet", "--message", message)
        return self.head()


def create(path: Path) -> Repository:
    """A new repository at `path`, in place of what was there, with kustomize folders and a first commit."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    repository = Repository(path)
    repository.git("init", "--quiet", "--initial-branch", BRANCH)
    repository.commit(_first_files(), "Add the till to every shop")
    return repository


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    name, email = _AUTHOR
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
