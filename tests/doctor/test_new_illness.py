"""An illness that lies in a module of its own, and that one line names, needs no other change."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from doctor_trainings import net, toy, trained_by

import clearprop as cp
from clearprop.cli import cli
from clearprop.data.named import moons
from clearprop.doctor import Examination, Finding, Illness, catalogue

MODULE = '''
from clearprop.doctor.illness import Illness

class TightClip(Illness):
    """Gradients that are clipped to nothing."""

    key = "tight_clip"
    name = "Gradients clipped to nothing"
    threshold = 0.001
    measurement = {
        "": "Class {most}, like the others, is learned from gradients of {measured:g} at most.",
        "early": "Gradients will be clipped to {measured:g}.",
    }
    reason = "Threshold {threshold:g}: the test's own."
    advice = "Clip less."
    cures = ({"clip_norm": 0.00001}, {"clip_norm": 1.0})
    class_facts = ("most",)
    is_early = True

    def look(self, case, found):
        """Look at the norm that gradients are clipped to."""
        norm = None if case.trainer is None else case.trainer.clip_norm
        if norm is None or norm > self.threshold:
            return None
        if len(case.history):
            return self.proven(case, found, norm, most=1)
        return self.finding(norm, variant="early")
'''


@pytest.fixture
def tight_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Illness]:
    """The illness, from a file that no other knows of."""
    (tmp_path / "tight_clip.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("tight_clip").TightClip()
    del sys.modules["tight_clip"]


@pytest.fixture
def name_it(tight_clip: Illness, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """The line that names it, at a place of the catalogue."""

    def at(place: int) -> None:
        every = [*catalogue.ILLNESSES]
        every.insert(place, tight_clip)
        monkeypatch.setattr(catalogue, "ILLNESSES", tuple(every))

    return at


def examined(
    network: cp.Network, clip_norm: float, tell: Callable[[Finding], None] | None = None
) -> Examination:
    (X, y), _ = toy(moons)
    doctor = cp.Doctor(tell=tell)
    trained_by(cp.SGD(0.3), clip_norm=clip_norm).fit(network, X, y, callbacks=[doctor])
    return doctor.examination


def test_it_is_found_and_the_treatment_that_helps_is_told(
    name_it: Callable[[int], None],
) -> None:
    assert "tight_clip" not in examined(net(2, [16], 1), 1e-6).illnesses
    name_it(0)
    finding = examined(net(2, [16], 1), 1e-6)[0]
    assert (finding.illness, finding.harm) == ("tight_clip", 1)
    assert finding.changes == {"clip_norm": 1.0}
    assert finding.python == ("cp.Trainer(clip_norm=1, ...)",)
    title, *sentences, _python, command = map(str.strip, str(finding).splitlines())
    said = " ".join(sentences)
    assert title == "Gradients clipped to nothing"
    assert said.startswith("Class 1, like the others, is learned from gradients of 1e-06 at most.")
    assert "A trial of 300 updates with the advice reaches accuracy" in said
    assert said.endswith("Threshold 0.001: the test's own. Clip less.")
    assert command == "command line:  --clip-norm 1"


def test_it_is_told_before_the_first_update(name_it: Callable[[int], None]) -> None:
    name_it(0)
    told: list[Finding] = []
    examined(net(2, [16], 1), 1e-6, tell=told.append)
    assert told[0].measurement == "Gradients will be clipped to 1e-06."


def test_it_is_no_illness_where_the_treatment_does_not_help(
    name_it: Callable[[int], None],
) -> None:
    name_it(0)
    hopeless = net(2, [16] * 4, 1, cp.Tanh(), init=cp.Normal(0.01))
    assert "tight_clip" not in examined(hopeless, 1e-6).illnesses


def test_it_is_a_consequence_of_what_stands_before_it(name_it: Callable[[int], None]) -> None:
    name_it(len(catalogue.ILLNESSES))
    zeros = net(2, [16], 1, cp.Tanh(), init=cp.Zeros())
    finding = examined(zeros, 1e-6)[-1]
    assert (finding.illness, finding.changes) == ("tight_clip", {})
    assert "(equal weights)" in finding.advice
    assert finding.to_json()["facts"] == {"cause": "symmetric_weights", "most": 1}


@pytest.mark.slow
def test_the_command_tells_it_with_the_names_of_classes(
    name_it: Callable[[int], None], tmp_path: Path
) -> None:
    name_it(0)
    run = tmp_path / "run"
    how = ["--optimizer", "sgd", "--clip-norm", "1e-6", "--epochs", "30"]
    assert CliRunner().invoke(cli, ["train", "iris", *how, "--out", str(run)]).exit_code == 0
    told = json.loads(CliRunner().invoke(cli, ["doctor", str(run), "--json"]).stdout)
    said = told["findings"][0]
    assert said["illness"] == "tight_clip"
    assert said["measurement"].startswith("Class versicolor, like the others")
    assert said["command"] == "--clip-norm 1"
