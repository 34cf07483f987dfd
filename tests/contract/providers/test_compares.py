"""What a push touched, asked of real servers over TLS that answer as each Git host documents."""

import base64
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from local import tls
from shared.domain.comparisons import Comparison
from shared.domain.errors import Rejected, Throttled, Unavailable, Upstream
from shared.providers.compares import COMPARES, HostCompare
from shared.providers.http import OutboundHttp
from shared.receivers import SENDERS

OLD, NEW = "0a" * 20, "0b" * 20
SENT = "sent-in-a-header"


@dataclass
class Host:
    """Answers as told, the last answer again and again, and keeps what it was asked."""

    origin: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pages: list[Any] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        page = self.pages[min(len(self.asked), len(self.pages)) - 1]
        if isinstance(page, bytes):
            return web.Response(body=page, status=self.status, headers=self.headers)
        return web.json_response(page, status=self.status, headers=self.headers)


@pytest.fixture(scope="module")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.create(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def host(tls_files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_files.authority))
    host = Host()
    app = web.Application()
    app.router.add_get("/{path:.*}", host.answer)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls_files.certificate, tls_files.key)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        host.origin = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield host
    finally:
        await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[OutboundHttp]:
    http = OutboundHttp(timeout_seconds=5)
    yield http
    await http.close()


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@dataclass(frozen=True)
class Case:
    """One type of host: what is asked, what it answers with, and what that means."""

    kind: str
    repository: str
    path: str  #: with its query, as it must be asked
    pages: list[Any]
    paths: frozenset[str]
    authorization: tuple[str, str]
    token: str = SENT


GITHUB = {
    "status": "ahead",
    "ahead_by": 2,
    "behind_by": 0,
    "total_commits": 2,
    "commits": [],
    "files": [
        {"sha": "1", "filename": "clusters/edge/a.yaml", "status": "modified", "patch": "@@ -1 +1 @@"},
        {"sha": "2", "filename": "clusters/new.yaml", "status": "renamed", "previous_filename": "clusters/old.yaml"},
    ],
}
GITLAB = {
    "commit": {"id": NEW},
    "commits": [],
    "diffs": [
        {"old_path": "clusters/old.yaml", "new_path": "clusters/new.yaml", "renamed_file": True, "diff": ""},
        {"old_path": "docs/a.md", "new_path": "docs/a.md", "deleted_file": True, "diff": "@@"},
    ],
    "compare_timeout": False,
    "compare_same_ref": False,
}
DIFFSTAT = {"type": "diffstat", "status": "modified", "lines_added": 1, "lines_removed": 2}
CLOUD = [
    {
        "pagelen": 500,
        "page": 1,
        "next": "https://elsewhere.example/2.0/next",
        "values": [DIFFSTAT | {"old": {"path": "clusters/old.yaml"}, "new": {"path": "clusters/new.yaml"}}],
    },
    {"pagelen": 500, "page": 2, "values": [DIFFSTAT | {"status": "added", "old": None, "new": {"path": "docs/a.md"}}]},
]
DATA_CENTER = {
    "fromHash": OLD,
    "toHash": NEW,
    "values": [
        {"path": {"components": ["docs", "a.md"], "toString": "docs/a.md"}, "type": "MODIFY"},
        {"path": {"toString": "clusters/new.yaml"}, "srcPath": {"toString": "clusters/old.yaml"}, "type": "MOVE"},
    ],
    "size": 2,
    "isLastPage": True,
    "start": 0,
    "limit": 1000,
}
DEVOPS = {
    "allChangesIncluded": True,
    "changeCounts": {"Edit": 1, "Rename": 1},
    "changes": [
        {"item": {"gitObjectType": "tree", "path": "/clusters", "isFolder": True}, "changeType": "edit"},
        {"item": {"gitObjectType": "blob", "path": "/clusters/new.yaml"}, "changeType": "rename", "sourceServerItem": "/clusters/old.yaml"},
    ],
    "commonCommit": OLD,
    "baseCommit": OLD,
    "targetCommit": NEW,
}
GITEA = {
    "total_commits": 2,
    "commits": [
        {"sha": NEW, "parents": [{"sha": "0c" * 20}], "files": [{"filename": "clusters/a.yaml", "status": "modified"}]},
        {"sha": "0c" * 20, "parents": [{"sha": OLD}], "files": [{"filename": "docs/a.md", "status": "added"}]},
    ],
}
CASES = [
    Case(
        "github",
        "github.com/contoso/platform",
        f"/repos/contoso/platform/compare/{OLD}...{NEW}?per_page=1&page=1",
        [GITHUB],
        frozenset({"clusters/edge/a.yaml", "clusters/new.yaml", "clusters/old.yaml"}),
        ("Authorization", f"Bearer {SENT}"),
    ),
    Case(
        "gitlab",
        "gitlab.com/contoso/edge/platform",
        f"/projects/contoso%2Fedge%2Fplatform/repository/compare?from={OLD}&to={NEW}&straight=true",
        [GITLAB],
        frozenset({"clusters/old.yaml", "clusters/new.yaml", "docs/a.md"}),
        ("PRIVATE-TOKEN", SENT),
    ),
    Case(
        "bitbucket-cloud",
        "bitbucket.org/contoso/platform",
        f"/repositories/contoso/platform/diffstat/{NEW}..{OLD}?topic=false&pagelen=500&page=1",
        CLOUD,
        frozenset({"clusters/old.yaml", "clusters/new.yaml", "docs/a.md"}),
        ("Authorization", f"Bearer {SENT}"),
    ),
    Case(
        "bitbucket-cloud",
        "bitbucket.org/contoso/platform",
        f"/repositories/contoso/platform/diffstat/{NEW}..{OLD}?topic=false&pagelen=500&page=1",
        CLOUD[1:],
        frozenset({"docs/a.md"}),
        ("Authorization", basic("robot@contoso.example:api-token")),
        token="robot@contoso.example:api-token",
    ),
    *(
        Case(
            "bitbucket-data-center",
            repository,
            f"/projects/{project}/repos/platform/changes?since={OLD}&until={NEW}&limit=1000",
            [DATA_CENTER],
            frozenset({"docs/a.md", "clusters/new.yaml", "clusters/old.yaml"}),
            ("Authorization", f"Bearer {SENT}"),
        )
        for repository, project in (
            ("bitbucket.contoso.example/scm/edge/platform", "edge"),
            ("bitbucket.contoso.example/edge/platform", "edge"),
            ("bitbucket.contoso.example/scm/~robot/platform", "~robot"),
        )
    ),
    Case(
        "azure-devops",
        "dev.azure.com/contoso/edge shops/_git/platform",
        "/contoso/edge%20shops/_apis/git/repositories/platform/diffs/commits?api-version=7.1&diffCommonCommit=false&$top=2000"
        f"&baseVersion={OLD}&baseVersionType=commit&targetVersion={NEW}&targetVersionType=commit",
        [DEVOPS],
        frozenset({"clusters", "clusters/new.yaml", "clusters/old.yaml"}),
        ("Authorization", basic(f":{SENT}")),
    ),
    *(
        Case(
            kind,
            "git.contoso.example/contoso/platform",
            f"/repos/contoso/platform/compare/{OLD}...{NEW}",
            [GITEA],
            frozenset({"clusters/a.yaml", "docs/a.md"}),
            ("Authorization", f"token {SENT}"),
        )
        for kind in ("gitea", "forgejo")
    ),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.repository}")


async def ask(host: Host, http: OutboundHttp, case: Case, **fields: str) -> frozenset[str] | None:
    values = {"repository": case.repository, "before": OLD, "after": NEW, "api": f"{host.origin}/api", "token": case.token}
    return await HostCompare(http).paths(case.kind, Comparison(**values | fields))


@every_case
async def test_a_host_is_asked_as_it_documents_and_tells_what_differs(case: Case, host: Host, http: OutboundHttp) -> None:
    host.pages = case.pages
    assert await ask(host, http, case) == case.paths
    first = host.asked[0]
    name, value = case.authorization
    assert first.raw_path.removesuffix("?").replace("%24top", "$top") == f"/api{case.path}"
    assert first.headers[name] == value
    assert SENT not in first.raw_path
    assert len(host.asked) == len(case.pages)


@every_case
async def test_without_a_token_nothing_is_sent_in_its_place(case: Case, host: Host, http: OutboundHttp) -> None:
    host.pages = case.pages
    assert await ask(host, http, case, token="") == case.paths
    assert not {"Authorization", "PRIVATE-TOKEN"} & set(host.asked[0].headers)


A_FILE = {"filename": "a"}
CUT = [
    ("github", GITHUB | {"files": [A_FILE] * 300}),
    ("github", GITHUB | {"status": "diverged"}),
    ("github", GITHUB | {"status": "behind", "files": []}),
    ("gitlab", GITLAB | {"compare_timeout": True}),
    ("bitbucket-cloud", CLOUD[0]),
    ("bitbucket-data-center", DATA_CENTER | {"isLastPage": False, "nextPageStart": 1000}),
    ("bitbucket-data-center", DATA_CENTER | {"limit": 2}),
    ("azure-devops", DEVOPS | {"allChangesIncluded": False}),
    ("azure-devops", {"changes": []}),
    ("gitea", GITEA | {"total_commits": 3}),
    ("gitea", GITEA | {"commits": GITEA["commits"][:1], "total_commits": 1}),  # type: ignore[index]
    ("gitea", {"total_commits": 0, "commits": None}),
    ("gitea", {"total_commits": 1, "commits": [{"parents": [{"sha": OLD}]}]}),
]


@pytest.mark.parametrize(("kind", "page"), CUT)
async def test_a_list_that_may_be_cut_or_a_history_that_was_rewritten_is_unknown(
    kind: str, page: Any, host: Host, http: OutboundHttp
) -> None:
    host.pages = [page]
    case = next(case for case in CASES if case.kind == kind)
    assert await ask(host, http, case) is None
    assert len(host.asked) <= 6


@every_case
@pytest.mark.parametrize(
    ("status", "page", "error"),
    [
        (401, {}, Rejected),
        (403, {}, Rejected),
        (404, {"message": "Not Found"}, Rejected),
        (302, {}, Rejected),
        (429, {}, Throttled),
        (503, {}, Unavailable),
        (200, b"", Rejected),
        (200, b"\xff", Rejected),
        (200, b"[" * 100_000, Rejected),
        (200, {"files": 1}, Rejected),
        (200, b" " * (8 * 1024 * 1024 + 1), Rejected),
    ],
    ids=["401", "403", "404", "redirect", "429", "503", "empty", "no text", "deep", "another shape", "endless"],
)
async def test_what_is_no_answer_is_an_error(
    case: Case, status: int, page: Any, error: type[Upstream], host: Host, http: OutboundHttp
) -> None:
    host.status, host.pages, host.headers = status, [page], {"Location": "https://elsewhere.example/"} if status == 302 else {}
    with pytest.raises(error) as raised:
        await ask(host, http, case)
    assert SENT not in str(raised.value)
    assert len(host.asked) == 1


@every_case
@pytest.mark.parametrize("path", ["..", "../..", "contoso/..", "a/b/c/d/e/..", "one", "contoso/../../admin"])
async def test_no_path_leads_elsewhere_on_the_host(case: Case, path: str, host: Host, http: OutboundHttp) -> None:
    host.pages = [{}]
    with pytest.raises(Rejected):
        await ask(host, http, case, repository=f"host.example/{path}")
    assert all(request.raw_path.startswith("/api/projects/one/") for request in host.asked)


def test_what_sluice_yaml_may_ask_for_is_what_there_is() -> None:
    assert set(COMPARES) == {name for name, sender in SENDERS.items() if "compare" in sender.options}
