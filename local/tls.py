"""A throw-away certificate authority, so that every local server speaks TLS and no client needs a flag for it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: the authority to trust, and a server's certificate and key for 127.0.0.1 and localhost."""

    authority: Path
    certificate: Path
    key: Path

    def trust_environment(self) -> dict[str, str]:
        """The variables that make OpenSSL, requests and Node trust the authority, and only it."""
        path = str(self.authority)
        return {"SSL_CERT_FILE": path, "REQUESTS_CA_BUNDLE": path, "NODE_EXTRA_CA_CERTS": path}


def create(directory: Path) -> TlsFiles:
    """Writes a new authority and a server certificate into `directory`; the key is readable by its owner only."""
    import trustme

    directory.mkdir(parents=True, exist_ok=True)
    files = TlsFiles(directory / "authority.pem", directory / "server.pem", directory / "server.key")
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(files.authority)
    files.certificate.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    files.key.touch(mode=0o600)
    files.key.write_bytes(server.private_key_pem.bytes())
    return files
