"""Tokens as MSAL gets them, and what the services make of bad ones."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msal  # type: ignore[import-untyped]  # msal ships no types
import pytest
import requests
from cloud_client import ARM, CloudClient, Repository
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

SCOPES = [f"{ARM}/.default"]
SUBSCRIPTION = "/subscriptions/{}/providers/Microsoft.Kubernetes/connectedClusters?api-version=2026-05-01"


async def client_application(cloud: CloudClient, credential: Any, registration: dict[str, Any]) -> Any:
    """MSAL's client for a new application, registered with what it may prove itself with."""
    client_id = str(uuid.uuid4())
    registered = {"federated": None, **registration}
    await cloud.admin("PUT", f"applications/{client_id}", {name: value for name, value in registered.items() if value})
    tenant = (await cloud.admin("GET", "health"))["tenantId"]
    made = credential(client_id) if callable(credential) else credential
    return msal.ConfidentialClientApplication(
        client_id, client_credential=made, authority=f"{cloud.origin}/{tenant}", instance_discovery=False
    )


async def lists_clusters(cloud: CloudClient, subscription: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await cloud.call("GET", SUBSCRIPTION.format(subscription), headers=headers)).status


async def test_the_managed_identity_gets_a_token_that_arm_accepts(cloud: CloudClient, repository: Repository) -> None:
    fleet = await cloud.make_fleet(repository)
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=session)
        result = client.acquire_token_for_client(resource=ARM)
    assert await lists_clusters(cloud, fleet.subscriptions[0], result["access_token"]) == 200


async def test_the_identity_endpoint_refuses_who_does_not_know_the_header(cloud: CloudClient) -> None:
    path = f"/msi/token?api-version=2019-08-01&resource={ARM}"
    assert (await cloud.call("GET", path, headers={"X-IDENTITY-HEADER": "guess"})).status == 401
    assert (await cloud.call("GET", path, headers={})).status == 401


async def test_a_client_secret_is_accepted_and_a_wrong_one_refused(cloud: CloudClient, repository: Repository) -> None:
    fleet = await cloud.make_fleet(repository)
    right = await client_application(cloud, "s3cret", {"secret": "s3cret"})
    token = right.acquire_token_for_client(SCOPES)["access_token"]
    assert await lists_clusters(cloud, fleet.subscriptions[0], token) == 200
    wrong = await client_application(cloud, "guess", {"secret": "s3cret"})
    assert wrong.acquire_token_for_client(SCOPES)["error_codes"] == [7000215]


async def test_an_unregistered_application_is_refused(cloud: CloudClient) -> None:
    tenant = (await cloud.admin("GET", "health"))["tenantId"]
    client = msal.ConfidentialClientApplication(
        str(uuid.uuid4()), client_credential="x", authority=f"{cloud.origin}/{tenant}", instance_discovery=False
    )
    assert client.acquire_token_for_client(SCOPES)["error"] == "unauthorized_client"


def certificate() -> tuple[str, str, str]:
    """A key and a self-signed certificate as PEM, and the certificate's SHA-256 thumbprint."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sluice")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), made.public_bytes(pem).decode(), made.fingerprint(hashes.SHA256()).hex()


async def test_a_certificate_is_accepted_and_another_one_refused(cloud: CloudClient) -> None:
    key, public, thumbprint = certificate()
    other_key, other_public, other_thumbprint = certificate()
    known = {"private_key": key, "thumbprint_sha256": thumbprint, "public_certificate": public}
    accepted = await client_application(cloud, known, {"certificate": public})
    assert "access_token" in accepted.acquire_token_for_client(SCOPES)
    other = {"private_key": other_key, "thumbprint_sha256": other_thumbprint, "public_certificate": other_public}
    refused = await client_application(cloud, other, {"certificate": public})
    assert refused.acquire_token_for_client(SCOPES)["error"] == "invalid_client"


@pytest.mark.parametrize(("subject", "accepted"), [("repo:contoso/platform", True), ("repo:other/platform", False)])
async def test_a_federated_assertion_counts_for_its_subject_only(cloud: CloudClient, subject: str, accepted: bool) -> None:
    issuer = "https://token.actions.example"
    claims = {"iss": issuer, "sub": subject, "aud": "api://AzureADTokenExchange", "exp": int(time.time()) + 300}
    assertion = jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))
    federated = {"issuer": issuer, "subject": "repo:contoso/platform"}
    client = await client_application(cloud, {"client_assertion": lambda: assertion}, {"federated": federated})
    assert ("access_token" in client.acquire_token_for_client(SCOPES)) is accepted


async def test_arm_challenges_a_caller_without_a_token(cloud: CloudClient) -> None:
    answer = await cloud.call("GET", SUBSCRIPTION.format(uuid.uuid4()), headers={})
    assert answer.status == 401
    assert answer.body["error"]["code"] == "AuthenticationFailed"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


async def test_arm_refuses_a_token_for_another_audience(cloud: CloudClient) -> None:
    answer = await cloud.call("GET", SUBSCRIPTION.format(uuid.uuid4()), resource="https://vault.azure.net")
    assert (answer.status, answer.body["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


async def test_arm_refuses_a_token_with_a_changed_signature(cloud: CloudClient) -> None:
    head, payload, signature = (await cloud.token()).split(".")
    forged = ".".join((head, payload, signature[::-1]))
    answer = await cloud.call("GET", SUBSCRIPTION.format(uuid.uuid4()), headers={"Authorization": f"Bearer {forged}"})
    assert (answer.status, answer.body["error"]["code"]) == (401, "InvalidAuthenticationToken")


async def test_a_fault_shortens_the_life_of_tokens(cloud: CloudClient) -> None:
    await cloud.admin("POST", "faults", {"kind": "token", "expiresInSeconds": 0})
    answer = await cloud.call("GET", SUBSCRIPTION.format(uuid.uuid4()))
    assert (answer.status, answer.body["error"]["code"]) == (401, "ExpiredAuthenticationToken")
