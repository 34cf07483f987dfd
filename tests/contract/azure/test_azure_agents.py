"""Clusters that behave: they fetch real commits, report as Flux does, fail where they should, and drop offline."""

from typing import Any

import pytest
from cloud_client import CloudClient, MadeFleet, Repository, until


def kustomizations(properties: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {status["name"]: status["statusConditions"][0] for status in properties["statuses"] if status["kind"] == "Kustomization"}


def source(properties: dict[str, Any]) -> dict[str, Any]:
    [condition] = [one["statusConditions"][0] for one in properties["statuses"] if one["kind"] == "GitRepository"]
    return dict(condition)


@pytest.fixture
async def fleet(cloud: CloudClient, repository: Repository) -> MadeFleet:
    layers = {"infra": {"path": "./infra"}, "apps": {"path": "./apps", "dependsOn": ["infra"]}}
    return await cloud.make_fleet(repository, clusters=4, kustomizations=layers, legacyShare=0)


async def test_a_new_fleet_is_compliant_at_the_head(cloud: CloudClient, fleet: MadeFleet, repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    clusters = [one for one in await cloud.admin("GET", "clusters") if one["id"] in fleet.ids]
    assert len(clusters) == 4
    for cluster in clusters:
        [configuration] = cluster["configurations"]
        assert configuration["complianceState"] == "Compliant"
        assert (configuration["desiredCommit"], configuration["syncedCommit"]) == (head, head)
        assert configuration["writes"] == 0


async def test_a_pushed_commit_is_reached_by_way_of_pending(cloud: CloudClient, fleet: MadeFleet, repository: Repository) -> None:
    before = await cloud.properties(fleet.configuration())
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    answer = await cloud.pin(fleet.configuration(), commit)
    asked = answer.body["properties"]
    assert (asked["complianceState"], asked["sourceSyncedCommitId"]) == ("Compliant", before["sourceSyncedCommitId"])
    await cloud.settled(fleet.configuration(), "Pending")
    reached = await cloud.settled(fleet.configuration(), "Compliant", commit)
    assert reached["sourceSyncedCommitId"] == f"main@sha1:{commit}"
    assert reached["statusUpdatedAt"] > before["statusUpdatedAt"]
    assert {condition["reason"] for condition in kustomizations(reached).values()} == {"ReconciliationSucceeded"}


async def test_older_agents_write_the_legacy_revision(cloud: CloudClient, repository: Repository) -> None:
    fleet = await cloud.make_fleet(repository, legacyShare=1)
    head = repository.git("rev-parse", "HEAD")
    assert (await cloud.properties(fleet.configuration()))["sourceSyncedCommitId"] == f"main/{head}"


async def test_a_commit_that_is_not_on_the_branch_is_not_found(cloud: CloudClient, fleet: MadeFleet, repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "other")
    elsewhere = repository.commit({"apps/web.yaml": "kind: Job\n"})
    for commit in ("f" * 40, elsewhere):
        await cloud.pin(fleet.configuration(), commit)

        async def look(wanted: str = commit) -> dict[str, Any] | None:
            condition = source(await cloud.properties(fleet.configuration()))
            return condition if wanted in condition["message"] else None

        condition = await until(look)
        expected = f"unable to resolve commit object for '{commit}': object not found"
        assert condition["message"] == f"failed to checkout and determine revision: {expected}"
        assert (condition["status"], condition["reason"]) == ("False", "GitOperationFailed")


async def test_a_broken_manifest_fails_its_kustomization_and_those_that_depend_on_it(
    cloud: CloudClient, fleet: MadeFleet, repository: Repository
) -> None:
    commit = repository.commit({"infra/dns.yaml": "kind: [unclosed\nname: x\n"})
    await cloud.pin(fleet.configuration(), commit)
    failed = await cloud.settled(fleet.configuration(), "Non-Compliant", commit)
    conditions = kustomizations(failed)
    assert conditions["platform-infra"]["reason"] == "BuildFailed"
    assert "infra/dns.yaml: MalformedYAMLError: yaml: line 2" in conditions["platform-infra"]["message"]
    assert conditions["platform-apps"]["reason"] == "DependencyNotReady"


async def test_a_missing_path_is_reported(cloud: CloudClient, fleet: MadeFleet) -> None:
    await cloud.patch(fleet.configuration(), {"kustomizations": {"apps": {"path": "./nowhere"}}})
    condition = kustomizations(await cloud.settled(fleet.configuration(), "Non-Compliant"))["platform-apps"]
    assert condition["reason"] == "ArtifactFailed"
    assert condition["message"].startswith("kustomization path not found: stat ")


async def test_a_faulty_commit_fails_on_as_many_clusters_as_the_rule_says(
    cloud: CloudClient, fleet: MadeFleet, repository: Repository
) -> None:
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    rule = {"kind": "commit", "commit": commit, "count": 1, "reason": "HealthCheckFailed", "message": "web is down"}
    await cloud.admin("POST", "faults", rule)
    for number in range(4):
        await cloud.pin(fleet.configuration(number), commit)
    states = []
    for number in range(4):

        async def look(number: int = number) -> dict[str, Any] | None:
            seen = await cloud.properties(fleet.configuration(number))
            return seen if commit in seen["sourceSyncedCommitId"] and seen["complianceState"] != "Pending" else None

        seen = await until(look)
        states.append(seen["complianceState"])
        if seen["complianceState"] == "Non-Compliant":
            assert kustomizations(seen)["platform-apps"]["message"] == "web is down"
    assert sorted(states) == ["Compliant"] * 3 + ["Non-Compliant"]


@pytest.mark.parametrize("chosen", ["clusters", "tags"])
async def test_a_faulty_commit_fails_where_the_rule_points_and_heals_when_it_is_lifted(
    cloud: CloudClient, fleet: MadeFleet, repository: Repository, chosen: str
) -> None:
    tags = {"site": "berlin"}  # the first cluster's
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    where = {"clusters": [fleet.name(0)]} if chosen == "clusters" else {"tags": tags}
    await cloud.admin("POST", "faults", {"kind": "commit", "commit": commit, "reason": "BuildFailed", **where})
    for number in range(2):
        await cloud.pin(fleet.configuration(number), commit)
    await cloud.settled(fleet.configuration(0), "Non-Compliant", commit)
    await cloud.settled(fleet.configuration(1), "Compliant", commit)
    await cloud.clear_faults()
    await cloud.settled(fleet.configuration(0), "Compliant", commit)


async def test_only_the_newest_of_quick_writes_is_reached(cloud: CloudClient, fleet: MadeFleet, repository: Repository) -> None:
    first = repository.commit({"apps/web.yaml": "kind: Service\n"})
    second = repository.commit({"apps/web.yaml": "kind: Job\n"})
    await cloud.pin(fleet.configuration(), first)
    await cloud.pin(fleet.configuration(), second)
    await cloud.settled(fleet.configuration(), "Compliant", second)
    clusters = await cloud.admin("GET", "clusters")
    [found] = [one["configurations"][0] for one in clusters if one["id"] == fleet.ids[0]]
    assert (found["writes"], found["desiredCommit"], found["syncedCommit"]) == (2, second, second)


async def test_a_configuration_without_a_commit_follows_its_branch(cloud: CloudClient, repository: Repository) -> None:
    fleet = await cloud.make_fleet(repository, pinned=False, syncIntervalInSeconds=10)
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    await cloud.settled(fleet.configuration(), "Compliant", commit)


@pytest.mark.parametrize(
    ("reference", "name"), [({"tag": "v1.2.0"}, "v1.2.0"), ({"semver": ">=1.0 <2.0"}, "v1.4.1"), ({"semver": "~1.2"}, "v1.2.0")]
)
async def test_tags_and_version_ranges_are_resolved(
    cloud: CloudClient, fleet: MadeFleet, repository: Repository, reference: dict[str, str], name: str
) -> None:
    for tag in ("v1.2.0", "v1.4.1", "v2.0.0", "v1.9.0-rc.1"):
        repository.commit({"apps/web.yaml": f"version: {tag}\n"})
        repository.git("tag", "--annotate", "--message", tag, tag)
    commit = repository.git("rev-list", "-n1", name)
    cleared = {"commit": None, **reference}
    await cloud.patch(fleet.configuration(), {"gitRepository": {"repositoryRef": cleared}})
    reached = await cloud.settled(fleet.configuration(), "Compliant", commit)
    assert reached["sourceSyncedCommitId"] == f"{name}@sha1:{commit}"


async def test_the_forms_of_a_url_name_one_repository(cloud: CloudClient, repository: Repository) -> None:
    path = repository.url.removeprefix("https://git.example/")
    forms = [f"https://git.example/{path}.git", f"git@git.example:{path}.git", f"ssh://git@git.example:22/{path}"]
    fleet = await cloud.make_fleet(repository, clusters=3, urlForms=forms)
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    for number, form in enumerate(forms):
        await cloud.pin(fleet.configuration(number), commit)
        reached = await cloud.settled(fleet.configuration(number), "Compliant", commit)
        assert reached["gitRepository"]["url"] == form


async def test_an_unknown_repository_cannot_be_cloned(cloud: CloudClient, fleet: MadeFleet) -> None:
    await cloud.patch(fleet.configuration(), {"gitRepository": {"url": "https://git.example/no/such"}})
    failed = await cloud.settled(fleet.configuration(), "Non-Compliant")
    assert "unable to clone 'https://git.example/no/such'" in source(failed)["message"]


async def test_an_oci_artifact_is_followed_by_tag_and_pinned_by_digest(cloud: CloudClient, fleet: MadeFleet) -> None:
    url = f"oci://registry.example/{fleet.name()}"
    first, second = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
    await cloud.admin("POST", "artifacts", {"url": url, "tag": "stable", "digest": first})
    await cloud.admin("POST", "artifacts", {"url": url, "tag": "stable", "digest": second})
    source = {"url": url, "repositoryRef": {"tag": "stable"}}
    await cloud.patch(fleet.configuration(), {"sourceKind": "OCIRepository", "ociRepository": source})
    followed = await cloud.settled(fleet.configuration(), "Compliant", second)
    assert followed["sourceSyncedCommitId"] == f"stable@{second}"
    await cloud.patch(fleet.configuration(), {"ociRepository": {"repositoryRef": {"digest": first}}})
    await cloud.settled(fleet.configuration(), "Compliant", first)
    unknown = f"sha256:{'c' * 64}"
    await cloud.patch(fleet.configuration(), {"ociRepository": {"repositoryRef": {"digest": unknown}}})
    failed = await cloud.settled(fleet.configuration(), "Non-Compliant", first)
    [condition] = [one["statusConditions"][0] for one in failed["statuses"] if one["kind"] == "OCIRepository"]
    assert "MANIFEST_UNKNOWN" in condition["message"]


async def test_the_clock_can_be_changed(cloud: CloudClient) -> None:
    assert (await cloud.admin("POST", "clock", {"speed": 80}))["speed"] == 80
    assert (await cloud.admin("POST", "clock", {"speed": 40}))["speed"] == 40


async def test_a_fleet_is_the_same_for_the_same_seed(cloud: CloudClient, repository: Repository) -> None:
    orders = [{"prefix": prefix, "seed": 7, "clusters": 8, "canaryShare": 0.25} for prefix in ("same-a", "same-b")]
    fleets = [await cloud.make_fleet(repository, **order) for order in orders]
    clusters = {one["id"]: one for one in await cloud.admin("GET", "clusters")}
    tags = [[clusters[cluster_id]["tags"] for cluster_id in fleet.ids] for fleet in fleets]
    assert tags[0] == tags[1]
    assert [one["ring"] for one in tags[0]] == ["canary"] * 2 + ["prod"] * 6
    assert fleets[0].subscriptions == fleets[1].subscriptions
