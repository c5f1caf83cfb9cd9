"""Whatever a learner's file holds, it runs to its end, and tells what was amiss."""

import json
import textwrap
import time

import numpy as np
import pytest
from seen_checked import said

from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape

NETWORK = """
import numpy as np
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
y = np.array([[0], [1], [1], [0.0]])
W1 = np.random.randn(2, 3)
W2 = np.random.randn(3, 1)
for k in range(100000):
    h = np.tanh(X @ W1)
    o = h @ W2
    e = o - y
    g1 = X.T @ (e @ W2.T * (1 - h**2))
    W2 -= 0.1 * h.T @ e
    W1 -= 0.1 * g1
"""


def notebook(*cells):
    return json.dumps(
        {"cells": [{"cell_type": "code", "source": textwrap.dedent(cell)} for cell in cells]}
    )


def test_a_script_runs_and_its_arrays_are_watched_in_its_lines(runs):
    ran = runs(NETWORK)
    assert not ran.failures
    assert type(ran.namespace["W1"]) is Watched
    assert ran.sources["hw.py"][12] == "    W1 -= 0.1 * g1"
    updates = [node for node in runs.tape.nodes if node.line and node.line.number == 13]
    assert {node.name for node in updates} >= {"multiply", "subtract"}


def test_training_ends_after_a_few_rounds_and_says_so(runs):
    ran = runs(NETWORK)
    assert 2 <= ran.namespace["k"] < 1000
    assert said(ran, "hw.py, line 7", "the loop was ended after")
    assert len(runs.tape) < 4000


def test_a_loop_that_computes_is_never_cut(runs):
    """Half of a convolution is another function than the learner's."""
    ran = runs(
        """
        import numpy as np
        def conv(x, w):
            out = np.zeros((30, 30))
            for i in range(30):
                for j in range(30):
                    out[i, j] = (x[i:i + 3, j:j + 3] * w).sum()
            return out
        z = conv(np.random.randn(32, 32), np.random.randn(3, 3))
        """
    )
    assert len(runs.tape) > 2700
    assert np.all(np.asarray(ran.namespace["z"]) != 0)
    assert not ran.notes


@pytest.mark.parametrize(
    "loop",
    [
        "    for epoch in range(10**6):\n        W = W + 0.1 * (x - W)",
        "    while True:\n        W = W + lr * (x - W)",
        "    for _ in range(10**6):\n        W = step(W, x)",
        "    while abs((x - W).sum()) > -1:\n        W -= lr * (W - x)",
    ],
)
def test_training_is_recognised_by_what_it_does(runs, loop):
    ran = runs(
        "import numpy as np\nlr = 0.1\n"
        "def step(W, x):\n    W = W - lr * (W - x)\n    return W\n"
        f"def f(x, W):\n{loop}\n    return W\n"
        "W = f(np.random.randn(3), np.random.randn(3))\n"
    )
    assert type(ran.namespace["W"]) is Watched
    assert said(ran, "the loop was ended")


def test_an_endless_loop_without_arrays_ends(runs):
    began = time.monotonic()
    ran = runs("while True:\n    pass\nx = 1\n", seconds=4)
    assert ran.namespace["x"] == 1
    assert said(ran, "line 1", "ended")
    assert time.monotonic() - began < 8


def test_an_endless_expression_ends(runs):
    ran = runs("x = sum(1 for _ in iter(int, 1))\ny = 2\n", seconds=2)
    assert said(ran, "line 1", "took so long")
    assert ran.namespace["y"] == 2


def test_else_break_and_continue_of_loops_stay(runs):
    ran = runs(
        """
        seen = []
        for k in range(5):
            if k == 1: continue
            if k == 3: break
            seen.append(k)
        else:
            seen.append("else")
        while len(seen) < 5:
            seen.append("w")
        else:
            seen.append("end")
        """
    )
    assert ran.namespace["seen"] == [0, 2, "w", "w", "w", "end"]


def test_a_failing_statement_does_not_end_the_run(runs):
    ran = runs("x = 1\ny = x / 0\nz = 3\n")
    assert ran.namespace["z"] == 3
    (failure,) = ran.failures
    assert (failure.file, failure.number) == ("hw.py", 2)
    assert "ZeroDivisionError" in failure.text


def test_a_failure_tells_the_innermost_line(runs):
    ran = runs("def f():\n    return [][1]\n\nf()\n")
    assert [one.number for one in ran.failures] == [2]


@pytest.mark.parametrize(
    "line",
    ["import sys; sys.exit(1)", "exit()", "raise KeyboardInterrupt", "import os; os._exit(3)"],
)
def test_leaving_is_a_failure_of_its_statement(runs, line):
    ran = runs(f"{line}\nx = 1\n")
    assert ran.namespace["x"] == 1
    assert len(ran.failures) == 1


def test_the_main_part_runs_statement_by_statement(runs):
    ran = runs('if __name__ == "__main__":\n    x = 1\n    1 / 0\n    y = 2\n')
    assert (ran.namespace["x"], ran.namespace["y"]) == (1, 2)
    assert [one.number for one in ran.failures] == [3]


def test_a_program_in_a_function_goes_on_after_a_statement_that_fails(runs):
    ran = runs(
        """
        import numpy as np
        seen = []
        def helper():
            1 / 0
            seen.append("never")
        def main():
            X = nowhere()
            seen.append(X.shape)
            helper()
            if True:
                [][1]
                seen.append("after")
            return seen
        if __name__ == "__main__":
            got = main()
        """
    )
    assert ran.namespace["got"] == [(24, 4), "after"]
    assert [one.number for one in ran.failures] == [8, 5, 12]


def test_what_is_printed_is_kept_as_far_as_there_is_room(runs, capfd):
    ran = runs('print("first")\nfor k in range(10**5): print("x" * 1000)\nprint("last")\n')
    assert ran.printed.startswith("first\nxxx")
    assert len(ran.printed) < 20_000
    assert capfd.readouterr() == ("", "")


def test_nobody_is_asked_and_nothing_sleeps(runs):
    ran = runs('import time\ntime.sleep(1000)\nx = input("which? ")\n', seconds=5)
    assert ran.namespace["x"] == "1"
    assert said(ran, "line 3", "input()")


# Other Pythons, and notebooks.


def test_python_2_is_converted(runs):
    pytest.importorskip("lib2to3")
    ran = runs('print "loss", 1\nfor k in xrange(2):\n    print k\nx = raw_input("?")\n')
    assert not ran.failures
    assert ran.printed == "loss 1\n0\n1\n"
    assert said(ran, "Python 2")


def test_python_2_divides_and_decodes_as_it_did(runs):
    pytest.importorskip("lib2to3")
    code = "print 1\nx, y, z = 7 / 2, 7 / 2.0, 'ab'.decode('utf-8').encode('ascii', 'ignore')\n"
    ran = runs(code)
    assert not ran.failures
    assert [ran.namespace[name] for name in "xyz"] == [3, 3.5, "ab"]
    assert runs(f"from __future__ import division\n{code}").namespace["x"] == 3.5


def test_lines_that_are_no_python_are_left_out(runs):
    ran = runs("x = 1\nthis is no python\ny = 2\ndef f():\n    return ]\n\nz = 3\n")
    assert [ran.namespace[name] for name in "xyz"] == [1, 2, 3]
    assert said(ran, "line 2", "no Python")


def test_a_notebook_runs_cell_by_cell(runs):
    ran = runs(
        notebook(
            """
            %matplotlib inline
            !pip install numpy
            import numpy as np
            get_ipython().run_line_magic("time", "x")
            """,
            "%%bash\nrm -rf x",
            """
            %%time
            w = np.random.randn(3)
            np.dot?
            files = !ls
            %time v = w * 2
            text = "%d" \\
                % 3
            display(w)
            """,
            "1 / 0",
            "z = 5",
        ),
        name="hw.ipynb",
    )
    assert ran.namespace["z"] == 5
    assert type(ran.namespace["v"]) is Watched
    assert [(one.file, one.number) for one in ran.failures] == [("hw.ipynb, cell 4", 1)]
    doubled = next(node for node in runs.tape.nodes if node.name == "multiply")
    assert (doubled.line.file, doubled.line.number) == ("hw.ipynb, cell 3", 6)
    assert ran.sources["hw.ipynb, cell 3"][5].strip() == "%time v = w * 2"


def test_a_notebook_that_was_cut_off_is_read_as_far_as_it_goes(runs):
    whole = notebook("x = 1", "y = 2", "z = 3")
    ran = runs(whole[: whole.index("z = 3")], name="hw.ipynb")
    assert ran.namespace["x"] == 1
    assert said(ran, "no whole notebook")


def test_an_old_notebook_has_its_cells_in_worksheets(runs):
    cells = [{"cell_type": "code", "input": ["x = 1\n", "y = 2"]}]
    ran = runs(json.dumps({"worksheets": [{"cells": cells}]}), name="hw.ipynb")
    assert ran.namespace["y"] == 2


# Limits.


def test_a_statement_that_fills_the_tape_is_ended_and_the_next_has_room(tmp_path):
    file = tmp_path / "hw.py"
    file.write_text(
        "import numpy as np\nx = np.ones(2)\ny = [x * k for k in range(10**6)]\nz = x + 1\n",
        encoding="utf-8",
    )
    tape = Tape(most_nodes=500)
    ran = run(file, tape)
    assert said(ran, "line 3", "computes so much")
    assert ran.namespace["z"].tolist() == [2, 2]


def test_a_recursion_without_end_is_a_failure(runs):
    ran = runs("import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()\nx = 1\n")
    assert "RecursionError" in ran.failures[0].text
    assert ran.namespace["x"] == 1


def test_when_the_time_is_over_definitions_still_run(runs):
    ran = runs(
        "import itertools\n"
        + "x = sum(1 for _ in itertools.count())\n" * 3
        + "def f(): return 1\n",
        seconds=1.5,
    )
    assert "f" in ran.namespace
    assert said(ran, "the time was over")
