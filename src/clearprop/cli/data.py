"""``clearprop data``."""

from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.options import setting_option, settings_from, table_options
from clearprop.data import describe
from clearprop.experiment import load_dataset
from clearprop.network.summary import readable_bytes

_SHOWN = 40  # rows of a table of columns or classes


@click.command()
@click.argument("name_or_path")
@table_options
@setting_option("size")
@output.json_option
def data(name_or_path: str, as_json: bool, **options: Any) -> None:
    """Show what is understood of data: counts, shapes, classes, columns, what is left out."""
    described: dict[str, Any] = describe(load_dataset(settings_from(name_or_path, options)))
    if as_json:
        output.say_json(described)
        return
    _say(described, described["name"])
    for part, name in (("validation", "its validation set"), ("test", "its test set")):
        if described[part]:
            output.say("")
            _say(described[part], name)


def _say(described: dict[str, Any], title: str) -> None:
    output.say(
        f"{title}: {described['samples']:,} samples, {described['kind']}, "
        f"{readable_bytes(described['bytes'])}; {described['task']} of {described['target']!r}"
    )
    for note in described["notes"]:
        output.say(note)
    if "shape" in described:
        low, high = described["range"]
        shape = "x".join(map(str, described["shape"]))
        output.say(f"each {shape} of {described['dtype']}, from {low:g} to {high:g}")
    if "columns" in described:
        output.say("")
        _say_columns(described["columns"])
    if "classes" in described:
        output.say("")
        _say_some(("class ", "samples"), [*described["classes"].items()], "classes")
    else:
        low, high = described["values"]
        output.say(f"values from {low:g} to {high:g}")
    if described["problems"]:
        output.say(f"\n{len(described['problems'])} left out:")
        for problem in described["problems"][:_SHOWN]:
            output.say(f"  {problem['source']} {problem['reason']}")


def _say_columns(columns: list[dict[str, Any]]) -> None:
    rows = [
        (
            column["name"],
            column["kind"],
            column["missing"] or "",
            column["content"],
            column["remark"] if column["used"] else f"left out: {column['remark']}",
        )
        for column in columns
    ]
    _say_some(("column ", "kind ", "missing", "content ", "use "), rows, "columns")


def _say_some(titles: tuple[str, ...], rows: list[tuple[Any, ...]], what: str) -> None:
    output.say_table(titles, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        output.say(f"and {len(rows) - _SHOWN:,} more {what}; --json has all")
