"""The matrix of targets and kinds of models: how near each export comes, over 10,000 rows.

``PYTHONPATH=tests/engine python tests/export/matrix.py`` measures it, and writes the table into
docs/exporting.md.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from script_cases import dense_case, picture_case, table_cases, values_case

from clearprop.errors import UsageError
from clearprop.exports.description import describe
from clearprop.exports.exporting import TARGETS, target_for
from clearprop.exports.proof import logits_of, preferred
from clearprop.exports.target import NotRun
from clearprop.exports.trial_rows import drawn_rows, trial_of
from clearprop.files.models import Model

ROWS = 10_000
DOCUMENT = Path(__file__).parents[2] / "docs/exporting.md"
BEGIN, END = "<!-- the matrix -->\n", "<!-- its end -->\n"
ENDINGS = {"onnx": ".onnx", "python": ".py", "c": ".c", "javascript": ".js", "html": ".html",
           "sql": ".sql"}  # fmt: skip


def models(folder: Path) -> Iterator[tuple[str, Model]]:
    """Give a model of each kind."""
    yield "dense, pictures", dense_case().model
    yield "convolution, pictures", picture_case(folder).model
    plain, robust = table_cases()
    yield "table", plain.model
    yield "table, embeddings", robust.model
    yield "values, arrays", values_case().model


def measured(target_name: str, model: Model, count: int = ROWS) -> tuple[float, int] | str:
    """Return the largest difference and the changed answers over rows, or why there is none."""
    description = describe(model)

    def labels(rows):
        return preferred(description, logits_of(model, description, rows))

    target = target_for(f"model{ENDINGS[target_name]}")
    rows = trial_of(description, drawn_rows(description, count), labels).rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{ENDINGS[target_name]}"
        try:
            written = target.write(model, description)
        except UsageError:
            return "—"
        for ending, content in written.files.items():
            path.with_suffix(ending).write_bytes(content)
        ran = target.run(path, description, rows)
    if isinstance(ran, NotRun):
        return "not run"
    expected = logits_of(model, description, rows)
    sizes = np.maximum(np.abs(expected).max(axis=1), np.abs(expected[:count]).max())
    apart = float((np.abs(ran.logits - expected).max(axis=1) / sizes).max())
    label, margin = preferred(description, expected)
    other = preferred(description, ran.logits)[0] != label
    return apart, int((other & (margin > 2 * apart)).sum())


def table_text() -> str:
    """Measure every cell, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = dict(models(Path(folder)))
    lines = [f"| | {' | '.join(kinds)} |", f"| --- |{' ---: |' * len(kinds)}"]
    for name in TARGETS:
        cells = []
        for model in kinds.values():
            found = measured(name, model)
            if isinstance(found, str):
                cells.append(found)
                continue
            apart, changed = found
            cells.append(f"{apart:.0e}" + (f", {changed} changed" if changed else ""))
        lines.append(f"| `{ENDINGS[name]}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table_text()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
