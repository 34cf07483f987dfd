"""`sluice validate`: checks a sluice.yaml offline."""

import argparse
from pathlib import Path

from cli.options import Verbs, fail


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("validate", help="check a sluice.yaml, offline")
    parser.add_argument("file", type=Path, nargs="?", default=Path("sluice.yaml"), metavar="FILE", help="default: sluice.yaml")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from shared.config.loader import load_text
    from shared.domain.errors import Malformed

    try:
        config = load_text(options.file.read_text(), str(options.file))
    except (OSError, UnicodeDecodeError, Malformed) as error:
        return fail(error)
    counts = ((section, len(getattr(config, section))) for section in ("receivers", "strategies", "routes", "providers", "alerts"))
    print(f"{options.file}: ok ({', '.join(f'{count} {section}' for section, count in counts)})")
    return 0
