"""Where data that are not part of the project lie; what reads them is skipped if they are not there."""

import os
from pathlib import Path

SHARED_DATA = Path(os.environ.get("DRAGON_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
# What the published model computed, beside the data.
GOLDEN = SHARED_DATA.parent / "golden"
