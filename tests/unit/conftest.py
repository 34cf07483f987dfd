"""Hypothesis without deadlines (the cores are shared) and with few examples, the same in every run: what fails, fails for a change of the
code. HYPOTHESIS_PROFILE=thorough looks longer, and elsewhere each time.
"""

import os

from hypothesis import HealthCheck, settings

_SHARED_CORES = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", max_examples=60, derandomize=True, **_SHARED_CORES)
settings.register_profile("thorough", max_examples=2000, **_SHARED_CORES)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
