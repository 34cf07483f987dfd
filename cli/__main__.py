"""`python -m cli` is `sluice`, where the command is not on the PATH."""

import sys

from cli.main import main

sys.exit(main())
