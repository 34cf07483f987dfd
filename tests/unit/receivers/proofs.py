"""How each type of sender proves itself, written down a second time: what a test signs, the code under test must accept."""

import base64
import hmac
import json
from collections.abc import Mapping

from builders import NOW
from recorded import PAYLOADS

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


#: Of those who sign the body: each header with the digits, what stands before them, and the hash.
SIGNED: dict[str, list[dict[str, str]]] = {
    path.parent.name: json.loads(path.read_text()) for path in sorted(PAYLOADS.glob("*/signature.json"))
}


def cluster_token(body: bytes, secret: str = SECRET) -> str:
    """What the cluster that a body of Flux names signs with."""
    cluster: str = json.loads(body)["metadata"]["clusterArmId"]
    return digest(cluster.lower().encode(), secret)


def proof(sender: str, body: bytes, headers: Headers, header: str = "", identity: str = "") -> dict[str, str]:
    """The headers that prove a delivery of this type; `header` and `identity` are what the receiver says."""
    if sender in SIGNED:
        return {way["header"]: way["prefix"] + digest(body, algorithm=way["algorithm"]) for way in SIGNED[sender]}
    match sender:
        case "acr" | "harbor" | "s3":
            return {header.lower() or "authorization": f"Bearer {SECRET}"}
        case "azure-devops":
            return {header.lower(): BASIC_SECRET} if header else basic()
        case "dockerhub" | "quay":
            return {}  # the end of the URL is all that they have
        case "flux":
            return {"x-signature": f"sha256={digest(body, SECRET if identity == 'shared' else cluster_token(body))}"}
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
    proving = proof(sender, body, lower, options.get("header", ""), options.get("identity", "")) if proven else {}
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
