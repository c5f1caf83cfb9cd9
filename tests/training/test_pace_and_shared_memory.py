"""What is told of a cluster's workers, and the memory that they share with who asks."""

import gc
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearprop.training.shards.pace import Pace
from clearprop.training.shards.shared import SharedArray

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="there is none on this system")

FILL = """
import pickle, sys
place = pickle.load(sys.stdin.buffer)
array = place.open()
print(array.shape, array.dtype, array.sum())
array[...] = 7
"""


class TestPace:
    def test_tells_workers_and_rows_a_second(self):
        pace = Pace()
        assert pace() == ""
        for update in range(10):
            pace.note(update * 0.5, 2000, {"a": update * 0.5 + 0.39, "b": update * 0.5 + 0.4})
        assert pace() == f"2 workers, {20000 / 4.9:,.0f} rows/s"

    def test_names_the_one_that_the_others_wait_for(self):
        pace = Pace()
        for update in range(10):
            pace.note(update, 100, {"a": update + 0.5, "b": update + 0.75, "c": update + 1})
        assert pace() == "3 workers, 100 rows/s, waited 25% for c"

    def test_forgets_what_was_long_ago(self):
        pace = Pace()
        pace.note(0, 100, {"a": 1, "b": 1000})
        for update in range(1000, 1100):
            pace.note(update, 50, {"a": update + 1})
        assert pace() == "1 worker, 50 rows/s"


@on_linux
class TestSharedArray:
    def test_another_process_reads_and_writes_it(self):
        with_ones = SharedArray((3, 5), np.dtype("float32"))
        assert not with_ones.array.any()
        with_ones.array[...] = 1
        said = subprocess.run(
            [sys.executable, "-c", FILL],
            input=pickle.dumps(with_ones.place),
            stdout=subprocess.PIPE,
            check=True,
        )
        assert said.stdout.decode().strip() == "(3, 5) float32 15.0"
        assert (with_ones.array == 7).all()
        with_ones.close()
        assert (with_ones.array == 7).all()

    def test_it_can_be_of_no_numbers(self):
        nothing = SharedArray((0,), np.dtype("float32"))
        opened = nothing.place.open()
        assert opened is not None
        assert opened.shape == (0,)
        nothing.close()

    def test_who_looks_at_another_file_is_told_nothing(self):
        one, other = (SharedArray((4,), np.dtype("float64")) for _ in range(2))
        assert replace(one.place, path=other.place.path).open() is None
        assert replace(one.place, path="/proc/self/fd/999999").open() is None
        one.close()
        assert one.place.open() is None
        other.close()

    def test_nothing_of_it_is_left(self):
        def left():
            return Path("/proc/self/maps").read_text().count("/memfd:clearprop-")

        before = left()
        one = SharedArray((1000,), np.dtype("float64"))
        opened = one.place.open()
        assert left() == before + 2
        one.close()
        del one, opened
        gc.collect()
        assert left() == before

    def test_memory_is_taken_by_what_is_written_alone(self):
        one = SharedArray((2**14, 2**13), np.dtype("float64"))  # 1 GiB
        one.array[5, 5] = 1
        assert Path(one.place.path).stat().st_blocks * 512 < 2**22
        one.close()
