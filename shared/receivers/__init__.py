"""Inbound endpoints, one file a sender. To add one: write its file, add its line here and its payloads under tests/payloads/."""

from shared.receivers import (
    azure_devops,
    bitbucket_cloud,
    bitbucket_data_center,
    generic_hmac,
    gitea,
    github,
    gitlab,
    standard_webhooks,
)
from shared.receivers.inbound import Sender

SENDERS: dict[str, Sender] = {
    "azure-devops": azure_devops.SENDER,
    "bitbucket-cloud": bitbucket_cloud.SENDER,
    "bitbucket-data-center": bitbucket_data_center.SENDER,
    "forgejo": gitea.SENDER,
    "generic-hmac": generic_hmac.SENDER,
    "gitea": gitea.SENDER,
    "github": github.SENDER,
    "gitlab": gitlab.SENDER,
    "standard-webhooks": standard_webhooks.SENDER,
}
