"""The app settings."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.settings import Settings, read
from shared.domain.errors import Malformed

LEAST = {
    "COSMOS_ENDPOINT": "https://cosmos.example",
    "KEY_ENCRYPTION_KEY": "https://vault.example/keys/sluice",
    "SLUICE_CONFIG": "sluice.yaml",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


def test_the_least_that_is_needed_is_enough_and_the_rest_is_azure_s_public_cloud() -> None:
    settings = read(LEAST)
    assert settings.cosmos_endpoint == "https://cosmos.example"
    assert settings.cosmos_database == "sluice"
    assert settings.azure_resource_manager == "https://management.azure.com"
    assert settings.sluice_subscriptions == ()
    assert settings.apply_lease_seconds == 120


@pytest.mark.parametrize(("value", "expected"), [("True", True), ("true", True), ("False", False), ("", False), (None, False)])
def test_whether_people_sign_in_is_the_platform_s_word(value: str | None, *, expected: bool) -> None:
    environment = LEAST if value is None else {**LEAST, "WEBSITE_AUTH_ENABLED": value}
    assert read(environment).signs_in is expected


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_missing_is_named(name: str, value: str | None) -> None:
    environment = {key: value if key == name else LEAST[key] for key in LEAST}
    with pytest.raises(Malformed, match=f"app settings are missing: {name}"):
        read({key: text for key, text in environment.items() if text is not None})


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(Malformed) as malformed:
        read({})
    for name in ("COSMOS_ENDPOINT", "KEY_ENCRYPTION_KEY", "SLUICE_CONFIG", "AzureWebJobsStorage__accountName"):
        assert name in str(malformed.value)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"AzureWebJobsStorage__accountName": "sluice"}, "https://sluice.queue.core.windows.net"),
        ({"AzureWebJobsStorage__queueServiceUri": "https://q.example"}, "https://q.example"),
        ({"AzureWebJobsStorage__queueServiceUri": "https://q.example", "AzureWebJobsStorage__accountName": "sluice"}, "https://q.example"),
    ],
)
def test_storage_may_be_named_for_the_app_s_identity(given: dict[str, str], address: str) -> None:
    settings = read({key: value for key, value in LEAST.items() if key != "AzureWebJobsStorage"} | given)
    assert (settings.storage_queue_uri, settings.storage_connection_string) == (address, "")


@pytest.mark.parametrize("name", ["APPLY_LEASE_SECONDS", "REDISPATCH_AFTER_SECONDS", "LOOK_FOR_AWAY_SECONDS"])
@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf", "1e999", "60s"])
def test_a_number_that_is_none_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Malformed, match=f"app setting {name} must be"):
        read(LEAST | {name: value})


def test_numbers_and_lists_are_read() -> None:
    settings = read(LEAST | {"APPLY_LEASE_SECONDS": "1.5", "REDISPATCH_AFTER_SECONDS": "", "SLUICE_SUBSCRIPTIONS": " A, b ,,"})
    assert (settings.apply_lease_seconds, settings.redispatch_after_seconds) == (1.5, 300)
    assert settings.sluice_subscriptions == ("a", "b")


def test_whose_writes_are_ours_is_what_is_said_and_the_user_assigned_identity() -> None:
    assert read(LEAST).own_identities == ()
    settings = read(LEAST | {"SLUICE_IDENTITY": "0B1E-1, app-1", "AZURE_CLIENT_ID": "client-1"})
    assert settings.own_identities == ("0b1e-1", "app-1", "client-1")


@pytest.mark.parametrize("key", ["keys/kek.pem", "http://vault.example/keys/sluice", "/tmp/kek.pem"])  # noqa: S108 -- a path in a text
def test_the_key_encryption_key_says_where_it_is(key: str) -> None:
    with pytest.raises(Malformed, match="KEY_ENCRYPTION_KEY"):
        read(LEAST | {"KEY_ENCRYPTION_KEY": key})


def test_a_local_key_is_for_local_use_only() -> None:
    local = LEAST | {"KEY_ENCRYPTION_KEY": "file:kek.pem"}
    assert read(local).key_encryption_key == "file:kek.pem"
    with pytest.raises(Malformed, match="lost with its instance"):
        read(local | {"WEBSITE_INSTANCE_ID": "0"})


@given(st.text(st.characters(categories=["Lu"]), min_size=12))
def test_no_secret_is_in_the_repr(secret: str) -> None:
    settings: Any = read(LEAST | {"COSMOS_KEY": secret, "AZURE_CLIENT_SECRET": secret, "AzureWebJobsStorage": f"AccountKey={secret}"})
    assert settings.cosmos_key == settings.azure_client_secret == secret
    assert secret in settings.storage_connection_string
    assert secret not in repr(settings)


def test_every_other_text_is_read_under_its_own_name() -> None:
    for name in Settings.__dataclass_fields__:
        if name.startswith("azure_") or name in {"cosmos_database", "cosmos_key", "key_vault_uri_format", "region_name"}:
            assert getattr(read(LEAST | {name.upper(): f"other-{name}"}), name) == f"other-{name}"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, ""),
        ({"WEBSITE_HOSTNAME": "sluice.azurewebsites.net"}, "https://sluice.azurewebsites.net"),
        (
            {"SLUICE_URL": "https://sluice.contoso.example/", "WEBSITE_HOSTNAME": "sluice.azurewebsites.net"},
            "https://sluice.contoso.example",
        ),
        ({"SLUICE_URL": "http://localhost:7071"}, "http://localhost:7071"),
    ],
)
def test_the_app_knows_its_own_address(given: dict[str, str], address: str) -> None:
    assert read(LEAST | given).sluice_url == address


@pytest.mark.parametrize("given", [{"SLUICE_URL": "sluice.example"}, {"SLUICE_URL": "http://sluice.example", "WEBSITE_INSTANCE_ID": "0"}])
def test_an_address_that_tokens_must_not_be_sent_to_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="SLUICE_URL"):
        read(LEAST | given)


@pytest.mark.parametrize("name", ["FLUX_RECEIVERS_ON_LOOPBACK", "DASHBOARD_WITHOUT_SIGN_IN"])
@pytest.mark.parametrize("sign", ["WEBSITE_INSTANCE_ID", "WEBSITE_SKU", "WEBSITE_POD_NAME", "LEGION_SERVICE_HOST"])
def test_what_opens_a_way_on_this_machine_is_for_local_use_only(name: str, sign: str) -> None:
    allowed = LEAST | {name: "True"}
    assert getattr(read(allowed), name.lower())
    assert not getattr(read(LEAST | {name: "yes"}), name.lower())
    assert not getattr(read(LEAST), name.lower())
    with pytest.raises(Malformed, match=name):
        read(allowed | {sign: "1", "KEY_ENCRYPTION_KEY": "https://sluice.vault.azure.net/keys/sluice"})
