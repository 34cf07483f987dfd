"""GitHub's push webhook for a commit that really is in a local repository.

Shape: https://docs.github.com/webhooks/webhook-events-and-payloads#push
"""

import hashlib
import hmac
import json
import uuid
from typing import Any

from local.stack.repository import BRANCH, URL, Repository

_ORGANISATION_ID = 9_919_001
_REPOSITORY_ID = 712_003_114
_SEPARATOR = "\x1f"
_SHOWN = _SEPARATOR.join(["%H", "%T", "%an", "%ae", "%aI", "%ct", "%B"])
_FILE_LISTS = {"A": "added", "D": "removed", "M": "modified"}


def payload(repository: Repository, before: str, after: str) -> dict[str, Any]:
    """The payload of pushing `before`..`after` to the branch."""
    commits = [_commit(repository, sha) for sha in repository.git("rev-list", "--reverse", f"{before}..{after}").split()]
    head = commits[-1]
    person = {"name": head["author"]["name"], "email": head["author"]["email"]}
    return {
        "ref": f"refs/heads/{BRANCH}",
        "before": before,
        "after": after,
        "repository": _repository(pushed_at=int(repository.git("show", "-s", "--format=%ct", after))),
        "pusher": person,
        "organization": _organisation(),
        "sender": _account("sluice-demo", 583_231, "User"),
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{URL}/compare/{before[:12]}...{after[:12]}",
        "commits": commits,
        "head_commit": head,
    }


def encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def signed_headers(body: bytes, secret: str, *, event: str, delivery: str | None = None) -> dict[str, str]:
    """GitHub's headers for these raw bytes; a new delivery id unless one is given.

    https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
    """
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "412345678",
        "X-GitHub-Hook-Installation-Target-ID": str(_REPOSITORY_ID),
        "X-GitHub-Hook-Installation-Target-Type": "repository",
        "X-Hub-Signature-256": f"sha256={signature}",
    }


def _commit(repository: Repository, sha: str) -> dict[str, Any]:
    shown = repository.git("show", "-s", f"--format={_SHOWN}", sha).split(_SEPARATOR)
    commit, tree, name, email, at, _, message = shown
    person = {"name": name, "email": email, "username": "sluice-demo"}
    return {
        "id": commit,
        "tree_id": tree,
        "distinct": True,
        "message": message.strip(),
        "timestamp": at,
        "url": f"{URL}/commit/{commit}",
        "author": person,
        "committer": person,
        **_changed_files(repository, sha),
    }


def _changed_files(repository: Repository, sha: str) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    listed = repository.git("diff-tree", "--no-commit-id", "--name-status", "--no-renames", "-r", "-z", "--root", sha)
    words = [word for word in listed.split("\0") if word]
    for status, path in zip(words[::2], words[1::2], strict=True):
        files[_FILE_LISTS.get(status, "modified")].append(path)  # T, a changed type, is a modification to GitHub
    return files


def _repository(pushed_at: int) -> dict[str, Any]:
    owner, name = URL.removeprefix("https://github.com/").split("/")
    api = f"https://api.github.com/repos/{owner}/{name}"
    return {
        "id": _REPOSITORY_ID,
        "node_id": "R_kgDOKnA0Kg",
        "name": name,
        "full_name": f"{owner}/{name}",
        "private": True,
        "owner": {**_account(owner, _ORGANISATION_ID, "Organization"), "name": owner, "email": None},
        "html_url": URL,
        "description": "What every cluster of Contoso's shops runs.",
        "fork": False,
        "url": URL,
        "commits_url": f"{api}/commits{{/sha}}",
        "compare_url": f"{api}/compare/{{base}}...{{head}}",
        "contents_url": f"{api}/contents/{{+path}}",
        "git_refs_url": f"{api}/git/refs{{/sha}}",
        "hooks_url": f"{api}/hooks",
        "statuses_url": f"{api}/statuses/{{sha}}",
        "created_at": 1_698_652_800,
        "updated_at": "2026-01-12T08:30:11Z",
        "pushed_at": pushed_at,
        "git_url": f"git://github.com/{owner}/{name}.git",
        "ssh_url": f"git@github.com:{owner}/{name}.git",
        "clone_url": f"{URL}.git",
        "svn_url": URL,
        "homepage": None,
        "size": 148,
        "language": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": 0,
        "forks_count": 0,
        "topics": ["flux", "gitops"],
        "visibility": "private",
        "default_branch": BRANCH,
        "master_branch": BRANCH,
        "organization": owner,
        "custom_properties": {},
    }


def _organisation() -> dict[str, Any]:
    login = URL.split("/")[-2]
    return {"login": login, "id": _ORGANISATION_ID, "url": f"https://api.github.com/orgs/{login}", "description": None}


def _account(login: str, number: int, kind: str) -> dict[str, Any]:
    return {
        "login": login,
        "id": number,
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "html_url": f"https://github.com/{login}",
        "url": f"https://api.github.com/users/{login}",
        "type": kind,
        "site_admin": False,
    }
