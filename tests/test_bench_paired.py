"""The paired benchmark: its interval, its verdict, and that each side runs its own checkout."""

import json
import sys
from pathlib import Path

import pytest
from scipy.stats import binom

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # bench/ is a part of the repository, not of the package

from bench import paired, pool  # noqa: E402
from bench.cells import CELLS  # noqa: E402
from bench.paired import Pairs, interval, turns  # noqa: E402
from bench.results import Results  # noqa: E402

WORKER = '''
"""Answers as bench.worker does, with the seconds that a file beside it tells."""
import json, os, sys
from pathlib import Path
here = Path(__file__).parents[1]
assert os.environ["PYTHONPATH"].split(os.pathsep)[0] == str(here / "src")
for line in sys.stdin:
    command, arguments = json.loads(line)
    seconds = json.loads((here / "seconds").read_text())
    answers = {
        "load": {"can": True, "differs": None},
        "train": {"seconds": seconds},
        "learn": {"seconds": seconds},
        "loss": {"loss": json.loads((here / "loss").read_text())},
    }
    print(json.dumps(answers.get(command, {})), flush=True)
'''


@pytest.mark.parametrize("count", [6, 7, 9, 15, 25, 40])
def test_the_interval_is_the_narrowest_of_its_kind_that_holds_95_percent(count):
    low, high = interval([float(number) for number in range(count)])
    below = int(low)
    assert high == count - 1 - below
    assert 2 * binom.cdf(below, count, 0.5) <= 0.05
    assert 2 * binom.cdf(below + 1, count, 0.5) > 0.05


def test_fifteen_pairs_leave_out_three_on_either_side():
    assert interval([9.0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15]) == (4, 12)


def test_a_cell_is_slower_if_the_whole_interval_is_above_the_border():
    old = (1.0,) * 15
    assert Pairs("a", "", (1.04,) * 15, old).is_slower
    assert not Pairs("a", "", (1.02,) * 15, old).is_slower
    assert not Pairs("a", "", (1.02,) * 4 + (2.0,) * 11, old).is_slower
    assert Pairs("a", "", (1.02,) * 3 + (2.0,) * 12, old).is_slower


def test_both_sides_begin_every_other_pair(monkeypatch):
    monkeypatch.setattr(paired, "_PAUSE", 0)
    order = []

    def side(name, seconds):
        def once():
            order.append(name)
            return seconds

        return once

    monkeypatch.setattr(paired, "_turn", lambda once: once())
    assert turns(side("new", 2.0), side("old", 1.0), 3) == [(2.0, 1.0)] * 3
    assert order == ["new", "old", "old", "new", "new", "old"]


def test_work_that_is_quick_is_repeated_and_its_mean_taken(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(paired.time, "perf_counter", lambda: next(clock) * 0.1)
    seconds = iter([1.0, 2.0, 6.0])
    assert paired._turn(lambda: next(seconds)) == 1.5


def test_every_line_of_clearprop_that_takes_seconds_is_compared():
    names = {job.name for job in paired.jobs("*")} | {"import"}
    timed = {line.name for line in Results.load().lines if line.unit == "s"}
    assert {name for name in timed if not name.startswith("mnist")} <= names
    assert all(name in CELLS or name.partition("-")[0] in CELLS for name in names - {"import"})
    assert CELLS["genes"].name in names
    assert {job.name for job in paired.jobs("estimators-*-sgd")} == {
        name for name in names if name.startswith("estimators") and name.endswith("sgd")
    }


def checkout(folder, seconds, loss=0.5):
    (folder / "bench").mkdir(parents=True)
    (folder / "bench/__init__.py").touch()
    (folder / "bench/worker.py").write_text(WORKER)
    (folder / "seconds").write_text(json.dumps(seconds))
    (folder / "loss").write_text(json.dumps(loss))
    return folder


@pytest.fixture
def compare(tmp_path, monkeypatch, capsys):
    """Compare tiny-adam in two made-up checkouts; return status, what was said, and the file."""
    monkeypatch.setattr(paired, "_PAUSE", 0)
    monkeypatch.setattr(paired, "_turn", lambda once: once())

    def run(new, old, *options):
        monkeypatch.setattr(paired, "ROOT", checkout(tmp_path / "new", *new))
        against = checkout(tmp_path / "old", *old)
        written = tmp_path / "paired.json"
        asked = ["--against", str(against), "--cells", "tiny-adam", "--json", str(written)]
        status = paired.main([*asked, *options])
        return status, capsys.readouterr().err, json.loads(written.read_text())

    return run


def test_each_checkout_is_run_by_its_own_worker(compare):
    status, said, written = compare((1.5, 0.5), (1.0, 0.5))
    assert status == 1
    assert "1.500 [1.500, 1.500] of 15  SLOWER" in said
    for cell in written["cells"]:
        assert cell["cell"] == "tiny-adam"
        assert cell["slower"]
        assert cell["ratio"] == 1.5
        assert cell["new"] == [1.5] * 15
        assert cell["old"] == [1.0] * 15
        assert cell["agrees"]
    assert {"date", "machine", "new", "old"} <= set(written)


def test_no_process_is_kept_for_all_pairs(compare, monkeypatch):
    started = []

    class Noted(pool.Remote):
        def __init__(self, setting, root):
            started.append(root.name)
            super().__init__(setting, root)

    monkeypatch.setattr(pool, "Remote", Noted)
    compare((1.0, 0.5), (1.0, 0.5))
    assert started == ["new", "old"] * 3 * len(paired.jobs("tiny-adam")[0].entries)


def test_a_checkout_that_is_as_quick_passes_and_another_outcome_is_told(compare):
    status, said, written = compare((1.0, 0.5), (1.0, 0.6))
    assert status == 0
    assert "None slower." in said
    assert "OUTCOME DIFFERS by 0.2" in said
    assert not written["cells"][0]["agrees"]


@pytest.mark.parametrize(("seconds", "pairs"), [(1.0, 10), (100.0, 6), (0.01, 15)])
def test_long_cells_get_fewer_pairs_but_enough_for_an_interval(compare, seconds, pairs):
    _, _, written = compare((seconds,), (seconds,), "--at-most", "20")
    assert len(written["cells"][0]["new"]) == pairs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cells", "nothing"], "no cell matches 'nothing'; there are import, cat-float64"),
        (["--pairs", "5"], "--pairs is at least 6; found 5"),
        (["--against", "."], "no checkout of clearprop: it has no bench/worker.py"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        paired.main(["--against", str(ROOT), *options])
    assert message in " ".join(capsys.readouterr().err.split())
