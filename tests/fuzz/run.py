"""Read changed files until one is found that a reader does not stand, and keep it.

python tests/fuzz/run.py --seconds 600 --seed 1 [--only tables] [--keep FOLDER]
"""

import argparse
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from readers import READERS, FindingError, Reader, try_file

_MOST_SECONDS = 30  # for one file


def main() -> int:
    """Run, and return 1 after a finding."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted(READERS))
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    asked = parser.parse_args()
    readers = {asked.only: READERS[asked.only]} if asked.only else READERS
    signal.signal(signal.SIGALRM, _too_slow)
    ends, tried, refused = time.monotonic() + asked.seconds, 0, 0
    sources = {name: reader.from_seed(asked.seed) for name, reader in readers.items()}
    while time.monotonic() < ends:
        for kind, reader in readers.items():
            for _ in range(max(1, 40 // reader.cost)):
                name, content = next(sources[kind])
                try:
                    refused += not _tried(reader, name, content)
                except FindingError as finding:
                    return _kept(asked.keep, kind, name, content, finding)
                tried += 1
    print(f"{tried:,} files, {refused:,} refused, no finding.")
    return 0


def _tried(reader: Reader, name: str, content: bytes) -> bool:
    with TemporaryDirectory() as folder:
        reader.furnish(Path(folder))
        signal.alarm(_MOST_SECONDS)
        try:
            return try_file(reader, Path(folder), name, content)
        finally:
            signal.alarm(0)


def _too_slow(*_: Any) -> None:
    raise TimeoutError(f"not done after {_MOST_SECONDS} s")


def _kept(folder: Path, kind: str, name: str, content: bytes, finding: FindingError) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}-{name}"
    path.write_bytes(content)
    print(f"{kind}: {finding}\nThe file: {path}", file=sys.stderr)
    if finding.__cause__ is not None:
        raise finding
    return 1


if __name__ == "__main__":
    sys.exit(main())
