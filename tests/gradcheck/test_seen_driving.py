"""Code that only defines functions and classes is called, in whatever style it is written."""

from pathlib import Path

import numpy as np
import pytest
from seen_driven import STYLES

from clearprop.gradcheck.seeing.calling.driving import Attempt, attempts
from clearprop.gradcheck.seeing.calling.roles import roles_of
from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.judging.costs import meetings, usual
from clearprop.gradcheck.seeing.judging.episodes import episodes
from clearprop.gradcheck.seeing.judging.judge import judge
from clearprop.gradcheck.seeing.judging.judgement import fitted
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.updates import find_updates
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape, depending


def _parameters_right(tape: Tape, attempt: Attempt) -> dict[str, bool]:
    """Return for each parameter of an attempt whether a claim is its derivative."""
    first = min((node.place for node in attempt.parameters.values()), default=0)
    reached = depending(set(attempt.parameters.values()), tape.nodes[first:], set())
    order = sorted(reached, key=lambda node: node.place)
    if attempt.cost is not None:
        seeds = [{attempt.cost: np.ones(())}]
    else:
        single = [node for node in order if node.value.size == 1 and node.is_float]
        seeds = [{node: np.ones(node.value.shape)} for node in single]
        seeds += [cost.seeds for cost in usual(meetings(order, reached))]
    best: dict[str, bool] = {}
    for seed in seeds:
        known, _ = derivatives(seed, reached)
        found = {}
        for name, node in attempt.parameters.items():
            truth = np.asarray(known.get(node, 0.0))
            found[name] = any(
                claim.value.size == truth.size and fitted(claim.value, truth)[1] < 1e-5
                for claim in attempt.claims.values()
            )
        if sum(found.values()) >= sum(best.values()):
            best = found
    return best


def _shown(tape: Tape, source: Source, attempt: Attempt) -> bool:
    """Whether an attempt shows gradients of all its parameters, all of them right."""
    if attempt.claims:
        right = _parameters_right(tape, attempt)
        return bool(right) and all(right.values())
    updates = find_updates(tape, attempt.since)
    judged = [judge(tape, one, updates, source.text) for one in episodes(tape, updates)]
    known = [one for one in judged if one is not None and one.passed]
    return any(len(one.gradients) >= len(attempt.parameters) > 0 for one in known)


def _all(code: str, folder: Path, seconds: float = 60.0):
    """Run code, and yield the tape, the source and every attempt."""
    file = folder / "code.py"
    file.write_text(code)
    tape = Tape()
    ran = run(file, tape)
    source = Source(ran.sources)
    with ran.calling(tape, 2 * seconds):
        for attempt in attempts(ran.namespace, source, tape, seconds):
            yield tape, source, attempt


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_called(style: str, tmp_path: Path) -> None:
    for tape, source, attempt in _all(STYLES[style], tmp_path):
        if attempt.error is None and _shown(tape, source, attempt):
            break
    else:
        pytest.fail("nothing was shown")
    assert attempt.parameters
    assert attempt.words


def test_the_richest_data_come_first(tmp_path: Path) -> None:
    code = STYLES["a class with forward and backward"]
    ranks = [
        attempt.rank
        for _, _, attempt in _all(code, tmp_path)
        if attempt.claims and not attempt.alone
    ]
    assert ranks[0] == 0
    several = [rank for rank in ranks if rank < 4]
    assert several == sorted(several)
    assert several[-1] == 3


def test_what_a_mistake_claims_is_seen(tmp_path: Path) -> None:
    code = STYLES["a class with forward and backward"].replace(
        "self.dW1 = self.x.T @ d", "self.dW1 = -self.x.T @ d / 3 + 0.1"
    )
    tape, _, attempt = next(one for one in _all(code, tmp_path) if one[2].claims)
    right = _parameters_right(tape, attempt)
    assert right == {"W1": False, "b1": True, "W2": True, "b2": True}
    assert set(attempt.claims) >= {"dW1", "db1", "dW2", "db2"}


def test_a_layer_alone_has_its_cost(tmp_path: Path) -> None:
    code = STYLES["a convolution in loops"]
    attempt = next(one for _, _, one in _all(code, tmp_path) if one.alone)
    assert attempt.cost is not None
    assert attempt.cost.value.shape == ()
    assert {"A_prev", "W", "b"} <= set(attempt.parameters)
    assert {"dA_prev", "dW", "db"} <= set(attempt.claims)


def test_targets_that_were_spread_lose_their_rank(tmp_path: Path) -> None:
    code = """
import numpy as np
class Regression:
    def __init__(self, n_features):
        self.w = np.zeros((n_features, 1))
        self.b = 0.0
    def fit(self, X, y, epochs=5):
        for _ in range(epochs):
            error = X @ self.w + self.b - y
            self.w = self.w - 0.1 * X.T @ error / len(X)
"""
    found = [one for _, _, one in _all(code, tmp_path) if "without a second axis" in one.words]
    assert found
    assert all(one.rank >= 4 for one in found if one.rank != 3)


def test_why_a_call_failed_is_told(tmp_path: Path) -> None:
    code = """
import numpy as np
class Network:
    def __init__(self, sizes):
        self.W = np.ones((2, 2))
    def train(self, X, y):
        self.W = self.W - X.missing
"""
    attempt = next(one for _, _, one in _all(code, tmp_path) if "train" in one.words)
    assert attempt.error is not None
    assert "line 7" in attempt.error
    assert "missing" in attempt.error


def test_endless_code_is_ended(tmp_path: Path) -> None:
    code = """
import numpy as np
class Network:
    def __init__(self, sizes):
        self.W = np.ones((2, 2))
    def train(self, X, y):
        all(True for _ in iter(int, 1))
"""
    found = [attempt for _, _, attempt in _all(code, tmp_path, seconds=1.0)]
    assert any(attempt.error is not None for attempt in found)


def test_nothing_to_call_yields_nothing(tmp_path: Path) -> None:
    assert not list(_all("x = 3\ndef greet(name):\n    return name\n", tmp_path))


def test_what_failed_before_its_end_comes_last(tmp_path: Path) -> None:
    code = STYLES["a class that trains, in Spanish"] + "            self.historia.append(1)\n"
    attempt = next(one for _, _, one in _all(code, tmp_path) if one.parameters)
    assert attempt.error is not None
    assert "historia" in attempt.error
    assert attempt.rank >= 8


def test_one_gradient_a_sample_is_no_rich_data(tmp_path: Path) -> None:
    code = """
import numpy as np
class Network:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_out, n_in)
        self.b = np.zeros((n_out, 1))
    def backprop(self, x, y):
        delta = self.W @ x + self.b - y
        return delta @ x.T, delta
"""
    found = [one for _, _, one in _all(code, tmp_path) if one.claims and one.error is None]
    rows = {one.rank: one for one in reversed(found)}
    assert "as columns" in rows[4].words
    assert min(rows) == 3
    assert len(rows[3].claims) == 2


def test_letters_are_given_to_a_recurrent_network(tmp_path: Path) -> None:
    code = """
import numpy as np
class CharRNN:
    def __init__(self, hidden_size, vocab_size):
        self.Wxh = np.random.randn(hidden_size, vocab_size) * 0.1
        self.Whh = np.random.randn(hidden_size, hidden_size) * 0.1
        self.Why = np.random.randn(vocab_size, hidden_size) * 0.1
        self.vocab_size = vocab_size
    def loss(self, inputs, targets, hprev):
        xs, hs, ps = {}, {-1: np.copy(hprev)}, {}
        loss = 0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.vocab_size, 1))
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(self.Wxh @ xs[t] + self.Whh @ hs[t - 1])
            y = self.Why @ hs[t]
            ps[t] = np.exp(y) / np.sum(np.exp(y))
            loss += -np.log(ps[t][targets[t], 0])
        dWxh, dWhh, dWhy = map(np.zeros_like, (self.Wxh, self.Whh, self.Why))
        dhnext = np.zeros_like(hs[0])
        for t in reversed(range(len(inputs))):
            dy = np.copy(ps[t])
            dy[targets[t]] -= 1
            dWhy += dy @ hs[t].T
            dhraw = (1 - hs[t] ** 2) * (self.Why.T @ dy + dhnext)
            dWxh += dhraw @ xs[t].T
            dWhh += dhraw @ hs[t - 1].T
            dhnext = self.Whh.T @ dhraw
        return loss, dWxh, dWhh, dWhy
"""
    tape, source, attempt = next(
        one for one in _all(code, tmp_path) if one[2].claims and one[2].error is None
    )
    assert "letters" in attempt.words
    assert _shown(tape, source, attempt)


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (("X", "Y", "output"), ("inputs", "targets", "outputs")),
        (("y", "t"), ("outputs", "targets")),
        (("inputs", "outputs"), ("inputs", "targets")),
        (("entradas", "salidas_deseadas"), ("inputs", "targets")),
        (
            ("training_data", "epochs", "mini_batch_size", "eta"),
            ("pairs", "epochs", "batch", "rate"),
        ),
        (("dA", "cache", "activation"), ("upstream", "cache", "activation")),
        (("theta", "X", "y", "lam"), ("vector", "inputs", "targets", "decay")),
        (("x", "gamma", "beta"), ("inputs", "weight", "bias")),
    ],
)
def test_arguments_are_known_by_their_names(names: tuple[str, ...], roles: tuple[str, ...]) -> None:
    assert tuple(roles_of(names).values()) == roles
