"""Which fluxConfigurations follow what has moved. It depends on what a route does: a pin sets a new revision, a call lets Flux look."""

from typing import Literal

from shared.domain.changes import Change
from shared.domain.errors import Malformed
from shared.domain.observations import DEFAULT_BRANCH, FluxConfiguration
from shared.domain.revisions import parse_revision
from shared.domain.rollouts import Action
from shared.domain.sources import is_bucket
from shared.domain.versions import admits, is_lower

RouteAction = Action | Literal["observe"]

_DEFAULT_TAG = "latest"  #: of an OCIRepository that names none (fluxcd.io, OCIRepository, Reference)


def why_not_moved(action: RouteAction, item: FluxConfiguration, change: Change) -> str:
    """Why a fluxConfiguration of the change's source does not follow the ref that moved; "" where it does."""
    if is_bucket(change.source_kind) and action != "pin":
        return ""
    if action == "notify-receiver":
        return _why_not_called(item, change)
    return _why_not_pinned(item, change)


def _why_not_pinned(item: FluxConfiguration, change: Change) -> str:
    """A branch moves those that name the branch and no tag. A tag moves those that are on a tag: they are set to the new one.

    One that chooses its tag by a semver range moves by itself, and is left to it. A bucket has nothing that could be set.
    """
    if is_bucket(change.source_kind):
        return f"its source is of kind {item.source_kind}, which has no revision to ask for"
    if item.semver:
        return "chooses its tag by a semver range itself"
    if change.source_kind == "oci":
        return ""
    if change.tag is not None:
        return "" if item.tag else "follows a branch, not a tag"
    return _why_not_on_branch(item, change)


def _why_not_called(item: FluxConfiguration, change: Change) -> str:
    """Nothing is written, so it must lead to the new revision by itself: through its branch, its own tag, or its range of versions."""
    if item.commit or item.digest:
        return "is set to one revision, so that a call would not move it"
    if item.semver:
        return _why_not_in_range(item, change)
    if change.tag is None:
        return _why_not_on_branch(item, change)
    own = item.tag or (_DEFAULT_TAG if change.source_kind == "oci" else "")
    if not own:
        return "follows a branch, not a tag"
    return "" if own == change.tag else "is on another tag"


def _why_not_on_branch(item: FluxConfiguration, change: Change) -> str:
    if item.tag:
        return "is on a tag, not a branch"
    return "" if (item.branch or DEFAULT_BRANCH) == change.branch else "follows another branch"


def _why_not_in_range(item: FluxConfiguration, change: Change) -> str:
    """Flux takes the highest version of the range, so a lower one than it has leads nowhere."""
    if change.tag is None:
        return "follows tags, not a branch"
    try:
        admitted = admits(item.semver, change.tag)
    except Malformed:
        return "its semver range cannot be read here"
    if not admitted:
        return "the tag is no version in its semver range"
    synced = parse_revision(item.observation.revision)
    return "is on a newer version already" if synced and is_lower(change.tag, synced.name) else ""
