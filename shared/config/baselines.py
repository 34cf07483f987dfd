"""The baselines of sluice.yaml: what every cluster of a kind must have, and what that is in Azure's words for one cluster."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from shared.config.fields import Duration, Name, Reference, Section, Template, Variable, seconds
from shared.domain.baselines import EXTENSION_NAME, FLUX_EXTENSION, SOURCES, OnRemoval, Piece, Wanted
from shared.domain.clusters import Cluster
from shared.domain.selectors import Selector
from shared.domain.templates import fill, parse_template

Json = dict[str, Any]
Controller = Literal["source", "kustomize", "helm", "notification", "image-automation", "image-reflector"]
CONTROLLERS: tuple[Controller, ...] = ("source", "kustomize", "helm", "notification", "image-automation", "image-reflector")
_EVERY = Selector()
#: Those that Azure takes in configurationProtectedSettings, each in base64 (github.com/Azure/azure-cli-extensions, k8s-configuration).
ProtectedSetting = Literal["sshPrivateKey", "httpsKey", "bucketSecretKey"]
Text = Annotated[str, Meta(min_length=1, max_length=2048)]
Version = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$(?!\n)", description="of the extension, in full", examples=["1.24.1"])]


class Extension(Section, frozen=True):
    """The `microsoft.flux` extension. Without a version Azure keeps it at the newest of its release train."""

    release_train: Text = "Stable"
    version: Version | None = None
    controllers: tuple[Controller, ...] = ("source", "kustomize", "helm", "notification")
    multi_tenancy: bool = True
    settings: dict[Text, str] = {}  #: any other of the extension's configuration settings

    def piece(self) -> Piece:
        settings = {f"{name}-controller.enabled": _flag(name in self.controllers) for name in CONTROLLERS}
        properties: Json = {
            "extensionType": FLUX_EXTENSION,
            "releaseTrain": self.release_train,
            "autoUpgradeMinorVersion": self.version is None,
            "scope": {"cluster": {"releaseNamespace": "flux-system"}},
            "configurationSettings": {**settings, "multiTenancy.enforce": _flag(self.multi_tenancy), **self.settings},
        }
        if self.version is not None:
            properties["version"] = self.version
        return Piece(kind="extension", name=EXTENSION_NAME, properties=properties)


class GitRepository(Section, frozen=True, tag_field="kind", tag="GitRepository"):
    """A Git repository, at a branch, a tag, a semver range of tags, or a commit of a branch."""

    url: Text
    branch: Text | None = None
    tag: Text | None = None
    semver: Text | None = None
    commit: Text | None = None
    interval: Duration = "10m"
    timeout: Duration = "10m"
    https_user: Text | None = None
    https_ca_cert: Text | None = field(default=None, name="httpsCACert")  #: base64
    ssh_known_hosts: Text | None = None  #: base64
    local_auth_ref: Text | None = None
    provider: Literal["Azure", "GitHub", "Generic"] | None = None

    def source(self) -> Json:
        reference = {"branch": self.branch, "tag": self.tag, "semver": self.semver, "commit": self.commit}
        more = {
            "httpsUser": self.https_user,
            "httpsCACert": self.https_ca_cert,
            "sshKnownHosts": self.ssh_known_hosts,
            "localAuthRef": self.local_auth_ref,
            "provider": self.provider,
        }
        return {"url": self.url, **_times(self.interval, self.timeout), "repositoryRef": _named(reference), **_named(more)}

    def secrets(self) -> dict[str, str]:
        return {}


class Bucket(Section, frozen=True, tag_field="kind", tag="Bucket"):
    """An S3-compatible bucket. Its secret key is the protected setting `bucketSecretKey`."""

    url: Text
    bucket_name: Text
    interval: Duration = "10m"
    timeout: Duration = "10m"
    access_key: Text | None = None
    insecure: bool = False  #: Azure's own default is true
    local_auth_ref: Text | None = None

    def source(self) -> Json:
        more = _named({"accessKey": self.access_key, "localAuthRef": self.local_auth_ref})
        times = _times(self.interval, self.timeout)
        return {"url": self.url, "bucketName": self.bucket_name, "insecure": self.insecure, **times, **more}

    def secrets(self) -> dict[str, str]:
        return {}


class AzureBlob(Section, frozen=True, tag_field="kind", tag="AzureBlob"):
    """A container of a storage account."""

    url: Text
    container_name: Text
    interval: Duration = "10m"
    timeout: Duration = "10m"
    account_key_ref: Reference | None = None
    sas_token_ref: Reference | None = None
    local_auth_ref: Text | None = None

    def source(self) -> Json:
        more = _named({"localAuthRef": self.local_auth_ref})
        return {"url": self.url, "containerName": self.container_name, **_times(self.interval, self.timeout), **more}

    def secrets(self) -> dict[str, str]:
        return _named({"azureBlob.accountKey": self.account_key_ref, "azureBlob.sasToken": self.sas_token_ref})


class OCIRepository(Section, frozen=True, tag_field="kind", tag="OCIRepository"):
    """An artifact in a registry, at a tag, a semver range of tags, or a digest."""

    url: Text
    tag: Text | None = None
    semver: Text | None = None
    digest: Text | None = None
    interval: Duration = "10m"
    timeout: Duration = "10m"
    insecure: bool = False
    use_workload_identity: bool = False
    service_account_name: Text | None = None
    local_auth_ref: Text | None = None

    def source(self) -> Json:
        reference = {"tag": self.tag, "semver": self.semver, "digest": self.digest}
        flags = {"insecure": self.insecure, "useWorkloadIdentity": self.use_workload_identity}
        more = _named({"serviceAccountName": self.service_account_name, "localAuthRef": self.local_auth_ref})
        return {"url": self.url, **_times(self.interval, self.timeout), "repositoryRef": _named(reference), **flags, **more}

    def secrets(self) -> dict[str, str]:
        return {}


Source = GitRepository | Bucket | AzureBlob | OCIRepository


class SubstituteFrom(Section, frozen=True):
    """A ConfigMap or Secret on the cluster whose entries are values too."""

    kind: Literal["ConfigMap", "Secret"]
    name: Text
    optional: bool = False


class PostBuild(Section, frozen=True):
    """Flux's post-build variable substitution."""

    substitute: dict[Variable, Template] = {}
    substitute_from: tuple[SubstituteFrom, ...] = ()

    def body(self, cluster: Cluster) -> Json:
        """Raises Unfilled."""
        given = [{"kind": each.kind, "name": each.name, "optional": each.optional} for each in self.substitute_from]
        values = {name: fill(parse_template(template), cluster) for name, template in self.substitute.items()}
        return {**({"substitute": values} if values else {}), **({"substituteFrom": given} if given else {})}


class Kustomization(Section, frozen=True):
    """A folder of the source that is applied."""

    name: Name
    path: str = ""
    depends_on: tuple[Name, ...] = ()
    prune: bool = False
    force: bool = False
    wait: bool = True
    interval: Duration = "10m"
    retry_interval: Duration | None = None
    timeout: Duration = "10m"
    post_build: PostBuild = PostBuild()

    def body(self, cluster: Cluster) -> Json:
        """Raises Unfilled."""
        retry = {} if self.retry_interval is None else {"retryIntervalInSeconds": int(seconds(self.retry_interval))}
        post_build = self.post_build.body(cluster)
        return {
            "path": self.path,
            "dependsOn": list(self.depends_on),
            "prune": self.prune,
            "force": self.force,
            "wait": self.wait,
            **_times(self.interval, self.timeout),
            **retry,
            **({"postBuild": post_build} if post_build else {}),
        }


class FluxConfiguration(Section, frozen=True):
    """A fluxConfiguration: a source, and what is applied of it."""

    name: Name
    namespace: Name
    source: Source
    kustomizations: Annotated[tuple[Kustomization, ...], Meta(min_length=1)]
    scope: Literal["cluster", "namespace"] = "cluster"
    protected_settings: dict[ProtectedSetting, Reference] = {}

    def piece(self, cluster: Cluster) -> Piece:
        """Raises Unfilled."""
        kind = type(self.source).__name__
        properties: Json = {
            "scope": self.scope,
            "namespace": self.namespace,
            "sourceKind": kind,
            SOURCES[kind]: self.source.source(),
            "kustomizations": {each.name: each.body(cluster) for each in self.kustomizations},
        }
        protected = {f"configurationProtectedSettings.{name}": reference for name, reference in self.protected_settings.items()}
        return Piece(kind="configuration", name=self.name, properties=properties, secrets={**protected, **self.source.secrets()})


class Baseline(Section, frozen=True):
    """What every cluster must have that this selects. A cluster has the first baseline of the file that selects it."""

    name: Name
    selector: Selector = _EVERY
    extension: Extension = Extension()
    configurations: tuple[FluxConfiguration, ...] = ()
    on_removal: OnRemoval = "keep"
    compliance_within: Duration = "30m"  #: of each step: a cluster that is not there by then is told as failed

    def wanted(self, cluster: Cluster) -> Wanted:
        """Raises Unfilled where a value has no source on this cluster."""
        return Wanted(
            baseline=self.name,
            pieces=(self.extension.piece(), *(each.piece(cluster) for each in self.configurations)),
            on_removal=self.on_removal,
            compliance_within_seconds=seconds(self.compliance_within),
        )


def _times(interval: str, timeout: str) -> Json:
    return {"syncIntervalInSeconds": int(seconds(interval)), "timeoutInSeconds": int(seconds(timeout))}


def _named(values: dict[str, Any]) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _flag(value: bool) -> str:
    """Every setting of an extension is a text."""
    return "true" if value else "false"
