"""A file of a learner is judged as it stands: right code passes, a mistake is found in its line."""

import numpy as np
import pytest
from seen_mistakes import MISTAKES, mistaken, replaced
from seen_styles import COURSE, STYLES

from clearprop.gradcheck.seeing.file import check_seen, why_unseen

SECONDS = 20.0


@pytest.fixture
def check(tmp_path):
    """Check a text as a file; returns the report and what came of the run."""

    def checked(text):
        file = tmp_path / "hw.py"
        file.write_text(text, encoding="utf-8")
        return check_seen(file, SECONDS)

    return checked


@pytest.mark.parametrize("style", STYLES)
def test_right_code_passes_with_every_parameter(check, style):
    text, parameters = STYLES[style]
    report, ran = check(text)
    assert ran.failures == []
    assert report.passed
    assert [row.verdict for row in report.rows] == ["right"] * parameters
    assert len({row.parameter for row in report.rows}) == parameters
    for row in report.rows:
        assert row.checked == int(np.prod(row.shape))
        assert row.analytical == pytest.approx(row.numerical, rel=1e-3, abs=1e-9)
    assert report.line is None
    assert report.diagnosis is None


@pytest.mark.parametrize(
    ("style", "change"),
    [
        pytest.param(style, change, marks=() if number < 2 else pytest.mark.slow)
        for style, changes in MISTAKES.items()
        for number, change in enumerate(changes)
    ],
    ids=[f"{style}: {change[1]}" for style, changes in MISTAKES.items() for change in changes],
)
def test_a_mistake_is_found_in_its_line(check, style, change):
    text, number = mistaken(STYLES[style][0], *change)
    report, ran = check(text)
    assert ran.failures == []
    assert not report.passed
    assert "wrong" in {row.verdict for row in report.rows}
    assert (report.line["file"], report.line["number"]) == ("hw.py", number)
    line = text.split("\n")[number - 1].strip()
    assert report.line["text"] == line
    assert f"line {number}" in report.told
    assert line in report.told
    instead = report.line["instead"]
    if instead is not None:
        assert instead != line
        assert f"change to:  {instead}" in report.told
        again, _ = check(replaced(text, number, instead))
        assert again.passed


def test_only_what_a_mistake_spoils_is_called_wrong(check):
    text, _ = mistaken(
        COURSE, "dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))", "dZ1 = W2.T @ dZ2"
    )
    report, _ = check(text)
    verdicts = {row.parameter: row.verdict for row in report.rows}
    assert verdicts == {"W1": "wrong", "b1": "wrong", "W2": "right", "b2": "right"}
    (wrong,) = [row for row in report.rows if row.parameter == "W1"]
    assert wrong.shape == (4, 4)
    assert abs(wrong.analytical - wrong.numerical) > 1e-3 * abs(wrong.numerical)
    assert report.to_dict()["line"] == report.line


def test_the_slope_that_is_told_is_that_of_the_cost(check):
    text, _ = mistaken(COURSE, "dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(dZ2, A1.T)")
    report, _ = check(text.replace("range(3)", "range(1)"))
    (row,) = [row for row in report.rows if row.parameter == "W2"]
    names = {}
    exec(COURSE[: COURSE.index("for i in range(3)")], names)  # noqa: S102 - the file above

    def cost(shift):
        names["parameters"]["W2"][row.where] += shift
        out, _ = names["forward_propagation"](names["X"], names["parameters"])
        names["parameters"]["W2"][row.where] -= shift
        return names["compute_cost"](out, names["Y"])

    assert row.numerical == pytest.approx((cost(1e-5) - cost(-1e-5)) / 2e-5, rel=1e-5)
    assert row.analytical == pytest.approx(7 * row.numerical, rel=1e-5)


DATA = """
import numpy as np
np.random.seed(0)
X = np.random.randn(6, 3)
Y = np.random.randn(6, 2)
W = np.random.randn(3, 2)
"""


def test_two_trainings_in_one_file_have_verdicts_of_their_own(check):
    text = """
for i in range(3):
    loss = np.sum((X @ W - Y) ** 2) / 6
    W = W - 0.1 * 2 * X.T @ (X @ W - Y) / 6
V = np.random.randn(3, 2)
for i in range(3):
    h = np.tanh(X @ V)
    loss = np.sum((h - Y) ** 2) / 6
    V = V - 0.1 * 2 * X.T @ ((h - Y) * {slope}) / 6
"""
    report, _ = check(DATA + text.format(slope="(1 - h ** 2)"))
    assert report.passed
    assert [row.parameter for row in report.rows] == ["W (line 10)", "V (line 15)"]
    report, _ = check(DATA + text.format(slope="(1 - h)"))
    assert {row.parameter: row.verdict for row in report.rows} == {
        "W (line 10)": "right",
        "V (line 15)": "wrong",
    }
    assert report.line["number"] == 15


def test_a_cost_that_the_file_does_not_compute_is_named(check):
    report, _ = check(DATA + "for i in range(3):\n    W -= 0.1 * X.T @ (X @ W - Y)\n")
    assert report.passed
    assert "squared error, which your file does not compute itself" in report.told


NO_VERDICT = {
    "empty": "",
    "text": "print('hello')\n",
    "forward only": DATA + "out = np.tanh(X @ W)\nloss = np.mean((out - Y) ** 2)\nprint(loss)\n",
    "nothing is learned": DATA + "mean = X.mean(axis=0)\nX = (X - mean) / X.std(axis=0)\n",
    "gradient-free": DATA
    + """
best = 1e9
for i in range(20):
    tried = W + 0.1 * np.random.randn(3, 2)
    loss = np.mean((X @ tried - Y) ** 2)
    if loss < best:
        best, W = loss, tried
""",
    "a running sum": DATA
    + "total = np.zeros(2)\nfor x in X:\n    total = total + np.tanh(x @ W)\n",
    "the cost does not move": DATA
    + """
for i in range(3):
    W = W - 0.1 * X.T @ np.zeros((6, 2))
""",
    "no parameter reaches the cost": DATA
    + """
for i in range(3):
    loss = np.mean((X - 1) ** 2)
    W = W - 0.1 * X.T @ np.sign(X @ W)
""",
}


@pytest.mark.parametrize("text", NO_VERDICT.values(), ids=NO_VERDICT)
def test_a_file_without_any_derivative_gets_no_verdict(check, tmp_path, text):
    report, ran = check(text)
    assert report is None
    assert ran.failures == []
    assert "no gradient was seen" in why_unseen(tmp_path / "hw.py", ran)


def test_a_file_that_fails_before_it_learns_is_told_so(check):
    report, _ = check(DATA + "for i in range(3):\n    W = W - 0.1 * X @ (X @ W - Y)\n")
    assert not report.passed
    assert report.line["number"] == 8
    assert "No gradient was seen, as line 8 fails: ValueError" in report.told
