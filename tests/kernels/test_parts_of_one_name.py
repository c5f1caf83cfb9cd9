"""Parts of one name, compiled by several processes, never do each other's work in a later one."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")

STEPS = '''
"""Two steps, whose parts have one name, and are too long to become part of their callers."""
import math, sys
from clearprop.compiled.threads import compiled, part, written

LONG = "def one(x):\\n" + "    x += math.sin(x) ** 2 - math.sin(x) * math.sin(x)\\n" * 60
plus = part(written("one", LONG + "    return round(x + 1.0)", {"math": math}))
times = part(written("one", LONG + "    return round(x * 10.0)", {"math": math}))

@compiled
def add(x):
    return plus(x)

@compiled
def multiply(x):
    return times(x)

print(*[globals()[name](5.0) for name in sys.argv[1:]])
'''


def ran(folder: Path, *steps: str) -> str:
    done = subprocess.run(
        [sys.executable, str(folder / "steps.py"), *steps],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "kept")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.slow  # four processes load Numba, and two compile
def test_a_process_that_loads_what_two_others_compiled(tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text(STEPS)
    assert ran(tmp_path, "add") == "6"
    assert ran(tmp_path, "multiply") == "50"
    assert ran(tmp_path, "add", "multiply") == "6 50"
    assert ran(tmp_path, "multiply", "add") == "50 6"


def test_parts_have_names_of_their_own() -> None:
    from clearprop.compiled.threads import part, written

    def made(text: str) -> Callable[..., float]:
        return written("one", f"def one(x): return x + {text}", {})

    parts = [part(made(text)) for text in ("1.0", "2.0")]
    names = {one.py_func.__qualname__ for one in parts}
    assert len(names) == 2
    assert all(name.startswith("one-") for name in names)
