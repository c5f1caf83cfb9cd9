"""``clearprop evaluate``."""

from collections.abc import Sequence

import click

from clearprop.cli.output import json_option, note, percent, say_json, say_table, score_text

_MISTAKES = 10
_CLASSES = 20


@click.command()
@click.argument("model", type=click.Path())
@click.argument("data")
@json_option
def evaluate(model: str, data: str, as_json: bool) -> None:
    """Measure the file MODEL on DATA, a name or a path, whose answers are known.

    Where DATA brings a test set, that is what counts; else all of it, which may hold samples that
    the model has learned from.
    """
    from clearprop.experiment import evaluate as measure
    from clearprop.experiment.loading import load_for
    from clearprop.model_file import load

    loaded = load(model)
    dataset = load_for(loaded, data)
    for problem in dataset.problems:
        note(f"Left out: {problem}.")
    measured = dataset.test or dataset
    found = measure(loaded, measured)
    which = "the test set of " if dataset.test else ""
    if as_json:
        say_json({"model": model, "data": data, "test_set": bool(dataset.test), **found.to_json()})
        return
    click.echo(
        f"{which}{data}: {found.samples} samples, {score_text(found.score_name, found.score)}, "
        f"loss {found.loss:.4f}"
    )
    if found.confusion is not None:
        say_table(
            ("class ", "samples", "precision", "recall"),
            (
                (report.name, report.samples, percent(report.precision), percent(report.recall))
                for report in found.classes
            ),
        )
        _say_confusion(found.confusion.tolist(), [report.name for report in found.classes])
    if found.mistakes:
        click.echo(
            f"{len(found.mistakes)} mistakes, the most confident first:"
            if found.confusion is not None
            else "Furthest off:"
        )
        for mistake in found.mistakes[:_MISTAKES]:
            sure = "" if mistake.probability is None else f" ({percent(mistake.probability)})"
            click.echo(f"  {mistake.source}: {mistake.truth}, called {mistake.predicted}{sure}")


def _say_confusion(confusion: Sequence[Sequence[int]], names: Sequence[str]) -> None:
    if len(names) > _CLASSES:
        click.echo(f"The confusion of {len(names)} classes is too wide to print; --json has it.")
        return
    click.echo("Confusion: rows are the truth, columns what was said.")
    say_table(
        (" ", *names),
        ((name, *counts) for name, counts in zip(names, confusion, strict=True)),
    )
