"""Inbound endpoints, one file a sender. To add one: write its file, add its line here and its payloads under tests/payloads/."""

from shared.receivers import github
from shared.receivers.inbound import Sender

SENDERS: dict[str, Sender] = {
    "github": github.SENDER,
}
