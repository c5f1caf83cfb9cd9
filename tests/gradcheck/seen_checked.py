"""Texts checked as files, for tests."""

import textwrap

from clearprop.gradcheck.seeing.file import check_seen

STEPS = """
W = np.random.randn(X.shape[1], 3)
b = np.zeros(3)
Y = X[:, :1] ** 2 + np.arange(3.0)
for k in range(20):
    P = np.tanh(X @ W + b)
    cost = np.mean((P - Y) ** 2)
    D = (P - Y) * (1 - P**2)
    W -= 0.1 * X.T @ D
    b -= 0.1 * D.sum(axis=0)
"""
"""A training on X."""


def check(folder, text, **others):
    """Check a text as a file, beside files of other names; returns the report."""
    for name, content in others.items():
        (folder / name.replace("__", ".")).write_text(content)
    file = folder / "net.py"
    file.write_text("import numpy as np\n" + textwrap.dedent(text))
    report, ran = check_seen(file, 40.0)
    assert report is not None, (ran.failures, ran.notes)
    return report


def all_right(report):
    """Return a report in which all gradients are right."""
    assert {row.verdict for row in report.rows} == {"right"}, report
    return report


def said(ran, *words):
    return any(all(word in note for word in words) for note in ran.notes)
