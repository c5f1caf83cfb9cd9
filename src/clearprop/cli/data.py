"""``clearprop data``."""

from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command
from clearprop.cli.options import setting_option, settings_from, table_options
from clearprop.core.printable import readable
from clearprop.data import describe
from clearprop.experiment import load_dataset
from clearprop.network.summary import readable_bytes


@command(
    "clearprop data people.csv",
    "clearprop data people.csv --target buys --number weight",
    "clearprop data photos/ --size 32",
)
@click.argument("name_or_path", metavar="DATA", type=DataName())
@table_options
@setting_option("size")
@output.json_option
def data(name_or_path: str, as_json: bool, **options: Any) -> None:
    """Show what is understood of data: counts, shapes, classes, columns, what is left out."""
    with output.waiting(f"Reading {name_or_path}"):
        described: dict[str, Any] = describe(load_dataset(settings_from(name_or_path, options)))
    if as_json:
        output.say_json(described)
        return
    _say(described, described["name"])
    for part, name in (("validation", "its validation set"), ("test", "its test set")):
        if described[part]:
            output.say()
            _say(described[part], name)


def _say(described: dict[str, Any], title: str) -> None:
    output.say_line(
        f"{title}: {described['samples']:,} samples, {described['kind']}, "
        f"{readable_bytes(described['bytes'])}; {described['task']} of {described['target']!r}"
    )
    for note in described["notes"]:
        output.say_line(note)
    if "shape" in described:
        low, high = described["range"]
        shape = "x".join(map(str, described["shape"]))
        output.say(f"each {shape} of {described['dtype']}, from {low:g} to {high:g}")
    if "columns" in described:
        output.say()
        _say_columns(described["columns"])
    if "classes" in described:
        output.say()
        output.say_table(("class ", "samples"), described["classes"].items(), most=output.MOST_ROWS)
    else:
        low, high = described["values"]
        output.say(f"values from {readable(low, 6)} to {readable(high, 6)}")
    if described["problems"]:
        output.say(f"\n{len(described['problems'])} left out:")
        for problem in described["problems"][: output.MOST_ROWS]:
            output.say_line(f"  {problem['source']} {problem['reason']}")


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
    titles = ("column ", "kind ", "missing", "content ", "use ")
    output.say_table(titles, rows, most=output.MOST_ROWS)
