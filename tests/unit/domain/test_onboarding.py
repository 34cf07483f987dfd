"""How one cluster comes to its baseline, decision by decision."""

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, URL, a_cluster, a_piece, a_wanted, an_extension_piece, at
from model_arm import ModelArm
from msgspec.structs import replace

from shared.domain.baselines import Kind, Piece, Wanted
from shared.domain.cluster_resources import Found, Seen, Write, flux_among
from shared.domain.onboarding import Told, begun, next_steps, refused
from shared.domain.onboarding_progress import OVER, Progress, new_progress
from shared.domain.onboarding_tasks import current, take_up
from shared.domain.policies import Governed

INFRA, APPS = a_piece("infra"), a_piece("apps")
NOBODY = Governed()


class Journey:
    """One cluster: looks and writes as the use case makes them, with a clock that goes to the next look."""

    def __init__(self, wanted: Wanted | None, governed: Governed = NOBODY, **cluster: Any) -> None:
        self.wanted, self.governed, self.now = wanted, governed, NOW
        self.cluster = a_cluster(**cluster)
        self.arm = ModelArm(self.cluster)
        self.told: list[str] = []
        self.progress = self._taken(new_progress(self.cluster.id, NOW))

    def _taken(self, progress: Progress) -> Progress:
        return take_up(progress, self.cluster, self.wanted, self.governed, self.now)

    def want(self, wanted: Wanted | None, governed: Governed = NOBODY) -> None:
        self.wanted, self.governed = wanted, governed
        self.progress = self._taken(self.progress)

    def come_back(self, **cluster: Any) -> None:
        self.cluster = replace(self.cluster, **cluster)
        self.progress = self._taken(replace(self.progress, state="starting"))

    def seen(self) -> Seen:
        task = current(self.wanted, self.progress)
        if task is None:
            return Seen(found=None)
        if task.kind == "configuration":
            return Seen(found=self.arm.found(task.kind, task.name))
        return Seen(found=self.arm.extension(), others=self.arm.has_configurations())

    def look(self) -> list[Write]:
        self.progress, effects = next_steps(self.wanted, self.governed, self.seen(), self.progress, self.now)
        writes = [effect for effect in effects if isinstance(effect, Write)]
        self.told += [effect.kind for effect in effects if isinstance(effect, Told)]
        for write in writes:
            self.arm.write(write)
        return writes

    def run(self, looks: int = 40, *, works: bool = True) -> list[tuple[str, Kind, str]]:
        """Until nothing is left to do: every write, in order. `works`: the agents take up what is asked."""
        written = []
        for _ in range(looks):
            if self.progress.again_at is None:
                break
            self.now = max(self.now, self.progress.again_at)
            written += [(write.method, write.kind, write.name) for write in self.look()]
            if works:
                self.arm.settle()
        return written


def test_a_new_cluster_gets_the_extension_first_and_then_its_configurations_in_order() -> None:
    journey = Journey(a_wanted(INFRA, APPS))
    assert (journey.progress.state, journey.progress.step, journey.progress.baseline) == ("onboarding", "extension", "edge")
    assert journey.run() == [("PUT", "extension", "flux"), ("PUT", "configuration", "infra"), ("PUT", "configuration", "apps")]
    assert (journey.progress.state, journey.progress.step, journey.progress.again_at) == ("done", OVER, None)
    assert journey.told == ["cluster.onboarded"]
    assert journey.arm.vain == []


def test_a_configuration_waits_for_the_one_before_to_be_compliant() -> None:
    journey = Journey(a_wanted(INFRA, APPS))
    journey.run(2)
    journey.arm.settle()
    journey.arm.say("extension", "flux", provisioningState="Succeeded")
    journey.look()
    journey.arm.say("configuration", "infra", provisioningState="Succeeded", complianceState="Pending")
    assert journey.run(3, works=False) == []
    assert (journey.progress.step, journey.progress.reason) == ("configuration infra", "it is Pending")


def test_what_is_as_wanted_already_is_not_written() -> None:
    journey = Journey(a_wanted(INFRA))
    journey.run()
    again = Journey(a_wanted(INFRA))
    again.arm = journey.arm
    assert again.run() == []
    assert again.told == ["cluster.onboarded"]
    assert not any(made.created for made in again.progress.made.values())


def test_looks_become_rarer_and_rarer() -> None:
    journey = Journey(a_wanted(INFRA, compliance_within_seconds=1e6))
    journey.look()
    pauses = []
    for _ in range(8):
        before = journey.now
        journey.run(1, works=False)
        pauses.append((journey.now - before).total_seconds())
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    assert journey.progress.reason == "Azure is at work: Creating"


def test_what_does_not_come_in_time_is_told_and_looked_at_all_the_same() -> None:
    journey = Journey(a_wanted(INFRA, compliance_within_seconds=60))
    journey.run(8, works=False)
    assert journey.progress.state == "failed"
    assert journey.progress.reason == "Azure is at work: Creating"
    assert journey.told == ["onboarding.failed"]
    journey.arm.settle()
    journey.run()
    assert journey.progress.state == "done"
    assert journey.told == ["onboarding.failed", "cluster.onboarded"]


def test_a_cluster_that_is_away_is_waited_for_without_end() -> None:
    journey = Journey(a_wanted(INFRA), connectivity="Offline")
    assert journey.run(20, works=False) == [("PUT", "extension", "flux")]
    assert journey.now > NOW + timedelta(hours=4)
    assert (journey.progress.state, journey.progress.reason) == ("onboarding", "cluster is Offline")
    journey.come_back(connectivity="Connected")
    assert (journey.progress.step, journey.progress.again_at) == ("extension", journey.now)
    journey.arm.settle()
    journey.run()
    assert journey.progress.state == "done"


def test_what_azure_no_longer_keeps_is_asked_again_once_the_cluster_is_back() -> None:
    journey = Journey(a_wanted(INFRA), connectivity="Offline")
    journey.look()
    journey.arm.say("extension", "flux", provisioningState="Failed")
    assert journey.run(1, works=False) == []
    journey.come_back(connectivity="Connected")
    assert journey.run(1)[0] == ("PATCH", "extension", "flux")
    journey.run()
    assert journey.progress.state == "done"


def test_what_azure_gives_up_on_is_asked_three_times_more_and_then_told_with_its_reason() -> None:
    journey = Journey(a_wanted(INFRA))
    journey.look()
    written = []
    while journey.progress.state != "failed":
        journey.arm.say("extension", "flux", provisioningState="Failed", errorInfo={"message": "no room for helm"})
        written += journey.run(1, works=False)
    assert written == [("PATCH", "extension", "flux")] * 3
    assert journey.progress.reason == "Azure says Failed: no room for helm"
    assert journey.told == ["onboarding.failed"]
    assert journey.progress.again_at == journey.now + timedelta(hours=1)
    since = journey.progress.since
    again, _ = refused(journey.progress, "still", at(9999))
    assert again.since == since


def test_an_extension_in_a_state_of_azure_s_own_is_waited_for() -> None:
    journey = Journey(a_wanted(INFRA))
    journey.look()
    journey.arm.say("extension", "flux", provisioningState="")
    journey.run(1, works=False)
    assert (journey.progress.state, journey.progress.reason) == ("onboarding", "Azure says nothing")


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"complianceState": "Compliant"}, "it is Compliant"),
        ({}, "it is Pending"),
        ({"complianceState": "Non-Compliant"}, "it is Non-Compliant"),
        (
            {"complianceState": "Non-Compliant", "statuses": [{"kind": "Kustomization", "name": "a", "statusConditions": None}]},
            "it is Non-Compliant",
        ),
        (
            {
                "complianceState": "Non-Compliant",
                "statuses": [
                    {
                        "kind": "Kustomization",
                        "name": "a",
                        "statusConditions": [{"type": "Healthy", "status": "False"}, {"type": "Ready", "status": "True"}],
                    },
                    {
                        "kind": "Kustomization",
                        "name": "b",
                        "statusConditions": [{"type": "Ready", "status": "False", "reason": "BuildFailed", "message": "no"}],
                    },
                ],
            },
            "Kustomization b: BuildFailed: no",
        ),
    ],
)
def test_why_it_is_not_well_is_in_flux_s_words(properties: dict[str, Any], complaint: str) -> None:
    assert Found(name="a", properties=properties).complaint == complaint


def test_a_failure_without_a_reason_says_so() -> None:
    assert Found(name="a", properties={"provisioningState": "Failed"}).error == "Azure says Failed: without a reason"
    assert Found(name="a", properties={"provisioningState": "Failed", "errorMessage": "no"}).error == "Azure says Failed: no"


def test_flux_is_found_under_any_name() -> None:
    others = [Found(name="monitor", properties={"extensionType": "microsoft.azuremonitor"}), Found(name="none", properties={})]
    ours = Found(name="gitops", properties={"extensionType": "Microsoft.Flux"})
    assert flux_among(others) is None
    assert flux_among([*others, ours]) == ours
    assert flux_among([ours, replace(ours, name="flux")]) == replace(ours, name="flux")


def test_an_extension_of_another_name_is_brought_in_line_where_it_is() -> None:
    journey = Journey(a_wanted())
    journey.arm.have("extension", "gitops", {**an_extension_piece().properties, "configurationSettings": {"multiTenancy.enforce": "false"}})
    assert journey.run() == [("PATCH", "extension", "gitops")]
    assert journey.arm.asked["extension", "gitops"]["configurationSettings"] == {"multiTenancy.enforce": "true"}


@pytest.mark.parametrize("fixed", [{"scope": "namespace"}, {"namespace": "elsewhere"}])
def test_what_azure_cannot_change_is_told(fixed: dict[str, str]) -> None:
    journey = Journey(a_wanted(INFRA))
    journey.arm.have("configuration", "infra", {**INFRA.properties, **fixed})
    journey.run(4)
    (name,) = fixed
    assert journey.progress.state == "failed"
    assert f"{name} is {fixed[name]} and not" in journey.progress.reason


# --- what belongs to others


def test_the_revision_that_a_rollout_has_set_stays() -> None:
    journey = Journey(a_wanted(INFRA))
    journey.run()
    journey.arm.asked["configuration", "infra"]["gitRepository"]["repositoryRef"] = {"branch": "main", "commit": "c" * 40}
    journey.want(a_wanted(a_piece("infra", kustomizations={"infra": {"path": "./other"}})))
    assert journey.run() == [("PATCH", "configuration", "infra")]
    assert journey.arm.asked["configuration", "infra"]["gitRepository"]["repositoryRef"] == {"branch": "main", "commit": "c" * 40}


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        ({"repositoryRef": {"tag": "v2"}}, {"tag": "v2"}),
        ({"url": "https://github.com/contoso/other"}, {"branch": "main"}),
    ],
)
def test_another_reference_or_another_source_is_written_whole(source: dict[str, Any], reference: dict[str, str]) -> None:
    journey = Journey(a_wanted(INFRA))
    journey.run()
    journey.arm.asked["configuration", "infra"]["gitRepository"]["repositoryRef"] = {"branch": "main", "commit": "c" * 40}
    journey.want(a_wanted(a_piece("infra", **source)))
    journey.run()
    assert journey.arm.asked["configuration", "infra"]["gitRepository"]["repositoryRef"] == reference
    assert journey.progress.state == "done"


def test_a_configuration_that_was_there_before_keeps_what_it_is_pinned_to() -> None:
    journey = Journey(a_wanted(INFRA))
    pinned = {
        **INFRA.properties,
        "gitRepository": {"url": URL, "repositoryRef": {"branch": "main", "commit": "c" * 40}},
        "kustomizations": {},
    }
    journey.arm.have("configuration", "infra", pinned)
    assert journey.run() == [("PUT", "extension", "flux"), ("PATCH", "configuration", "infra")]
    assert journey.arm.asked["configuration", "infra"]["gitRepository"]["repositoryRef"]["commit"] == "c" * 40


def test_one_source_takes_the_place_of_another_kind() -> None:
    journey = Journey(a_wanted(INFRA))
    journey.run()
    bucket = {"url": "https://s3.example", "bucketName": "b", "insecure": False}
    properties = {**{k: v for k, v in INFRA.properties.items() if k != "gitRepository"}, "sourceKind": "Bucket", "bucket": bucket}
    journey.want(a_wanted(replace(INFRA, properties=properties)))
    journey.run()
    assert journey.arm.asked["configuration", "infra"].get("gitRepository") is None
    assert journey.arm.asked["configuration", "infra"]["bucket"] == bucket


def test_secrets_are_written_when_the_configuration_is_made_and_when_their_reference_changes() -> None:
    one, other = (a_piece("infra", secrets={"configurationProtectedSettings.httpsKey": f"kv://v/{name}"}) for name in ("one", "other"))
    journey = Journey(a_wanted(one))
    journey.run()
    assert [write.secrets for write in journey.arm.writes] == [{}, one.secrets]
    journey.want(a_wanted(replace(one, properties={**one.properties, "kustomizations": {"infra": {"path": "x"}}})))
    journey.run()
    assert journey.arm.writes[-1].secrets == {}
    journey.want(a_wanted(other))
    journey.run()
    assert journey.arm.writes[-1].secrets == other.secrets


# --- Azure Policy


def test_what_azure_policy_writes_is_left_to_it_and_noted() -> None:
    governed = Governed(pieces={"configuration infra": "Flux everywhere"})
    journey = Journey(a_wanted(INFRA, APPS), governed)
    assert journey.run() == [("PUT", "extension", "flux"), ("PUT", "configuration", "apps")]
    assert journey.progress.notes == ("configuration infra is left to Azure Policy assignment Flux everywhere",)
    journey.want(a_wanted(INFRA, APPS))
    assert journey.run() == [("PUT", "configuration", "infra")]
    assert journey.progress.notes == ()


def test_an_extension_that_azure_policy_installs_is_waited_for() -> None:
    journey = Journey(a_wanted(INFRA), Governed(pieces={"extension": "Flux extension"}))
    assert journey.run(5) == []
    assert journey.progress.reason == "extension is left to Azure Policy assignment Flux extension, which has not installed it yet"
    journey.arm.have("extension", "flux", {"extensionType": "microsoft.flux"})
    assert journey.run() == [("PUT", "configuration", "infra")]
    assert len(journey.progress.notes) == 1


# --- what is no longer wanted


def leaving(on_removal: Any, wanted_after: Wanted | None = None) -> Journey:
    journey = Journey(a_wanted(INFRA, APPS, on_removal=on_removal))
    journey.run()
    journey.told.clear()
    journey.arm.writes.clear()
    journey.want(wanted_after)
    return journey


def test_a_cluster_that_leaves_keeps_all_that_it_has() -> None:
    journey = leaving("keep")
    assert (journey.progress.state, journey.progress.again_at) == ("left", None)
    assert journey.run() == []


def test_a_cluster_that_leaves_has_its_configurations_suspended_and_taken_up_again_when_it_returns() -> None:
    journey = leaving("suspend")
    assert journey.progress.state == "leaving"
    assert journey.run() == [("PATCH", "configuration", "apps"), ("PATCH", "configuration", "infra")]
    assert (journey.progress.state, journey.told) == ("left", [])
    journey.want(a_wanted(INFRA, APPS, on_removal="suspend"))
    assert journey.run() == [("PATCH", "configuration", "infra"), ("PATCH", "configuration", "apps")]
    assert journey.arm.asked["configuration", "infra"]["suspend"] is False
    assert journey.progress.state == "done"


def test_what_someone_else_has_suspended_stays_suspended() -> None:
    journey = Journey(a_wanted(INFRA))
    journey.run()
    journey.arm.asked["configuration", "infra"]["suspend"] = True
    journey.arm.settle()
    journey.want(a_wanted(INFRA, compliance_within_seconds=1))
    assert journey.run() == []
    assert journey.progress.state == "done"


def test_a_cluster_that_leaves_loses_what_was_made_last_first_and_the_extension_at_the_end() -> None:
    journey = leaving("delete")
    assert journey.run() == [("DELETE", "configuration", "apps"), ("DELETE", "configuration", "infra"), ("DELETE", "extension", "flux")]
    assert journey.arm.asked == {}
    assert (journey.progress.state, journey.progress.made) == ("left", {})


def test_nothing_is_deleted_while_azure_is_at_work_on_it() -> None:
    journey = leaving("delete")
    journey.arm.say("configuration", "apps", provisioningState="Updating")
    assert journey.run(2, works=False) == []
    assert journey.progress.reason == "Azure is at work: Updating"


def test_the_extension_stays_while_others_need_it() -> None:
    journey = leaving("delete")
    journey.arm.have("configuration", "someone-elses", {})
    assert ("DELETE", "extension", "flux") not in journey.run()
    assert journey.progress.state == "left"


def test_what_was_there_before_is_not_deleted() -> None:
    journey = Journey(a_wanted(INFRA, on_removal="delete"))
    journey.arm.have("extension", "flux", an_extension_piece().properties)
    journey.arm.have("configuration", "infra", {**INFRA.properties, "kustomizations": {}})
    journey.run()
    journey.want(None)
    assert journey.run() == []
    assert journey.progress.state == "left"


def test_what_azure_policy_has_taken_over_is_not_deleted() -> None:
    journey = leaving("delete", a_wanted(INFRA, on_removal="delete"))
    journey.governed = Governed(pieces={"configuration apps": "Flux everywhere"})
    assert journey.run() == []
    assert (journey.progress.state, journey.told) == ("done", ["cluster.onboarded"])


def test_a_configuration_that_its_baseline_no_longer_names_goes_after_the_others_are_there() -> None:
    journey = leaving("delete", a_wanted(a_piece("new"), INFRA, on_removal="delete"))
    assert journey.run() == [("PUT", "configuration", "new"), ("DELETE", "configuration", "apps")]
    assert journey.progress.state == "done"
    assert set(journey.progress.made) == {"extension", "configuration infra", "configuration new"}


def test_another_baseline_takes_over_and_what_the_first_one_said_of_removal_holds() -> None:
    journey = leaving("delete", a_wanted(APPS, baseline="other", on_removal="keep"))
    assert journey.run() == [("DELETE", "configuration", "infra")]
    assert (journey.progress.baseline, journey.progress.state) == ("other", "done")


# --- looks at the cluster itself


def test_a_cluster_that_no_baseline_has_is_left_alone() -> None:
    journey = Journey(None)
    assert (journey.progress.state, journey.progress.made, journey.progress.again_at) == ("left", {}, None)
    assert next_steps(None, NOBODY, Seen(found=None), journey.progress, NOW) == (journey.progress, ())


def test_a_look_that_shows_nothing_new_changes_nothing() -> None:
    journey = Journey(a_wanted(INFRA))
    journey.run()
    done = journey.progress
    journey.come_back()
    assert (journey.progress.state, journey.progress.again_at) == ("done", None)
    assert take_up(done, journey.cluster, journey.wanted, NOBODY, at(99)) == replace(done, looked_at=at(99))


# --- what is saved before a write


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_is_being_made_is_remembered_before_it_is_and_what_is_only_changed_is_not(method: Any) -> None:
    journey = Journey(a_wanted(INFRA))
    before = journey.progress
    decided, (write, *_) = next_steps(journey.wanted, NOBODY, journey.seen(), before, NOW)
    assert isinstance(write, Write)
    held = begun(before, decided, replace(write, method=method), at(120))
    assert (held.visit, held.again_at, held.writing) == (before.visit + 1, at(120), f"{before.visit + 1} {method} extension")
    assert ("extension" in held.made) is (method == "PUT")


def test_what_was_last_asked_is_kept_until_the_write_is_done() -> None:
    journey = Journey(a_wanted(INFRA))
    journey.run()
    last = journey.progress.made["configuration infra"]
    changed: Piece = a_piece("infra", kustomizations={"other": {"path": "x"}})
    journey.want(a_wanted(changed))
    journey.look()
    before = journey.progress
    decided, (write,) = next_steps(journey.wanted, NOBODY, journey.seen(), before, NOW)
    assert isinstance(write, Write)
    assert decided.made["configuration infra"].properties == changed.properties
    assert begun(before, decided, write, NOW).made["configuration infra"].properties == last.properties
    deletion = Write(method="DELETE", kind="configuration", name="infra")
    assert begun(before, replace(before, step="gone"), deletion, NOW).made == before.made
