"""What is wrong with the digests of a file though each field by itself is right."""

from collections.abc import Iterator

from shared.config.channels import is_on_call
from shared.config.fields import Problem
from shared.config.git_hosts import GIT_HOSTS
from shared.config.models import Config
from shared.domain.errors import Malformed
from shared.domain.windows import zone


def check_digests(config: Config) -> Iterator[Problem]:
    for index, digest in enumerate(config.digests):
        path = f"$.digests[{index}]"
        provider = config.provider(digest.provider)
        if provider is None:
            yield f"{path}.provider", f"there is no provider named {digest.provider}"
        elif provider.type in GIT_HOSTS:
            yield f"{path}.provider", f"{provider.name} is a Git host: a digest goes to a chat"
        elif is_on_call(provider.type):
            yield f"{path}.provider", f"{provider.name} calls people for trouble: a digest goes to a chat"
        if digest.day is not None and digest.schedule != "weekly":
            yield f"{path}.day", "a daily digest has no day: it comes every day"
        try:
            zone(digest.time_zone)
        except Malformed as error:
            yield f"{path}.timeZone", str(error)
