"""The matrix of targets and kinds of models in the documents is what comes out here."""

import math

import matrix
import pytest

from clearprop.exports.exporting import TARGETS

KINDS = ["dense, pictures", "convolution, pictures", "table", "table, embeddings", "values, arrays"]


def told():
    """Return the cells of the document's table by target and kind."""
    text = matrix.DOCUMENT.read_text(encoding="utf-8")
    lines = text.partition(matrix.BEGIN)[2].partition(matrix.END)[0].strip().splitlines()
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    assert head[1:] == KINDS
    return {row[0].strip("`"): dict(zip(KINDS, row[1:], strict=True)) for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", TARGETS)
def test_each_cell(target, kind, tmp_path):
    cell = told()[matrix.ENDINGS[target]][kind]
    found = matrix.measured(target, dict(matrix.models(tmp_path))[kind])
    if isinstance(found, str):
        assert cell == found
        return
    apart, changed = found
    assert changed == 0
    assert apart <= 1e-5
    if apart > 1e-12:  # rounding, which differs from one processor to the next
        assert abs(math.log10(apart / float(cell))) < 1
