"""When loops are compiled, and what happens where they can't be."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

TRAINING = """
import numpy as np, sys, warnings
import clearprop as cp
from clearprop.core import kernels
from clearprop.core.kernels import kernel

kernel._WORTHWHILE = {worthwhile}
X = np.random.RandomState(0).standard_normal((64, 5))
layers = [cp.Dense(7), cp.ReLU(), cp.LayerNorm(), cp.Dense(3)]
net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(5,))
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    cp.Trainer(epochs=20, sample_space=False).fit(net, X, np.arange(64) % 3)
print(net.parameters.data.tobytes().hex())
print("numba" in sys.modules, kernels.are_compiled(), [str(one.message) for one in found])
"""
"""Of a network that no whole step knows, so that loops alone are compiled."""
CHAIN = TRAINING.replace("cp.LayerNorm(), ", "")
ALWAYS, NEVER = 0, 10**15


def train(
    folder: Path, code: str = TRAINING, *, worthwhile: int = ALWAYS, **environment: str
) -> tuple[str, str]:
    """Return the weights of a short training, and what was loaded and said."""
    done = subprocess.run(
        [sys.executable, "-c", code.format(worthwhile=worthwhile)],
        env={
            **os.environ,
            "CLEARPROP_KERNELS": "auto",
            "OPENBLAS_NUM_THREADS": "1",
            "NUMBA_CACHE_DIR": str(folder),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    weights, said = done.stdout.splitlines()
    return weights, said


def broken_numba(folder: Path, text: str) -> str:
    (folder / "numba.py").write_text(text)
    return os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])


def test_a_short_training_does_not_even_load_numba(tmp_path: Path) -> None:
    assert train(tmp_path, worthwhile=NEVER)[1] == "False False []"


def test_compiled_loops_give_the_bits_of_the_formulas(tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    by_formula, _ = train(tmp_path, CLEARPROP_KERNELS="numpy")
    by_loop, said = train(tmp_path)
    assert said == "True True []"
    assert list(tmp_path.rglob("*.nbi"))  # kept on disk
    assert by_loop == by_formula
    assert train(tmp_path)[0] == by_formula  # from the disk


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    (tmp_path / "file").write_text("")
    by_formula, _ = train(tmp_path, CLEARPROP_KERNELS="numpy")
    assert train(tmp_path / "file") == (by_formula, "True True []")


@pytest.mark.parametrize(
    "text", ["raise ImportError('no LLVM')", "def njit(*_, **__): raise ValueError('no LLVM')"]
)
def test_a_broken_numba_gives_one_warning(tmp_path: Path, text: str) -> None:
    by_formula, _ = train(tmp_path, CLEARPROP_KERNELS="numpy")
    weights, said = train(tmp_path, PYTHONPATH=broken_numba(tmp_path, text))
    assert weights == by_formula
    assert said.count("Numba is installed but does not work") == 1
    assert "no LLVM" in said
    assert "False [" in said  # and it is not tried again


MISSING = {  # each is done without, one after the other, in a Numba that is whole otherwise
    "a name that is imported": "import numba.np.linalg as place; del place.get_blas_kind",
    "a name that is called": "import numba.core.cgutils as place; del place.alloca_once_value",
    "a name that is linked": """
import llvmlite.binding as place
own = place.address_of_symbol
place.address_of_symbol = lambda name: None if name == "numba_xxgemm" else own(name)
""",
}


@pytest.mark.skipif(os.name != "posix", reason="compiled steps run on POSIX systems")
@pytest.mark.parametrize("spoil", MISSING.values(), ids=MISSING)
def test_an_inner_name_that_another_numba_lacks_gives_one_warning(
    tmp_path: Path, spoil: str
) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    by_formula, _ = train(tmp_path, CHAIN, CLEARPROP_KERNELS="numpy")
    weights, said = train(tmp_path, f"{spoil}\n{CHAIN}")
    assert weights == by_formula
    assert said.count("Numba is installed but does not work") == 1
    assert "False [" in said


@pytest.mark.slow  # nothing is kept from before
def test_with_all_its_names_whole_steps_are_compiled(tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    assert train(tmp_path, CHAIN)[1] == "True True []"
    kept = {file.name.partition(".")[0] for file in tmp_path.rglob("*.nbi")}
    assert ("crew" in kept) == (os.name == "posix")


def test_numba_is_bounded_to_the_versions_that_are_tested() -> None:
    root = Path(__file__).parents[2]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    [allowed] = [Requirement(one).specifier for one in extras["fast"]]
    pinned = re.search(
        r"^numba==(\d+)\.(\d+)\.(\d+)$", (root / "constraints.txt").read_text(), re.M
    )
    assert pinned is not None
    major, minor, patch = map(int, pinned.groups())
    assert f"{major}.{minor}.{patch}" in allowed
    assert f"{major}.{minor + 1}.0" not in allowed


def test_the_environment_can_forbid_it(tmp_path: Path) -> None:
    assert train(tmp_path, CLEARPROP_KERNELS="numpy")[1] == "False False []"


def test_another_word_in_the_environment_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import clearprop"],
        env={**os.environ, "CLEARPROP_KERNELS": "fast"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "CLEARPROP_KERNELS is auto, numpy or compiled; found 'fast'" in done.stderr
