"""Slack in sluice.yaml: who keeps conversations, who may answer from there, and what is a mistake."""

import pytest

from shared.config.loader import load_text
from shared.domain.errors import Malformed
from shared.domain.interactions import SlackUser

HEAD = "apiVersion: sluice/v1\n"
BOT = "{name: bot, type: slack, tokenRef: kv://v/t, channel: C1, signingSecretRef: kv://v/s, broadcast: [error]}"
ALICE = "{identity: alice@contoso.example, slack: [{team: T001, user: U001}], roles: [leads, 0000AAAA-0000-0000-0000-00000000000B]}"


def problem(text: str) -> str:
    with pytest.raises(Malformed) as found:
        load_text(HEAD + text)
    return str(found.value)


def test_a_bot_that_an_alert_names_converses() -> None:
    hook = "{name: hook, type: slack, addressRef: kv://v/h}"
    config = load_text(f"{HEAD}providers: [{BOT}, {hook}]\nalerts: [{{name: a, provider: bot}}, {{name: b, provider: hook}}]\n")
    assert [provider.name for provider in config.conversing] == ["bot"]
    assert load_text(f"{HEAD}providers: [{BOT}]\n").conversing == ()


def test_people_are_found_by_workspace_and_user() -> None:
    config = load_text(f"{HEAD}people: [{ALICE}]\n")
    member = config.member(SlackUser(team="T001", id="U001"))
    assert member
    assert member.person.name == "alice@contoso.example"
    assert member.person.roles == {"leads", "0000aaaa-0000-0000-0000-00000000000b"}
    for team, user in (("T002", "U001"), ("T001", "U002"), ("", "U001")):
        assert config.member(SlackUser(team=team, id=user)) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "providers:\n  - {name: t, type: msteams, addressRef: kv://v/t,\n     signingSecretRef: kv://v/s}\n",
            "4: providers[0].signingSecretRef",
        ),
        ("providers: [{name: h, type: slack, addressRef: kv://v/t, broadcast: [error]}]\n", "only a slack provider with tokenRef"),
        (
            "providers: [{name: h, type: slack, tokenRef: kv://v/t, channel: C1, previousSigningSecretRef: kv://v/t}]\n",
            "no signingSecretRef beside it",
        ),
        ("providers: [{name: h, type: slack, tokenRef: kv://v/t, channel: C1, broadcast: [all]}]\n", "broadcast"),
        (f"people:\n  - {ALICE}\n  - {ALICE.replace('alice', 'Alice').replace('U001', 'U002')}\n", "4: people[1].identity: Alice@"),
        (f"people:\n  - {ALICE}\n  - {ALICE.replace('alice', 'bob')}\n", "4: people[1].slack[0]: U001 of T001 stands here twice"),
        ("people: [{identity: key, slack: [{team: T001, user: U001}]}]\n", "identity"),
        ("people: [{identity: a@b, slack: []}]\n", "slack"),
        ("people: [{identity: a@b, slack: [{team: T001, user: alice}]}]\n", "user"),
        ("people: [{identity: a@b, slack: [{team: contoso, user: U001}]}]\n", "team"),
    ],
)
def test_mistakes_are_named(text: str, says: str) -> None:
    assert says in problem(text)
