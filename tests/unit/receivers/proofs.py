"""How each type of sender proves itself, written down a second time: what a test signs, the code under test must accept."""

import base64
import hmac
from collections.abc import Mapping

from builders import NOW

from shared.receivers import SENDERS
from shared.receivers.inbound import Inbound

SECRET = "correct horse battery staple"
SIGNING_SECRET = f"whsec_{base64.b64encode(b'32 bytes of key, more or less...').decode()}"
BASIC_SECRET = "sluice:correct horse battery staple"

Headers = Mapping[str, str]


def digest(body: bytes, secret: str = SECRET, algorithm: str = "sha256") -> str:
    return hmac.digest(secret.encode(), body, algorithm).hex()


def standard_webhooks(body: bytes, headers: Headers, secret: str = SIGNING_SECRET) -> dict[str, str]:
    webhook_id, timestamp = headers.get("webhook-id", "msg_1"), str(int(NOW.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"{webhook_id}.{timestamp}.".encode() + body, "sha256")).decode()
    return {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def basic(secret: str = BASIC_SECRET) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


#: Header, what stands before the digits, and hash of those who sign the body.
SIGNED = {
    "bitbucket-cloud": [("x-hub-signature", "sha256=", "sha256")],
    "bitbucket-data-center": [("x-hub-signature", "sha256=", "sha256")],
    "forgejo": [("x-forgejo-signature", "", "sha256"), ("x-gitea-signature", "", "sha256")],
    "gitea": [("x-gitea-signature", "", "sha256")],
    "github": [("x-hub-signature-256", "sha256=", "sha256")],
    "nexus": [("x-nexus-webhook-signature", "", "sha1")],
}


def proof(sender: str, body: bytes, headers: Headers, header: str = "") -> dict[str, str]:
    """The headers that prove a delivery of this type; `header` is the one that the receiver names."""
    if sender in SIGNED:
        return {name: prefix + digest(body, algorithm=algorithm) for name, prefix, algorithm in SIGNED[sender]}
    match sender:
        case "acr" | "harbor" | "s3":
            return {header.lower() or "authorization": f"Bearer {SECRET}"}
        case "azure-devops":
            return {header.lower(): BASIC_SECRET} if header else basic()
        case "dockerhub" | "quay":
            return {}  # the end of the URL is all that they have
        case "generic-hmac":
            return {header.lower() or "x-signature": f"sha512={digest(body, algorithm='sha512')}"}
        case "gitlab":
            return {"x-gitlab-token": SECRET}
        case "standard-webhooks":
            return standard_webhooks(body, headers)
    raise KeyError(sender)


SECRETS = {"azure-devops": BASIC_SECRET, "standard-webhooks": SIGNING_SECRET}


def secret_of(sender: str) -> str:
    return SECRETS.get(sender, SECRET)


def url_token(sender: str) -> str:
    """What follows the receiver's name in the URL."""
    return secret_of(sender) if SENDERS[sender].takes_token else ""


def an_inbound(sender: str, headers: Headers, body: bytes, *, proven: bool = True, **options: str) -> Inbound:
    """A delivery as the service hands it on: header names in lower case, and its proof among them."""
    lower = {name.lower(): value for name, value in headers.items()}
    proving = proof(sender, body, lower, options.get("header", "")) if proven else {}
    options = {name: value.lower() if name == "header" else value for name, value in options.items()}
    return Inbound(
        receiver="platform",
        headers=lower | proving,
        body=body,
        received_at=NOW,
        token=url_token(sender) if proven else "",
        automation_authors=("fluxcdbot", "fluxcdbot@users.noreply.github.com"),
        **options,
    )
