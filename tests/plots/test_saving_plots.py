"""Files have the same bytes for the same figure, and nothing else of the process changes."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from clearprop import plots
from clearprop.errors import OutputError, UsageError


def a_figure() -> Figure:
    return plots.mistakes(np.eye(3), [0, 1, 0], [1, 0, 0], [0.6, 0.9, 0.8], ["cat", "dog"])


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_writes_the_same_bytes_for_the_same_figure(self, tmp_path, suffix):
    figure = a_figure()
    for path, same in (("a", figure), ("b", figure), ("c", a_figure())):
        plots.save(same, tmp_path / f"{path}{suffix}")
    first, *others = (path.read_bytes() for path in tmp_path.iterdir())
    assert others == [first, first]


def test_writes_what_other_programs_read(self, tmp_path):
    for suffix in (".png", ".svg", ".pdf"):
        plots.save(a_figure(), tmp_path / f"a{suffix}")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == 1600
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")  # noqa: S314 (our own file)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_writes_the_same_bytes_from_several_threads(self, tmp_path):
    plots.save(a_figure(), tmp_path / "alone.svg")
    paths = [tmp_path / f"{index}.svg" for index in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda path: plots.save(a_figure(), path), paths))
    assert {path.read_bytes() for path in paths} == {(tmp_path / "alone.svg").read_bytes()}


@pytest.mark.parametrize("name", ["a.jpg", "a", "png"])
def test_refuses_other_formats(self, tmp_path, name):
    with pytest.raises(UsageError, match=r"\.png, \.svg, \.pdf"):
        plots.save(a_figure(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_folder_that_is_missing(self, tmp_path):
    with pytest.raises(OutputError, match="nowhere"):
        plots.save(a_figure(), tmp_path / "nowhere" / "a.png")


def test_pyplot_and_its_state_stay_out(tmp_path):
    code = (
        "import sys, matplotlib\n"
        "before = dict(matplotlib.rcParams)\n"
        "from clearprop import plots\n"
        f"plots.save(plots.curves({HISTORY!r}), sys.argv[1])\n"
        "assert dict(matplotlib.rcParams) == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.svg")], check=True)
