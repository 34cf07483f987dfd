"""Who asks, by what App Service says, or by a key; and that nothing which is sent can break or fool it."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Refused
from shared.domain.people import Person, check_page, require, who_asks

UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
GROUP = "5f0c1d3e-8a44-4a53-9df2-0b8c6f1f2a11"


def encoded(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def a_principal(*claims: tuple[str, str], **fields: Any) -> str:
    shape = {"auth_typ": "aad", "name_typ": UPN, "role_typ": ROLE, "claims": [{"typ": typ, "val": val} for typ, val in claims]}
    return encoded(shape | fields)


def signed_in(*claims: tuple[str, str]) -> Person:
    return who_asks(a_principal(*claims), "", signs_in=True)


def refused(principal: str, claimed: str = "", *, signs_in: bool = True) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        who_asks(principal, claimed, signs_in=signs_in)
    return caught.value.status, caught.value.reason


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ([(OBJECT_ID, "id-1"), ("preferred_username", "alex@contoso.example"), ("name", "Alex")], "alex@contoso.example"),
        ([("preferred_username", "guest"), (UPN, "alex@contoso.example")], "alex@contoso.example"),
        ([("oid", "id-1"), ("email", "ceo@contoso.example"), (UPN, "")], "id-1"),
    ],
)
def test_a_person_has_its_sign_in_name_and_an_application_its_object_id(claims: list[tuple[str, str]], name: str) -> None:
    person = signed_in(*claims)
    assert (person.name, person.actor, person.holds_every_role) == (name, name, False)


def test_roles_come_from_role_claims_and_groups_count_by_id_only() -> None:
    person = signed_in(("oid", "1"), ("roles", "Reader"), (ROLE, "platform-leads"), ("groups", GROUP.upper()), ("groups", "Operator"))
    assert person.roles == {"Reader", "platform-leads", GROUP}
    assert person.roles_among(["Approver", "platform-leads"]) == {"platform-leads"}


def test_a_missing_role_is_named() -> None:
    person = signed_in(("oid", "1"), ("roles", "Reader"))
    require(person, "Operator", "Reader")
    with pytest.raises(Refused) as caught:
        require(person, "Operator", "Approver")
    assert (caught.value.status, caught.value.reason) == (403, "the role Operator or Approver is missing")


def test_who_holds_a_key_holds_every_role_and_may_say_who_it_is() -> None:
    anybody, alex = who_asks("", "", signs_in=False), who_asks("", " alex ", signs_in=False)
    assert (anybody.actor, alex.actor, alex.name) == ("key", "key (claimed: alex)", "key")
    require(anybody, "Operator")
    assert anybody.roles_among(["platform-leads"]) == {"platform-leads"}


@pytest.mark.parametrize("claimed", ["a" * 65, "alex\nrollout aborted by root", "\x00", "\u202egnp"])
def test_a_claimed_name_is_short_and_printable(claimed: str) -> None:
    assert refused("", claimed, signs_in=False)[0] == 400


def test_a_key_is_not_enough_where_people_sign_in_and_a_claim_counts_for_nothing() -> None:
    assert refused("", "root") == (401, "sign in: App Service authentication is on")
    assert who_asks(a_principal(("oid", "1")), "root", signs_in=True).actor == "1"


def test_a_principal_that_anyone_may_have_sent_is_refused() -> None:
    assert refused(a_principal((UPN, "root"), ("roles", "Operator")), signs_in=False)[0] == 401


@pytest.mark.parametrize(
    "principal",
    [
        "%%%",
        "é",
        "e30",
        encoded({}),
        encoded([]),
        encoded({"claims": None}),
        encoded({"claims": [{"typ": "oid"}]}),
        encoded({"claims": [{"typ": "oid", "val": 1}]}),
        encoded({"claims": []}),
        a_principal(("oid", "")),
        a_principal(("oid", "x" * 257)),
        a_principal(("oid", "a\nb")),
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"[" * 20_000).decode(),
        "A" * (64 * 1024 + 4),
    ],
)
def test_a_principal_of_another_shape_is_nobody(principal: str) -> None:
    assert refused(principal)[0] == 401


_ENCODED = st.binary().map(lambda raw: base64.b64encode(raw).decode())


@given(principal=st.one_of(st.text(), _ENCODED), claimed=st.text(), signs_in=st.booleans())
def test_whatever_is_sent_is_a_person_or_is_refused(principal: str, claimed: str, *, signs_in: bool) -> None:
    try:
        person = who_asks(principal, claimed, signs_in=signs_in)
    except Refused as error:
        assert error.status in (400, 401)  # noqa: PT017 -- both outcomes are right
    else:
        assert person.holds_every_role != signs_in
        assert person.actor.isprintable()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["typ", "val", "claims"]), inner),
)


@given(st.dictionaries(st.sampled_from(["claims", "role_typ"]), _JSON))
def test_whatever_json_a_principal_is_it_is_a_person_or_is_refused(value: Any) -> None:
    try:
        person = who_asks(encoded(value), "", signs_in=True)
    except Refused as error:
        assert error.status == 401  # noqa: PT017 -- both outcomes are right
    else:
        assert not person.holds_every_role


@pytest.mark.parametrize("url", ["http://127.0.0.1:7071/api/x", "http://localhost/api/x", "http://[::1]:80/api/x", "https://LOCALHOST/"])
def test_without_sign_in_the_dashboard_is_for_this_machine(url: str) -> None:
    check_page("same-origin", url, signs_in=False, without_sign_in=True)


def test_where_people_sign_in_the_dashboard_s_page_is_let_in_under_any_name() -> None:
    for without in (True, False):
        check_page("same-origin", "https://sluice.example/api/x", signs_in=True, without_sign_in=without)


@pytest.mark.parametrize(
    ("site", "url", "signs_in", "without", "says"),
    [
        ("cross-site", "http://localhost/", True, True, "own page"),
        ("same-site", "http://localhost/", True, True, "own page"),
        ("none", "http://localhost/", True, True, "own page"),
        ("", "http://localhost/", True, True, "own page"),
        ("same-origin", "http://localhost/", False, False, "needs App Service authentication"),
        ("same-origin", "http://sluice.evil.example/", False, True, "this machine only"),
        ("same-origin", "http://localhost.evil.example/", False, True, "this machine only"),
        ("same-origin", "http://localhost@evil.example/", False, True, "this machine only"),
        ("same-origin", "", False, True, "this machine only"),
    ],
)
def test_nobody_else_comes_in_without_a_key(site: str, url: str, *, signs_in: bool, without: bool, says: str) -> None:
    with pytest.raises(Refused, match=says) as caught:
        check_page(site, url, signs_in=signs_in, without_sign_in=without)
    assert caught.value.status == 403
