"""Where the stack's parts are in a checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
BUILD = Path(os.environ.get("GST_KAFKA_VISION_BUILD", ROOT / "build" / "release"))
"""The build folder whose plugins run; the variable is for trying another one."""
LOGS = ROOT / "build" / "logs"
