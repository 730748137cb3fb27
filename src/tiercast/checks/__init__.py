"""The gate's questions, one short class each. They judge evidence; they never gather it."""

from typing import Any, Final

from tiercast.checks.candidate import CANDIDATE_CHECKS
from tiercast.checks.data import DATA_CHECKS
from tiercast.checks.evidence import Check
from tiercast.checks.serving import SERVING_CHECKS

CHECKS: Final[tuple[Check[Any], ...]] = (*DATA_CHECKS, *CANDIDATE_CHECKS, *SERVING_CHECKS)
"""Every check, in the order in which a run asks them."""

NEVER_DEMOTED: Final = ("C203", "D101", "D102", "D104", "L301")
"""Without these nothing can be fitted or judged, what was judged is not what is published, or a pin is none."""
