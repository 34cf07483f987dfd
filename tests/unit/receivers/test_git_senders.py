"""What is particular to each Git host: how it proves itself, what its lists leave out, and what it must not be mistaken for."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from builders import sha
from proofs import BASIC_SECRET, SECRET, SIGNING_SECRET, an_inbound, basic, digest, secret_of, standard_webhooks
from recorded import DELIVERIES, Delivery

from shared.domain.changes import Change
from shared.domain.errors import Refused
from shared.receivers import SENDERS
from shared.receivers.inbound import Received


def recorded(name: str) -> Delivery:
    return next(delivery for delivery in DELIVERIES if delivery.name == name)


def altered(delivery: Delivery, **fields: Any) -> bytes:
    """Its body with other values; `a__b` is a field of a field."""
    body = json.loads(delivery.body)
    for path, value in fields.items():
        *folders, last = path.split("__")
        place = body
        for folder in folders:
            place = place[folder]
        place[last] = value
    return json.dumps(body).encode()


def receive(sender: str, headers: Mapping[str, str], body: bytes, *secrets: str, proven: bool = True, **options: str) -> Received:
    return SENDERS[sender].receive(an_inbound(sender, headers, body, proven=proven, **options), secrets or [secret_of(sender)])


def change_of(name: str, **fields: Any) -> Change:
    delivery = recorded(name)
    return receive(delivery.sender, delivery.headers, altered(delivery, **fields), **delivery.options).changes[0]


def refusal(sender: str, headers: Mapping[str, str], body: bytes, *secrets: str, proven: bool = False, **options: str) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        receive(sender, headers, body, *secrets, proven=proven, **options)
    return refused.value.status, refused.value.reason.partition(":")[0]


# GitLab

GITLAB = recorded("gitlab/push/branch-updated")


def test_gitlab_signs_with_its_signing_token() -> None:
    headers = GITLAB.headers | standard_webhooks(GITLAB.body, {"webhook-id": GITLAB.headers["Idempotency-Key"]})
    received = receive("gitlab", headers, GITLAB.body, SIGNING_SECRET, proven=False)
    assert (received.delivery, len(received.changes)) == (GITLAB.headers["Idempotency-Key"], 1)


@pytest.mark.parametrize("secrets", [(SIGNING_SECRET, SECRET), (SECRET, SIGNING_SECRET)])
def test_gitlab_may_go_over_from_the_token_to_signatures(secrets: tuple[str, str]) -> None:
    signed = GITLAB.headers | standard_webhooks(GITLAB.body, {})
    assert receive("gitlab", signed, GITLAB.body, *secrets, proven=False).changes
    assert receive("gitlab", GITLAB.headers, GITLAB.body, *secrets).changes


@pytest.mark.parametrize("signature", ["", "v1,", "v1,AAAA", "v1a,AAAA"])
def test_gitlab_s_token_does_not_make_up_for_a_wrong_signature(signature: str) -> None:
    headers = GITLAB.headers | standard_webhooks(GITLAB.body, {}) | {"webhook-signature": signature, "X-Gitlab-Token": SECRET}
    assert refusal("gitlab", headers, GITLAB.body, SECRET, SIGNING_SECRET)[0] == 401
    assert refusal("gitlab", headers, GITLAB.body, SECRET)[0] == 401


def test_gitlab_before_17_4_has_no_delivery_id_and_a_retry_repeats_the_body() -> None:
    headers = {name: value for name, value in GITLAB.headers.items() if name != "Idempotency-Key"}
    first, again = (receive("gitlab", headers, GITLAB.body).delivery for _ in range(2))
    assert first == again != receive("gitlab", headers, altered(GITLAB, after=sha(7))).delivery


def test_gitlab_lists_files_unless_it_does_not() -> None:
    (commit,) = json.loads(recorded("gitlab/push/image-automation").body)["commits"]
    assert change_of("gitlab/push/image-automation").paths == ("clusters/prod/app.yaml",)
    assert change_of("gitlab/push/image-automation", commits=[{**commit, "added": None}]).paths is None
    assert change_of("gitlab/push/image-automation", total_commits_count=2).automated is False


def test_gitlab_needs_its_event_header() -> None:
    assert refusal("gitlab", {}, GITLAB.body, proven=True) == (400, "headers-missing")


def test_a_system_hook_says_in_its_body_what_happened() -> None:
    assert refusal("gitlab", {"X-Gitlab-Event": "System Hook"}, b"{}", proven=True) == (400, "body-invalid")
    assert receive("gitlab", {"X-Gitlab-Event": "System Hook"}, b'{"event_name": "user_create"}').changes == ()


# Bitbucket


def test_a_change_from_nothing_to_nothing_is_none() -> None:
    delivery = recorded("bitbucket-cloud/push/several-refs")
    body = altered(delivery, push={"changes": [{"new": None, "old": None}]})
    assert receive("bitbucket-cloud", delivery.headers, body).changes == ()


@pytest.mark.parametrize("sender", ["bitbucket-cloud", "bitbucket-data-center"])
@pytest.mark.parametrize("signature", ["", "sha256=", f"sha1={digest(b'{}', algorithm='sha1')}", digest(b"{}")])
def test_bitbucket_s_signature_is_sha256_whatever_its_header_is_called(sender: str, signature: str) -> None:
    assert refusal(sender, {"X-Event-Key": "x", "X-Hub-Signature": signature}, b"{}")[0] == 401


DATA_CENTER = recorded("bitbucket-data-center/refs_changed/branch-updated")


def test_bitbucket_data_center_may_use_basic_authentication() -> None:
    headers = DATA_CENTER.headers | basic()
    assert receive("bitbucket-data-center", headers, DATA_CENTER.body, BASIC_SECRET, proven=False).changes
    wrong = headers | {"X-Hub-Signature": "sha256=00"}
    assert refusal("bitbucket-data-center", wrong, DATA_CENTER.body, BASIC_SECRET) == (401, "signature-wrong")


def test_bitbucket_data_center_does_not_sign_its_test() -> None:
    ping = recorded("bitbucket-data-center/ping/test-connection")
    assert refusal("bitbucket-data-center", ping.headers, ping.body) == (401, "authorization-missing")


def test_a_repository_without_links_needs_the_receiver_s_url() -> None:
    delivery = recorded("bitbucket-data-center/refs_changed/without-links")
    assert refusal(delivery.sender, delivery.headers, delivery.body, proven=True) == (400, "repository-unknown")
    below = receive(delivery.sender, delivery.headers, delivery.body, url="https://git.contoso.example:8443/bitbucket")
    assert [change.url for change in below.changes] == [
        "git.contoso.example:8443/bitbucket/scm/edge/platform",
        "git.contoso.example/edge/platform",
    ]


def test_two_links_to_one_address_are_one_change() -> None:
    links = {"clone": [{"href": f"{scheme}://git.contoso.example/edge/platform.git"} for scheme in ("ssh", "https")]}
    received = receive("bitbucket-data-center", DATA_CENTER.headers, altered(DATA_CENTER, repository__links=links))
    assert [change.url for change in received.changes] == ["git.contoso.example/edge/platform"]


def test_five_commits_may_be_more() -> None:
    name = "bitbucket-data-center/refs_changed/image-automation"
    (commit,) = json.loads(recorded(name).body)["commits"]
    assert change_of(name, commits=[commit] * 4).automated
    assert not change_of(name, commits=[commit] * 5).automated


# Azure DevOps

AZURE = recorded("azure-devops/push/branch-updated")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer x"}, basic("sluice:"), basic("sluice"), {"X-Sluice-Key": BASIC_SECRET}, {"X-Sluice-Key": ""}]
)
def test_azure_devops_proves_itself_in_the_way_that_is_configured(headers: dict[str, str]) -> None:
    assert refusal("azure-devops", headers, AZURE.body)[0] == 401
    if headers.get("X-Sluice-Key") != BASIC_SECRET:
        assert refusal("azure-devops", basic() | headers, AZURE.body, header="X-Sluice-Key")[0] == 401


def test_a_list_of_several_commits_may_be_cut() -> None:
    name = "azure-devops/push/image-automation"
    (commit,) = json.loads(recorded(name).body)["resource"]["commits"]
    assert change_of(name).automated
    assert not change_of(name, resource__commits=[commit, {**commit, "commitId": sha(5)}]).automated
    assert not change_of(name, resource__commits=[{**commit, "commitId": sha(5)}]).automated


def test_azure_devops_must_send_the_details_of_the_resource() -> None:
    body = json.loads(AZURE.body)
    del body["resource"]
    assert refusal("azure-devops", {}, json.dumps(body).encode(), proven=True) == (400, "body-invalid")


@pytest.mark.parametrize("delivery", ["", "x" * 257])
def test_azure_devops_s_id_is_an_id(delivery: str) -> None:
    assert refusal("azure-devops", {}, altered(AZURE, id=delivery), proven=True) == (400, "body-invalid")


# Gitea, Forgejo, and who they look like

FORGEJO, GITEA = recorded("forgejo/push/branch-updated"), recorded("gitea/push/branch-updated")


@pytest.mark.parametrize("sender", ["gitea", "forgejo"])
@pytest.mark.parametrize("delivery", [GITEA, FORGEJO], ids=["gitea", "forgejo"])
def test_gitea_and_forgejo_are_read_by_either_type(sender: str, delivery: Delivery) -> None:
    inbound = an_inbound(delivery.sender, delivery.headers, delivery.body)
    assert len(SENDERS[sender].receive(inbound, [SECRET]).changes) == 1


def test_forgejo_s_own_signature_is_the_one_that_counts() -> None:
    headers = {**FORGEJO.headers, "X-Gitea-Signature": digest(FORGEJO.body)}
    for wrong in ("", "0" * 64):
        assert refusal("forgejo", headers | {"X-Forgejo-Signature": wrong}, FORGEJO.body)[0] == 401


def empty_signatures() -> dict[str, str]:
    """What Gitea sends where its webhook has no secret."""
    return {"X-Gitea-Signature": "", "X-Gogs-Signature": "", "X-Hub-Signature": "sha1=", "X-Hub-Signature-256": "sha256="}


@pytest.mark.parametrize("sender", ["gitea", "forgejo", "github"])
def test_gitea_without_a_secret_is_refused(sender: str) -> None:
    assert refusal(sender, GITEA.headers | empty_signatures(), GITEA.body)[0] == 401


@pytest.mark.parametrize("delivery", [GITEA, FORGEJO], ids=["gitea", "forgejo"])
def test_a_github_receiver_is_not_fooled_by_gitea_s_likeness(delivery: Delivery) -> None:
    inbound = an_inbound("github", delivery.headers, delivery.body)
    with pytest.raises(Refused, match="sender-other") as refused:
        SENDERS["github"].receive(inbound, [SECRET])
    assert (refused.value.status, refused.value.explain) == (400, True)


def test_a_gitea_receiver_does_not_take_github_s_signature() -> None:
    assert refusal("gitea", {**GITEA.headers, "X-Hub-Signature-256": f"sha256={digest(GITEA.body)}"}, GITEA.body)[0] == 401


def test_an_older_gitea_does_not_tell_how_many_commits_there_were() -> None:
    body = json.loads(GITEA.body)
    del body["total_commits"]
    assert receive("gitea", GITEA.headers, json.dumps(body).encode()).changes[0].paths is None
    assert change_of("gitea/push/branch-updated", commits=None).paths is None


# Sluice's own body

GENERIC = recorded("generic-hmac/push/whole")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_generic_sender_chooses_its_hash(algorithm: str) -> None:
    signature = f"{algorithm}={digest(GENERIC.body, algorithm=algorithm)}"
    assert receive("generic-hmac", {"X-Signature": signature}, GENERIC.body, proven=False).changes


@pytest.mark.parametrize("signature", ["", digest(GENERIC.body), f"sha1={digest(GENERIC.body, algorithm='sha1')}"])
def test_a_generic_sender_names_it_and_sha1_is_none(signature: str) -> None:
    assert refusal("generic-hmac", {"X-Signature": signature}, GENERIC.body)[0] == 401


def test_a_named_header_takes_the_place_of_x_signature() -> None:
    signed = {"X-Signature": f"sha256={digest(GENERIC.body)}"}
    assert refusal("generic-hmac", signed, GENERIC.body, header="X-Contoso-Signature") == (401, "signature-missing")


def test_equal_bodies_are_one_delivery() -> None:
    assert receive("generic-hmac", {}, GENERIC.body) == receive("generic-hmac", {"X-Other": "1"}, GENERIC.body)
    assert receive("generic-hmac", {}, GENERIC.body).delivery != receive("generic-hmac", {}, altered(GENERIC, title="Other")).delivery


def test_what_people_are_shown_is_short() -> None:
    change = change_of("generic-hmac/push/whole", author="x" * 500, title="y" * 500 + "\nz")
    assert (change.author, change.title) == ("x" * 200, "y" * 200)


def test_no_paths_are_not_unknown_paths() -> None:
    assert change_of("generic-hmac/push/whole", paths=[]).paths == ()
    assert change_of("generic-hmac/push/whole", paths=None).paths is None
    assert change_of("generic-hmac/push/whole", before="0" * 40).kind == "created"


def test_an_old_standard_webhook_is_refused() -> None:
    body = recorded("standard-webhooks/push/whole").body
    sent = an_inbound("standard-webhooks", {"webhook-id": "msg_1"}, body)
    late = msgspec.structs.replace(sent, received_at=sent.received_at.replace(minute=6))
    with pytest.raises(Refused, match="timestamp-away"):
        SENDERS["standard-webhooks"].receive(late, [SIGNING_SECRET])


# Automation

AUTOMATED = "github/push/branch-updated"


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        (["fluxcdbot@users.noreply.github.com"], True),
        (["Alice Example"], False),
        (["fluxcdbot@users.noreply.github.com", "alice@contoso.example"], False),
        ([], False),
    ],
)
def test_a_push_is_automated_when_automation_wrote_all_of_it(authors: list[str], *, expected: bool) -> None:
    commits = [{"author": {"name": None, "email": author}} for author in authors]
    assert change_of(AUTOMATED, commits=commits).automated is expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [((), False), (("renovate[bot]",), True), (("RENOVATE*",), True), (("*@bots.example",), True), (("renovate",), False)],
)
def test_who_is_automation_can_be_configured(known: tuple[str, ...], *, expected: bool) -> None:
    delivery = recorded(AUTOMATED)
    body = altered(delivery, commits=[{"author": {"name": "renovate[bot]", "email": "1@bots.example"}}])
    inbound = msgspec.structs.replace(an_inbound("github", delivery.headers, body), automation_authors=known)
    (change,) = SENDERS["github"].receive(inbound, [SECRET]).changes
    assert change.automated is expected
