"""Inbound endpoints, one file a sender. To add one: write its file, add its line here and its payloads under tests/payloads/."""

from shared.receivers import (
    acr,
    artifactory,
    azure_devops,
    bitbucket_cloud,
    bitbucket_data_center,
    dockerhub,
    flux,
    generic_hmac,
    gitea,
    github,
    gitlab,
    harbor,
    nexus,
    quay,
    s3,
    standard_webhooks,
)
from shared.receivers.inbound import Sender

SENDERS: dict[str, Sender] = {
    "acr": acr.SENDER,
    "artifactory": artifactory.SENDER,
    "azure-devops": azure_devops.SENDER,
    "bitbucket-cloud": bitbucket_cloud.SENDER,
    "bitbucket-data-center": bitbucket_data_center.SENDER,
    "dockerhub": dockerhub.SENDER,
    "flux": flux.SENDER,
    "forgejo": gitea.SENDER,
    "generic-hmac": generic_hmac.SENDER,
    "gitea": gitea.SENDER,
    "github": github.SENDER,
    "gitlab": gitlab.SENDER,
    "harbor": harbor.SENDER,
    "nexus": nexus.SENDER,
    "quay": quay.SENDER,
    "s3": s3.SENDER,
    "standard-webhooks": standard_webhooks.SENDER,
}
