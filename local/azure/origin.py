"""Where the simulator listens: known once its socket is bound, and part of many answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    port: int

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def vault_resource(self) -> str:
        """The resource a Key Vault challenge names: the parent domain of the vault's host, as vault.azure.net is.

        Key Vault's SDK accepts a challenge whose resource is a suffix of the request's host after a dot;
        `127.0.0.1:P` ends with `.0.0.1:P`.
        """
        return f"https://0.0.1:{self.port}"
