"""The conditions of a measurement; nothing that names the machine or its owner."""

import platform
from datetime import UTC, datetime
from pathlib import Path

from bench.peers import version_of
from clearprop.core.blas import available_cores

_PACKAGES = (
    "clearprop",
    "numpy",
    "numba",
    "scikit-learn",
    "torch",
    "jax",
    "keras",
)


def facts() -> dict[str, str]:
    """Return date, machine and versions in words."""
    versions = {package: version_of(package) for package in _PACKAGES}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{_processor()}, {available_cores()} cores, {platform.system()}",
        "Python": platform.python_version(),
        **{package: found for package, found in versions.items() if found},
    }


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()
