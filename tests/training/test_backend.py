"""The threads of matrix products."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import clearprop as cp
from clearprop.core import blas as backend
from clearprop.core.blas import available_cores, blas_threads, choose_threads, single_threaded
from clearprop.data.pictures import files as picture_files
from clearprop.errors import UsageError
from clearprop.experiment.comparison import compare
from clearprop.experiment.settings import Settings

ROOT = Path(__file__).parents[2]


def counts() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def _no_choice_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Pretend to be on a machine of four cores, with no limit in the cgroup folder returned."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.setattr(backend, "_CGROUPS", tmp_path)
    return tmp_path


def test_threads_are_limited_and_restored() -> None:
    before = counts()
    assert before
    with blas_threads(2):
        assert set(counts()) == {2}
        with blas_threads(1):
            assert set(counts()) == {1}
        assert set(counts()) == {2}
    assert counts() == before


def test_a_library_that_comes_while_a_limit_is_in_force_is_limited_by_the_next() -> None:
    script = """
import numpy, sys
from threadpoolctl import ThreadpoolController
from clearprop.core.blas import blas_threads
own = ThreadpoolController().select(user_api="blas").lib_controllers
with blas_threads(1):
    import scipy.linalg.cython_blas
    every = ThreadpoolController().select(user_api="blas").lib_controllers
    with blas_threads(1):
        print(len(every) - len(own), {one.get_num_threads() for one in every})
print({one.get_num_threads() for one in every})
"""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "3", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
    if done.stdout.startswith("0"):
        pytest.skip("SciPy and NumPy share a library here")
    assert done.stdout.split("\n")[:2] == ["1 {1}", f"{{{min(3, cores)}}}"], done.stderr


def test_any_thread_can_limit_them() -> None:
    """Newer versions of threadpoolctl leave that to the first thread, unless told otherwise."""
    before = counts()

    def limited() -> set[int]:
        with blas_threads(2), blas_threads(1):
            return set(counts())

    assert limited() == {1}
    with ThreadPoolExecutor(1) as another:
        assert another.submit(limited).result() == {1}
        assert counts() == before
        with blas_threads(2):
            assert another.submit(limited).result() == {1}
    assert limited() == {1}
    assert counts() == before


def test_threads_that_overlap_restore_what_was_before_the_first() -> None:
    before = counts()
    first, second = blas_threads(1), blas_threads(2)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(counts()) == {2}
    second.__exit__(None, None, None)
    assert counts() == before


@pytest.mark.usefixtures("four_cores")
def test_large_steps_get_all_cores_and_small_ones_one() -> None:
    assert choose_threads(weights=80_000, samples=100) == 4
    assert choose_threads(weights=80_000, samples=99) == 1


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize("name", ["OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"])
def test_the_environment_comes_before_the_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for said, chosen in (("1", 1), ("3", 3), ("9", 4), ("0", 1)):
        monkeypatch.setenv(name, said)
        assert choose_threads(10**9, 10**3) == chosen
    assert choose_threads(10**9, 10**3, asked=2) == 2
    monkeypatch.setenv(name, "many")
    assert choose_threads(10**9, 10**3) == 4


@pytest.mark.usefixtures("four_cores")
def test_within_single_threaded_one_comes_before_rule_and_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = counts()
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    with single_threaded():
        assert choose_threads(10**9, 10**3) == 1
        assert set(counts()) == {1}
        with ThreadPoolExecutor(1) as pool:  # other threads say so for themselves
            assert pool.submit(choose_threads, 10**9, 10**3).result() == 3
    assert choose_threads(10**9, 10**3) == 3
    assert counts() == before


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize("asked", [0, -1, 5, 1.5, True, "2"])
def test_impossible_numbers_of_threads_are_refused(asked: Any) -> None:
    with pytest.raises(UsageError, match=f"from 1 to the 4 cores .* found {asked!r}"):
        choose_threads(1, 1, asked)


@pytest.mark.usefixtures("four_cores")
def test_possible_ones_come_first() -> None:
    assert [choose_threads(1, 1, asked) for asked in (1, 4, np.int64(2))] == [1, 4, 2]


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize("asked", [0, 5])
def test_a_trainer_refuses_them_too(asked: int) -> None:
    with pytest.raises(UsageError, match="from 1 to the 4 cores"):
        cp.Trainer(threads=asked)


@pytest.mark.parametrize(
    ("limit", "cores"),
    [("max 100000", 4), ("250000 100000", 2), ("50000 100000", 1), ("900000 100000", 4), ("?", 4)],
)
def test_a_container_gets_no_more_than_its_share(limit: str, cores: int, four_cores: Path) -> None:
    (four_cores / "cpu.max").write_text(limit + "\n")
    assert available_cores() == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 4), ("200000", 2)])
def test_nor_does_one_of_the_older_kind(quota: str, cores: int, four_cores: Path) -> None:
    (four_cores / "cpu").mkdir()
    (four_cores / "cpu/cpu.cfs_quota_us").write_text(quota + "\n")
    (four_cores / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert available_cores() == cores


class EnoughError(Exception):
    """Raised where the work would begin: only the number of workers is asked for."""


def test_pictures_are_decoded_by_as_many_threads_as_the_share_has_cores(
    four_cores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (four_cores / "cpu.max").write_text("200000 100000\n")
    asked = []

    def executor(threads: int) -> None:
        asked.append(threads)
        raise EnoughError

    monkeypatch.setattr("concurrent.futures.ThreadPoolExecutor", executor)
    with pytest.raises(EnoughError):
        picture_files.read_pictures([four_cores / "a.png"] * 33, (8, 8))
    assert asked == [2]


def test_architectures_are_compared_by_as_many_processes(
    four_cores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (four_cores / "cpu.max").write_text("200000 100000\n")
    asked = []

    def pool(processes: int, **_: Any) -> None:
        asked.append(processes)
        raise EnoughError

    monkeypatch.setattr("multiprocessing.get_context", lambda _: SimpleNamespace(Pool=pool))
    settings = Settings(data="digits")
    with pytest.raises(EnoughError):
        next(compare(settings, [(4,), (5,)], repeats=2))
    assert asked == [2]


def test_cores_are_counted_in_one_place() -> None:
    counted = re.compile(r"(cpu_count|sched_getaffinity)\b(?!\":)")  # no key of a stand-in for it
    files = [*Path(cp.__file__).parent.rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    assert [file.name for file in files if counted.search(file.read_text("utf-8"))] == ["blas.py"]


def test_training_limits_threads_and_restores_them() -> None:
    seen = []

    class Watch(cp.Callback):
        def on_step_end(self, run: Any) -> None:
            seen.append(set(counts()))

    net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,))
    with blas_threads(2):
        cp.Trainer(epochs=1).fit(net, np.eye(2), [0, 1], callbacks=[Watch()])
        assert set(counts()) == {2}
    assert seen == [{1}]
