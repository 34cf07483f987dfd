"""Every Git host, asked over TLS by what its documentation promises."""

import time
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from git_hosts import (
    REVISION,
    BitbucketRepository,
    DataCenterRepository,
    DevOpsRepository,
    GiteaRepository,
    GitLabProject,
    Host,
    Serve,
    a_commit,
    a_saying,
    azure_devops,
    bitbucket_cloud,
    bitbucket_data_center,
)
from joserfc import jwt
from joserfc.jwk import RSAKey

from local.azure.github import PREFIX, GitHub
from local.azure.journal import Journal
from shared.config.git_hosts import GIT_HOSTS as CONFIGURABLE
from shared.domain.commits import Commit
from shared.domain.errors import Malformed, Rejected, Throttled, Unavailable, Upstream
from shared.ports import GitHost
from shared.providers.commit_status import GIT_HOSTS
from shared.providers.commit_status.api import ANSWER_LIMIT
from shared.providers.commit_status.credentials import as_identity, headers_for, with_token
from shared.providers.commit_status.github_app import AppTokens, sign
from shared.providers.http import OutboundHttp

TOKENS = {"github": "ghp_token", "bitbucket-cloud": "x-token-auth:secret", "bitbucket-data-center": "a-token"}
STATES = ("pending", "running", "succeeded", "failed", "cancelled")


async def a_token() -> str:
    return "a-token"


def connect(http: OutboundHttp, kind: str, address: str, token: str | None = None) -> GitHost:
    async def secret() -> str:
        return f"{token or TOKENS.get(kind, 'a-token')}\n"

    return GIT_HOSTS[kind](http, address, with_token(kind, secret))


def test_every_host_that_can_be_configured_is_there() -> None:
    assert list(GIT_HOSTS) == list(CONFIGURABLE)


class Hub:
    """GitHub as the local stack has it."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.github = GitHub(self.journal)
        self.app = web.Application()
        self.app.add_routes(self.github.routes())

    def kept(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.journal.messages if message["kind"] == kind]


class TestGitHub:
    @pytest.fixture
    def hub(self) -> Hub:
        return Hub()

    @pytest.fixture
    async def github(self, hub: Hub, serve: Serve, git_http: OutboundHttp) -> GitHost:
        return connect(git_http, "github", await serve(hub.app) + PREFIX)

    async def test_a_status_in_each_state(self, hub: Hub, github: GitHost) -> None:
        for state in STATES:
            assert await github.say(a_commit("github.com/contoso/platform"), a_saying(state), "") == ""
        kept = hub.kept("status")
        assert [one["body"]["state"] for one in kept] == ["pending", "pending", "success", "failure", "error"]
        assert kept[0]["sha"] == REVISION
        assert kept[0]["body"] == {
            "state": "pending",
            "target_url": "https://sluice.example/api/rollouts/r1",
            "description": "10 % of 10 clusters",
            "context": "sluice/platform/canary",
        }

    async def test_the_thousand_and_first_status_is_refused(self, hub: Hub, github: GitHost) -> None:
        hub.github._statuses[REVISION, "sluice/platform/canary"] = 1000
        with pytest.raises(Rejected) as refused:
            await github.say(a_commit("github.com/contoso/platform"), a_saying(), "")
        assert refused.value.code == "422"

    async def test_a_deployment_is_made_once_and_goes_through_its_states(self, hub: Hub, github: GitHost) -> None:
        commit, reference = a_commit("github.com/contoso/platform"), ""
        for state in STATES:
            reference = await github.say(commit, a_saying(state, kind="deployment"), reference)
        (made,) = hub.kept("deployment")
        assert reference == str(made["id"])
        assert (made["body"]["ref"], made["body"]["environment"], made["body"]["task"]) == (REVISION, "platform/canary", "sluice")
        told = hub.kept("deployment-status")
        assert [one["body"]["state"] for one in told] == ["queued", "in_progress", "success", "failure", "inactive"]
        assert told[0]["body"]["log_url"] == commit.link

    async def test_a_deployment_whose_number_was_lost_is_found(self, hub: Hub, github: GitHost) -> None:
        commit = a_commit("github.com/contoso/platform")
        number = await github.say(commit, a_saying(kind="deployment"), "")
        assert await github.say(commit, a_saying("succeeded", kind="deployment"), "") == number
        other = await github.say(commit, a_saying(kind="deployment", environment="platform/prod"), "")
        assert other != number
        assert len(hub.kept("deployment")) == 2

    async def test_a_comment_is_made_on_the_merged_pull_request_and_edited(self, hub: Hub, github: GitHost) -> None:
        commit = a_commit("github.com/contoso/platform")
        comment = a_saying(kind="comment", context="platform", environment="", text="first")
        assert await github.say(commit, comment, "") == ""
        hub.github._merged[REVISION] = 7
        first = await github.say(commit, comment, "")
        assert await github.say(commit, a_saying(kind="comment", text="second"), first) == first
        assert await github.say(commit, a_saying(kind="comment", text="third"), "") == first, "found by its marker"
        other = await github.say(a_commit("github.com/contoso/platform", key="key-2"), comment, "")
        assert other != first
        del hub.github._comments[int(first)]
        assert await github.say(commit, a_saying(kind="comment", text="fourth"), first) not in (first, other)
        texts = [(one["pull"], one["body"]["body"].splitlines()[0]) for one in hub.kept("comment")]
        assert texts == [(7, "first"), (7, "second"), (7, "third"), (7, "first"), (7, "fourth")]

    async def test_a_token_that_is_not_known_may_be_replaced(self, hub: Hub, serve: Serve, git_http: OutboundHttp) -> None:
        github = connect(git_http, "github", await serve(hub.app) + PREFIX, token="nonsense")
        with pytest.raises(Unavailable) as refused:
            await github.say(a_commit("github.com/contoso/platform"), a_saying(), "")
        assert refused.value.code == "401"

    async def test_a_server_below_a_path_has_its_repositories_there(self, serve: Serve, git_http: OutboundHttp) -> None:
        host = Host(lambda _: web.json_response({}, status=201))
        github = connect(git_http, "github", f"{await serve(host.app())}/hub/api/v3")
        await github.say(a_commit("hub.example/hub/contoso/platform"), a_saying(), "")
        assert host.last.path == f"/hub/api/v3/repos/contoso/platform/statuses/{REVISION}"


class TestHowHostsSayNo:
    """The same for all: GitHub stands for them."""

    @pytest.fixture
    def host(self) -> Host:
        return Host(lambda _: web.json_response({}, status=201))

    async def refusal(self, host: Host, serve: Serve, http: OutboundHttp, answer: web.Response, kind: type[Upstream]) -> Upstream:
        host.answers = [answer]
        github = connect(http, "github", await serve(host.app()))
        with pytest.raises(kind) as refused:
            await github.say(a_commit("github.com/contoso/platform"), a_saying(), "")
        assert "127.0.0.1" not in f"{refused.value!r}"
        return refused.value

    @pytest.mark.parametrize(
        ("status", "headers", "body", "seconds"),
        [
            (429, {"Retry-After": "17"}, "", 17),
            (429, {}, "", 60),
            (403, {"Retry-After": "17"}, "", 17),
            (403, {}, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", 60),
            (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "nonsense"}, "", 60),
            (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, "", 3600),
            (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, "", 1),
        ],
    )
    async def test_a_limit_is_respected(
        self, host: Host, serve: Serve, git_http: OutboundHttp, status: int, headers: dict[str, str], body: str, seconds: float
    ) -> None:
        answer = web.Response(status=status, headers=headers, text=body)
        assert (await self.refusal(host, serve, git_http, answer, Throttled)).retry_after == seconds

    async def test_the_moment_of_the_reset_is_waited_for(self, host: Host, serve: Serve, git_http: OutboundHttp) -> None:
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 300)}
        wait = (await self.refusal(host, serve, git_http, web.Response(status=403, headers=headers), Throttled)).retry_after
        assert wait is not None
        assert 200 < wait <= 300

    @pytest.mark.parametrize("status", [203, 302, 401, 408, 500, 502, 503])
    async def test_what_may_work_later_is_tried_again(self, host: Host, serve: Serve, git_http: OutboundHttp, status: int) -> None:
        await self.refusal(host, serve, git_http, web.Response(status=status), Unavailable)

    @pytest.mark.parametrize("status", [301, 400, 403, 404, 409, 410, 422])
    async def test_what_never_will_is_refused(self, host: Host, serve: Serve, git_http: OutboundHttp, status: int) -> None:
        assert (await self.refusal(host, serve, git_http, web.Response(status=status), Rejected)).code == str(status)

    async def test_an_answer_without_end_is_not_read(self, host: Host, serve: Serve, git_http: OutboundHttp) -> None:
        answer = web.Response(body=bytes(ANSWER_LIMIT + 1))
        assert (await self.refusal(host, serve, git_http, answer, Rejected)).code == "AnswerTooLong"

    async def test_an_answer_of_something_else_is_no_answer(self, host: Host, serve: Serve, git_http: OutboundHttp) -> None:
        host.answers = [web.Response(text="<html>")]
        github = connect(git_http, "github", await serve(host.app()))
        with pytest.raises(Unavailable):
            await github.say(a_commit("github.com/contoso/platform"), a_saying(kind="deployment"), "")

    @pytest.mark.parametrize("kind", GIT_HOSTS)
    async def test_a_source_that_is_no_repository_there_is_refused(self, git_http: OutboundHttp, kind: str) -> None:
        with pytest.raises(Rejected) as refused:
            await connect(git_http, kind, "https://127.0.0.1:1").say(a_commit("git.example/platform"), a_saying(), "")
        assert refused.value.code == "NotARepository"

    @pytest.mark.parametrize("kind", [kind for kind, able in CONFIGURABLE.items() if not able.has_deployments])
    async def test_what_a_host_does_not_have_is_refused(self, git_http: OutboundHttp, kind: str) -> None:
        host = connect(git_http, kind, "https://127.0.0.1:1")
        url = "git.example/contoso/edge/_git/platform" if kind == "azure-devops" else "git.example/contoso/platform"
        with pytest.raises(Rejected) as refused:
            await host.say(a_commit(url), a_saying(kind="deployment"), "")
        assert refused.value.code == "NotSupported"


class TestGitLab:
    COMMIT = a_commit("gitlab.example/contoso/edge/platform")

    @pytest.fixture
    def project(self) -> GitLabProject:
        return GitLabProject()

    @pytest.fixture
    def host(self, project: GitLabProject) -> Host:
        return Host(project.respond)

    @pytest.fixture
    async def gitlab(self, host: Host, serve: Serve, git_http: OutboundHttp) -> GitHost:
        return connect(git_http, "gitlab", f"{await serve(host.app())}/api/v4")

    async def test_a_stage_goes_through_its_states_and_may_run_again(self, gitlab: GitHost, project: GitLabProject, host: Host) -> None:
        seen = []
        for state in ("pending", "running", "running", "failed", "running", "succeeded", "cancelled"):
            await gitlab.say(self.COMMIT, a_saying(state), "")
            seen.append(project.states["sluice/platform/canary"])
        assert seen == ["pending", "running", "running", "failed", "running", "success", "canceled"]
        assert host.calls[0].body == {
            "state": "pending",
            "name": "sluice/platform/canary",
            "target_url": self.COMMIT.link,
            "description": "10 % of 10 clusters",
            "ref": "main",
        }

    async def test_a_tag_is_not_told_as_a_branch(self, gitlab: GitHost, host: Host) -> None:
        await gitlab.say(a_commit(self.COMMIT.url, ref="refs/tags/v1"), a_saying(), "")
        assert "ref" not in host.last.body

    async def test_other_mistakes_are_refused_and_conflicts_tried_again(self, gitlab: GitHost, host: Host) -> None:
        for status, kind in ((400, Rejected), (409, Unavailable)):
            host.answers = [web.json_response({"message": "no"}, status=status)]
            with pytest.raises(kind) as refused:
                await gitlab.say(self.COMMIT, a_saying(), "")
            assert refused.value.code == str(status)

    async def test_a_deployment_goes_through_its_states_and_a_new_one_runs_again(self, gitlab: GitHost, project: GitLabProject) -> None:
        reference, seen = "", []
        for state in ("pending", "running", "succeeded", "failed", "running", "cancelled"):
            reference = await gitlab.say(self.COMMIT, a_saying(state, kind="deployment"), reference)
            seen.append((reference, project.deployments[-1]["status"]))
        assert seen == [("1", "created"), ("1", "running"), ("1", "success"), ("1", "failed"), ("2", "running"), ("2", "canceled")]
        assert project.deployments[0]["environment"] == "platform/canary"
        assert (project.deployments[0]["ref"], project.deployments[0]["tag"]) == ("main", False)

    async def test_a_deployment_whose_number_was_lost_is_found(self, gitlab: GitHost, project: GitLabProject) -> None:
        first = await gitlab.say(self.COMMIT, a_saying(kind="deployment"), "")
        assert await gitlab.say(self.COMMIT, a_saying("succeeded", kind="deployment"), "") == first
        other = a_commit(self.COMMIT.url, revision="2e" * 20, ref="refs/tags/v1")
        assert await gitlab.say(other, a_saying(kind="deployment"), "") == "2"
        assert (project.deployments[1]["ref"], project.deployments[1]["tag"]) == ("v1", True)
        assert await gitlab.say(other, a_saying("failed", kind="deployment"), "9") == "3", "one that was deleted is made anew"

    async def test_a_note_is_made_on_the_merged_request_and_edited(self, gitlab: GitHost, project: GitLabProject) -> None:
        first = await gitlab.say(self.COMMIT, a_saying(kind="comment", text="first"), "")
        assert first == "7/1"
        assert await gitlab.say(self.COMMIT, a_saying(kind="comment", text="second"), first) == first
        assert await gitlab.say(self.COMMIT, a_saying(kind="comment", text="third"), "") == first
        assert [note.splitlines()[0] for note in project.notes.values()] == ["third"]
        project.notes.clear()
        assert await gitlab.say(self.COMMIT, a_saying(kind="comment", text="fourth"), "7/9") == "7/1"

    async def test_a_commit_that_came_without_a_merge_request_has_no_note(self, gitlab: GitHost, project: GitLabProject) -> None:
        project.merge_requests.pop()
        assert await gitlab.say(self.COMMIT, a_saying(kind="comment"), "") == ""
        assert project.notes == {}


class TestGitea:
    COMMIT = a_commit("git.example/contoso/platform")

    @pytest.fixture
    def repository(self) -> GiteaRepository:
        return GiteaRepository()

    @pytest.fixture
    async def gitea(self, repository: GiteaRepository, serve: Serve, git_http: OutboundHttp) -> GitHost:
        return connect(git_http, "gitea", f"{await serve(Host(repository.respond).app())}/api/v1/")

    async def test_a_status_in_each_state(self, gitea: GitHost, repository: GiteaRepository) -> None:
        for state in STATES:
            await gitea.say(self.COMMIT, a_saying(state), "")
        assert [one["state"] for one in repository.states] == ["pending", "pending", "success", "failure", "error"]

    async def test_a_comment_is_made_and_edited(self, gitea: GitHost, repository: GiteaRepository) -> None:
        first = await gitea.say(self.COMMIT, a_saying(kind="comment", text="first"), "")
        assert await gitea.say(self.COMMIT, a_saying(kind="comment", text="second"), first) == first == "1"
        assert repository.comments[1].startswith("second\n")

    @pytest.mark.parametrize("pull", [None, {"number": 5, "merged": False}])
    async def test_without_a_merged_pull_request_there_is_nothing_to_comment_on(
        self, gitea: GitHost, repository: GiteaRepository, pull: dict[str, Any] | None
    ) -> None:
        repository.pull = pull
        assert await gitea.say(self.COMMIT, a_saying(kind="comment"), "") == ""
        assert repository.comments == {}


async def test_bitbucket_cloud_takes_a_build_status(serve: Serve, git_http: OutboundHttp) -> None:
    host = Host(bitbucket_cloud)
    bitbucket = connect(git_http, "bitbucket-cloud", await serve(host.app()))
    long = a_saying(context=f"sluice/{'r' * 63}/{'s' * 63}")
    for state in STATES:
        await bitbucket.say(a_commit("bitbucket.org/contoso/platform"), a_saying(state, context=long.context), "")
    assert [call.body["state"] for call in host.calls] == ["INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"]
    assert {call.path for call in host.calls} == {f"/2.0/repositories/contoso/platform/commit/{REVISION}/statuses/build"}
    assert len({call.body["key"] for call in host.calls}) == 1
    assert (host.last.body["name"], host.last.body["refname"]) == (long.context, "main")
    await bitbucket.say(a_commit("bitbucket.org/contoso/platform", ref="refs/tags/v1"), a_saying(), "")
    assert "refname" not in host.last.body


@pytest.mark.parametrize("url", ["git.example/scm/edge/platform", "git.example/edge/platform"])
async def test_bitbucket_data_center_takes_a_build(serve: Serve, git_http: OutboundHttp, url: str) -> None:
    host = Host(bitbucket_data_center)
    bitbucket = connect(git_http, "bitbucket-data-center", await serve(host.app()))
    for state in STATES:
        await bitbucket.say(a_commit(url), a_saying(state), "")
    assert [call.body["state"] for call in host.calls] == ["INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED"]
    assert {call.path for call in host.calls} == {f"/rest/api/latest/projects/edge/repos/platform/commits/{REVISION}/builds"}
    assert host.last.body["ref"] == "refs/heads/main"


class TestAzureDevOps:
    COMMIT = a_commit("dev.azure.com/contoso/edge one/_git/platform")

    async def test_a_status_in_each_state(self, serve: Serve, git_http: OutboundHttp) -> None:
        host = Host(azure_devops)
        devops = connect(git_http, "azure-devops", await serve(host.app()))
        for state in STATES:
            await devops.say(self.COMMIT, a_saying(state), "")
        assert [call.body["state"] for call in host.calls] == ["pending", "pending", "succeeded", "failed", "notApplicable"]
        assert host.last.path == (f"/contoso/edge%20one/_apis/git/repositories/platform/commits/{REVISION}/statuses?api-version=7.1")
        assert host.last.body["context"] == {"genre": "sluice", "name": "platform/canary"}

    async def test_the_app_s_own_identity_is_enough(self, serve: Serve, git_http: OutboundHttp) -> None:
        async def entra() -> str:
            return "an-entra-token"

        host = Host(azure_devops)
        await GIT_HOSTS["azure-devops"](git_http, await serve(host.app()), as_identity(entra)).say(self.COMMIT, a_saying(), "")
        assert len(host.calls) == 1

    async def test_the_page_to_sign_in_is_no_success(self, serve: Serve, git_http: OutboundHttp) -> None:
        devops = connect(git_http, "azure-devops", await serve(Host(azure_devops).app()), token="expired")
        with pytest.raises(Unavailable) as refused:
            await devops.say(self.COMMIT, a_saying(), "")
        assert refused.value.code == "401"


class TestCommentsOnTheMergedPullRequest:
    """The same on Bitbucket and Azure DevOps, each by its own calls."""

    HOSTS = {
        "bitbucket-cloud": (BitbucketRepository, "bitbucket.org/contoso/platform", ""),
        "bitbucket-data-center": (DataCenterRepository, "git.example/scm/edge/platform", ""),
        "azure-devops": (DevOpsRepository, "dev.azure.com/contoso/edge/_git/platform", "a-token"),
    }

    @pytest.fixture(params=HOSTS)
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def repository(self, kind: str) -> Any:
        return self.HOSTS[kind][0]()

    @pytest.fixture
    async def host(self, kind: str, repository: Any, serve: Serve, git_http: OutboundHttp) -> GitHost:
        return connect(git_http, kind, await serve(Host(repository.respond).app()), self.HOSTS[kind][2] or None)

    def commit(self, kind: str, **fields: Any) -> Commit:
        return a_commit(self.HOSTS[kind][1], **fields)

    async def test_one_is_made_and_edited(self, host: GitHost, kind: str, repository: Any) -> None:
        first = await host.say(self.commit(kind), a_saying(kind="comment", text="first"), "")
        assert first == "7/1"
        assert await host.say(self.commit(kind), a_saying(kind="comment", text="second"), first) == first
        assert [text.splitlines()[0] for text in repository.texts] == ["second"]

    async def test_one_whose_number_was_lost_is_found_and_nobody_elses_is_taken(self, host: GitHost, kind: str, repository: Any) -> None:
        other = await host.say(self.commit(kind, key="key-2"), a_saying(kind="comment", text="other"), "")
        first = await host.say(self.commit(kind), a_saying(kind="comment", text="first"), "")
        assert await host.say(self.commit(kind), a_saying(kind="comment", text="second"), "") == first != other
        assert [text.splitlines()[0] for text in repository.texts] == ["other", "second"]

    async def test_one_that_somebody_has_deleted_is_made_anew(self, host: GitHost, kind: str, repository: Any) -> None:
        first = await host.say(self.commit(kind), a_saying(kind="comment", text="first"), "")
        repository.delete(1)
        assert await host.say(self.commit(kind), a_saying(kind="comment", text="second"), first) == "7/2"

    async def test_without_a_merged_pull_request_there_is_nothing_to_comment_on(self, host: GitHost, kind: str, repository: Any) -> None:
        repository.is_merged = False
        assert await host.say(self.commit(kind), a_saying(kind="comment"), "") == ""
        assert repository.texts == []


async def test_bitbucket_cloud_is_asked_again_while_it_looks_for_the_pull_request(serve: Serve, git_http: OutboundHttp) -> None:
    repository = BitbucketRepository()
    host = Host(repository.respond, answers=[web.json_response({}, status=202), web.json_response({}, status=404)])
    bitbucket = connect(git_http, "bitbucket-cloud", await serve(host.app()))
    with pytest.raises(Unavailable) as refused:
        await bitbucket.say(a_commit("bitbucket.org/contoso/platform"), a_saying(kind="comment"), "")
    assert refused.value.code == "Indexing"
    assert await bitbucket.say(a_commit("bitbucket.org/contoso/platform"), a_saying(kind="comment"), "") == "", "without its app"


async def test_data_center_s_comment_that_changes_meanwhile_is_edited_later(serve: Serve, git_http: OutboundHttp) -> None:
    repository = DataCenterRepository()
    bitbucket = connect(git_http, "bitbucket-data-center", await serve(Host(repository.respond).app()))
    commit = a_commit("git.example/scm/edge/platform")
    first = await bitbucket.say(commit, a_saying(kind="comment", text="first"), "")
    repository.is_racing = True
    with pytest.raises(Unavailable) as refused:
        await bitbucket.say(commit, a_saying(kind="comment", text="second"), first)
    assert refused.value.code == "409"


@pytest.mark.parametrize(
    ("kind", "token", "header", "value"),
    [
        ("github", "t", "Authorization", "Bearer t"),
        ("gitlab", "t", "PRIVATE-TOKEN", "t"),
        ("gitea", "t", "Authorization", "token t"),
        ("azure-devops", "t", "Authorization", "Basic OnQ="),
        ("bitbucket-cloud", "t", "Authorization", "Bearer t"),
        ("bitbucket-cloud", "zoe:t", "Authorization", "Basic em9lOnQ="),
        ("bitbucket-data-center", "zoe:t", "Authorization", "Basic em9lOnQ="),
    ],
)
def test_a_token_goes_where_its_host_wants_it(kind: str, token: str, header: str, value: str) -> None:
    assert headers_for(kind, token) == {header: value}


@pytest.fixture(scope="module")
def pem() -> str:
    """The private key of a GitHub App, as GitHub makes it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


class TestApp:
    """A GitHub App asks for a token of its installation."""

    def tokens(self, http: OutboundHttp, address: str, pem: str, clock: list[float]) -> AppTokens:
        async def key() -> str:
            return pem

        return AppTokens(http, address, "Iv1.abc", 42, key, lambda: clock[0])

    async def test_it_is_made_with_a_signed_claim_and_kept_while_it_serves(self, serve: Serve, git_http: OutboundHttp, pem: str) -> None:
        def respond(_: object) -> web.Response:
            return web.json_response({"token": f"ghs_{len(host.calls)}", "expires_at": "2026-11-23T13:00:00Z"}, status=201)

        host = Host(respond)
        clock = [1795435200.0]  # 2026-11-23T12:00:00Z
        tokens = self.tokens(git_http, await serve(host.app()), pem, clock)
        assert await tokens() == await tokens() == {"Authorization": "Bearer ghs_1"}
        assert (host.last.method, host.last.path) == ("POST", "/app/installations/42/access_tokens")
        signed = jwt.decode(host.last.headers["Authorization"].removeprefix("Bearer "), RSAKey.import_key(pem), algorithms=["RS256"])
        assert signed.claims == {"iat": int(clock[0]) - 60, "exp": int(clock[0]) + 540, "iss": "Iv1.abc"}
        clock[0] += 54 * 60
        assert await tokens() == {"Authorization": "Bearer ghs_1"}
        clock[0] += 2 * 60
        assert await tokens() == {"Authorization": "Bearer ghs_2"}

    async def test_an_installation_that_is_gone_may_come_back(self, serve: Serve, git_http: OutboundHttp, pem: str) -> None:
        host = Host(lambda _: web.json_response({"message": "Not Found"}, status=404))
        with pytest.raises(Unavailable) as refused:
            await self.tokens(git_http, await serve(host.app()), pem, [0.0])()
        assert refused.value.code == "App404"

    @pytest.mark.parametrize("key", ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"])
    def test_what_is_no_key_is_named_and_not_repeated(self, key: str) -> None:
        with pytest.raises(Malformed, match="no RSA key in PEM") as refused:
            sign({}, key)
        assert refused.value.__suppress_context__
