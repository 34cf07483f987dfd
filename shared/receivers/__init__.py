"""Inbound endpoints, one file a sender. To add one: write its file, add its line here and its payloads under tests/payloads/."""

from shared.receivers import acr, dockerhub, github, harbor, nexus, quay
from shared.receivers.inbound import Sender

SENDERS: dict[str, Sender] = {
    "github": github.SENDER,
    "acr": acr.SENDER,
    "dockerhub": dockerhub.SENDER,
    "harbor": harbor.SENDER,
    "quay": quay.SENDER,
    "nexus": nexus.SENDER,
}
