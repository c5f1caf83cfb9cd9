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
def test_the_same_figure_has_the_same_bytes_at_any_time(tmp_path, monkeypatch, suffix):
    figure = a_figure()
    for second, same in enumerate((figure, figure, a_figure())):
        # What writers take for the time, should they stamp it on a file.
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(second))
        plots.save(same, tmp_path / f"{second}{suffix}")
    assert len([*tmp_path.iterdir()]) == 3
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_files_are_what_other_programs_read(tmp_path):
    for suffix in (".png", ".svg", ".pdf"):
        plots.save(a_figure(), tmp_path / f"a{suffix}")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == 1600
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")  # noqa: S314 (just written here)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_several_threads_write_the_same_bytes(tmp_path):
    plots.save(a_figure(), tmp_path / "alone.svg")
    paths = [tmp_path / f"{index}.svg" for index in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda path: plots.save(a_figure(), path), paths))
    assert len({path.read_bytes() for path in (*paths, tmp_path / "alone.svg")}) == 1


@pytest.mark.parametrize("name", ["a.jpg", "a", "png"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"\.png, \.svg, \.pdf"):
        plots.save(a_figure(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(OutputError, match="nowhere"):
        plots.save(a_figure(), tmp_path / "nowhere" / "a.png")


def test_pyplot_stays_out_and_settings_stay_as_they_were(tmp_path):
    code = (
        "import sys, matplotlib\n"
        "before = matplotlib.rcParams.copy()\n"
        "from clearprop import plots\n"
        "plots.save(plots.curves({'epoch': [1, 2], 'loss': [2, 1]}), sys.argv[1])\n"
        "assert matplotlib.rcParams.copy() == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.svg")], check=True)
