"""Who follows what has moved, by what a route does."""

from typing import Any

import pytest
from builders import NOW, a_change, a_flux_configuration, an_observation, sha

from shared.domain.buckets import ObjectEvent, bucket_change
from shared.domain.changes import Change
from shared.domain.following import RouteAction, why_not_moved

TAG = a_change(ref="refs/tags/v1.2.0")
BRANCH = a_change()
ARTIFACT = a_change(ref="refs/tags/v1.2.0", url="oci://contoso.azurecr.io/fleet", source_kind="oci")
LATEST = a_change(ref="refs/tags/latest", url="oci://contoso.azurecr.io/fleet", source_kind="oci")
BUCKET = bucket_change("bucket://minio.example.com/fleet", [ObjectEvent(key="a")], receiver="r", delivery="d", received_at=NOW)
SYNCED = an_observation(revision=f"v1.3.0@sha1:{sha(0)}")


def reason(action: RouteAction, change: Change, **fields: Any) -> str:
    return why_not_moved(action, a_flux_configuration(**fields), change)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (BRANCH, {}),
        (a_change(ref="refs/heads/master"), {"branch": ""}),
        (TAG, {"tag": "v1.2.0", "branch": ""}),
        (TAG, {"semver": ">=1.0.0", "branch": ""}),
        (TAG, {"semver": ">=1.0.0", "branch": "", "observation": an_observation(revision=f"v1.1.0@sha1:{sha(0)}")}),
        (TAG, {"semver": ">=1.0.0", "branch": "", "observation": an_observation(revision="")}),
        (ARTIFACT, {"tag": "v1.2.0", "branch": ""}),
        (ARTIFACT, {"semver": "^1", "branch": ""}),
        (LATEST, {"branch": ""}),
        (BUCKET, {"source_kind": "Bucket", "branch": ""}),
        (BUCKET, {"source_kind": "AzureBlob", "branch": ""}),
    ],
)
def test_a_call_moves_what_leads_to_the_new_revision_by_itself(change: Change, fields: dict[str, Any]) -> None:
    assert reason("notify-receiver", change, **fields) == ""


@pytest.mark.parametrize(
    ("change", "fields", "words"),
    [
        (BRANCH, {"commit": sha(3)}, "one revision"),
        (LATEST, {"digest": f"sha256:{'a' * 64}"}, "one revision"),
        (BRANCH, {"branch": "release"}, "another branch"),
        (BRANCH, {"tag": "v1"}, "not a branch"),
        (BRANCH, {"semver": "^1"}, "not a branch"),
        (TAG, {}, "not a tag"),
        (TAG, {"tag": "v1.1.0"}, "another tag"),
        (ARTIFACT, {"branch": ""}, "another tag"),
        (TAG, {"semver": ">=2.0.0"}, "no version in its semver range"),
        (TAG, {"semver": "!=2"}, "cannot be read"),
        (TAG, {"semver": ">=1.0.0", "observation": SYNCED}, "newer version"),
    ],
)
def test_a_call_leaves_alone_what_it_would_not_move(change: Change, fields: dict[str, Any], words: str) -> None:
    assert words in reason("notify-receiver", change, **fields)


def test_a_pin_sets_any_tag_and_leaves_ranges_alone() -> None:
    assert reason("pin", TAG, tag="v1.1.0") == ""
    assert reason("pin", ARTIFACT, tag="v1.1.0") == ""
    assert reason("pin", BRANCH, commit=sha(3)) == ""
    assert "semver" in reason("pin", TAG, semver=">=1.0.0")


def test_a_pin_has_nothing_to_set_on_a_bucket() -> None:
    assert reason("observe", BUCKET, source_kind="AzureBlob") == ""
    assert reason("pin", BUCKET, source_kind="AzureBlob") == "its source is of kind AzureBlob, which has no revision to ask for"
