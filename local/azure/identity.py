"""The identity provider: App Service's managed identity endpoint and Entra ID's token endpoint."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, load_pem_x509_certificate
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from local.azure.answers import json_response
from local.azure.origin import Origin
from local.azure.tokens import Principal, TokenAuthority, object_id_of

MANAGED_IDENTITY_APP_ID = "5f0d6c1e-7d5c-4c1b-9e52-4d2b1b7f9a01"
MANAGED_IDENTITY_API_VERSION = "2019-08-01"
CLIENT_TOKEN_LIFETIME_SECONDS = 3599
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FEDERATED_AUDIENCE = "api://AzureADTokenExchange"


class AssertionRegistry(JWSRegistry):
    """A certificate's assertion carries the certificate in its header, which joserfc would find too long."""

    max_header_length = 16 * 1024


@dataclass(frozen=True)
class Application:
    """An app registration and what it may prove itself with; each credential is optional."""

    client_id: str
    secret: str | None = None
    certificate: Certificate | None = None
    federated_issuer: str | None = None
    federated_subject: str | None = None

    @classmethod
    def from_json(cls, client_id: str, body: dict[str, Any]) -> "Application":
        """Raises ValueError for a certificate that is not PEM."""
        certificate = body.get("certificate")
        federated = body.get("federated", {})
        return cls(
            client_id,
            secret=body.get("secret"),
            certificate=load_pem_x509_certificate(certificate.encode()) if certificate else None,
            federated_issuer=federated.get("issuer"),
            federated_subject=federated.get("subject"),
        )


class EntraRefusalError(Exception):
    """Entra's OAuth error: `code` such as invalid_client, and its AADSTS text.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    """

    def __init__(self, status: int, code: str, number: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.number = number
        self.message = message

    def response(self) -> web.Response:
        body = {"error": self.code, "error_description": f"AADSTS{self.number}: {self.message}"}
        return json_response({**body, "error_codes": [self.number]}, status=self.status)


class IdentityProvider:
    def __init__(self, origin: Origin, tokens: TokenAuthority, identity_header: str) -> None:
        self._origin = origin
        self._tokens = tokens
        self._identity_header = identity_header
        self.applications: dict[str, Application] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/msi/token", self.managed_identity_token),
            web.post("/{tenant}/oauth2/v2.0/token", self.client_token),
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self.openid_configuration),
            web.get("/{tenant}/discovery/v2.0/keys", self.signing_keys),
        ]

    async def managed_identity_token(self, request: web.Request) -> web.Response:
        """https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference"""
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not self._identity_header or not hmac.compare_digest(given.encode(), self._identity_header.encode()):
            return json_response({"statusCode": 401, "message": "Unauthorized"}, status=401)
        resource = request.query.get("resource", "")
        if request.query.get("api-version") != MANAGED_IDENTITY_API_VERSION or not resource:
            return json_response({"statusCode": 400, "message": "Bad request: api-version or resource"}, status=400)
        app_id = request.query.get("client_id", MANAGED_IDENTITY_APP_ID)
        principal = Principal(object_id_of(app_id), app_id, "ManagedIdentity")
        token, lifetime = self._tokens.mint(principal, resource)
        return json_response(
            {
                "access_token": token,
                "client_id": app_id,
                "expires_on": str(int(time.time()) + lifetime),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    async def client_token(self, request: web.Request) -> web.Response:
        """The client credentials grant.
        https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
        """
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            application = self._proven_application(form, str(request.url.with_query(None)))
            audience = _audience(form.get("scope", ""))
        except EntraRefusalError as refusal:
            return refusal.response()
        principal = Principal(object_id_of(application.client_id), application.client_id, "Application")
        token, lifetime = self._tokens.mint(principal, audience, CLIENT_TOKEN_LIFETIME_SECONDS)
        return json_response({"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token})

    async def openid_configuration(self, request: web.Request) -> web.Response:
        tenant = request.match_info["tenant"]
        base = f"{self._origin.url}/{tenant}"
        return json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "subject_types_supported": ["pairwise"],
            }
        )

    async def signing_keys(self, request: web.Request) -> web.Response:
        return json_response(self._tokens.public_keys())

    def _proven_application(self, form: dict[str, str], endpoint: str) -> Application:
        if form.get("grant_type") != "client_credentials":
            raise EntraRefusalError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        client_id = form.get("client_id", "")
        application = self.applications.get(client_id)
        if application is None:
            raise EntraRefusalError(400, "unauthorized_client", 700016, f"Application with identifier '{client_id}' was not found.")
        if "client_assertion" in form:
            _check_assertion(application, form, endpoint)
        elif application.secret is None or not hmac.compare_digest(form.get("client_secret", "").encode(), application.secret.encode()):
            raise EntraRefusalError(401, "invalid_client", 7000215, "Invalid client secret provided.")
        return application


def _audience(scope: str) -> str:
    if not scope.endswith("/.default"):
        raise EntraRefusalError(400, "invalid_scope", 70011, "The provided value for the input 'scope' is not valid.")
    return scope.split(maxsplit=1)[0].removesuffix("/.default")


def _check_assertion(application: Application, form: dict[str, str], endpoint: str) -> None:
    """A certificate's assertion is signed by it; a federated one is another issuer's token about a known subject."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise EntraRefusalError(400, "invalid_request", 90014, "client_assertion_type is missing or unknown.")
    assertion = form["client_assertion"]
    claims = _unverified_claims(assertion)
    if claims.get("exp", 0) <= time.time():
        raise EntraRefusalError(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")
    if claims.get("iss") == application.client_id:
        _check_certificate_assertion(application, assertion, claims, endpoint)
    elif not _is_federated(application, claims):
        raise EntraRefusalError(401, "invalid_client", 70021, "No matching federated identity record found.")


def _is_federated(application: Application, claims: dict[str, Any]) -> bool:
    return (
        application.federated_issuer is not None
        and claims.get("iss") == application.federated_issuer
        and claims.get("sub") == application.federated_subject
        and claims.get("aud") == FEDERATED_AUDIENCE
    )


def _check_certificate_assertion(application: Application, assertion: str, claims: dict[str, Any], endpoint: str) -> None:
    if application.certificate is None or claims.get("aud") != endpoint:
        raise EntraRefusalError(401, "invalid_client", 700027, "The certificate is not registered on the application.")
    public_key = application.certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    key = RSAKey.import_key(public_key)
    try:
        decoded = jwt.decode(assertion, key, registry=AssertionRegistry(algorithms=["RS256", "PS256"]))
    except JoseError as error:
        raise EntraRefusalError(401, "invalid_client", 700027, "The signature of the assertion is invalid.") from error
    if not _names_certificate(decoded.header, application.certificate):
        raise EntraRefusalError(401, "invalid_client", 700027, "The certificate with the thumbprint was not found.")


def _names_certificate(header: dict[str, Any], certificate: Certificate) -> bool:
    der = certificate.public_bytes(Encoding.DER)
    thumbprints = {
        "x5t": hashlib.sha1(der).digest(),  # noqa: S324 -- RFC 7515 defines x5t as a SHA-1 thumbprint
        "x5t#S256": hashlib.sha256(der).digest(),
    }
    given = {name: str(header.get(name, "")).rstrip("=") for name in thumbprints}  # MSAL pads them
    return any(given[name] == _base64url(digest) for name, digest in thumbprints.items())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unverified_claims(token: str) -> dict[str, Any]:
    """The claims of a token before it is known whose key checks it."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError) as error:
        raise EntraRefusalError(401, "invalid_client", 50027, "The client assertion is not a JWT.") from error
    return claims if isinstance(claims, dict) else {}
