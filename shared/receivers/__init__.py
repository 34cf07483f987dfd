"""Inbound endpoints, one file a sender. To add one: write its `receive`, add its line here and its payloads under tests/payloads/."""

from shared.receivers import github
from shared.receivers.inbound import Receive

RECEIVERS: dict[str, Receive] = {
    "github": github.receive,
}
