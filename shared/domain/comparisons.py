"""Two commits of a repository, of which its host is asked what differs."""

from shared.domain.record import Record


class Comparison(Record, frozen=True):
    """`repository` is a canonical URL; `api` the configured address of the host's API, "" for the public one of its type."""

    repository: str
    before: str
    after: str
    api: str = ""
    token: str = ""
