"""``clearprop data``."""

from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.options import setting_option
from clearprop.data import describe, load
from clearprop.network.summary import readable_bytes


@click.command()
@click.argument("name_or_path")
@setting_option("target")
@setting_option("size")
@output.json_option
def data(
    name_or_path: str, target: str | None, size: tuple[int, int] | None, as_json: bool
) -> None:
    """Show what is understood of data: counts, shapes, classes, columns, broken files."""
    described: dict[str, Any] = describe(load(name_or_path, target=target, size=size))
    if as_json:
        output.say_json(described)
        return
    _say(described, described["name"])
    if described["test"]:
        output.say()
        _say(described["test"], "its test set")


def _say(described: dict[str, Any], title: str) -> None:
    output.say_line(
        f"{title}: {described['samples']} samples, {described['kind']}, "
        f"{readable_bytes(described['bytes'])}; {described['task']} of {described['target']!r}"
    )
    if "shape" in described:
        low, high = described["range"]
        shape = "x".join(map(str, described["shape"]))
        output.say(f"each {shape} of {described['dtype']}, from {low:g} to {high:g}")
    if "columns" in described:
        output.say()
        output.say_table(
            ("column ", "kind ", "missing", "range or categories"),
            (
                (column["name"], column["kind"], column["missing"], _span(column))
                for column in described["columns"]
            ),
            most=output.MOST_ROWS,
        )
    if "classes" in described:
        output.say()
        output.say_table(("class ", "samples"), described["classes"].items(), most=output.MOST_ROWS)
    else:
        low, high = described["values"]
        output.say(f"values from {low:g} to {high:g}")
    if described["problems"]:
        output.say(f"\n{len(described['problems'])} left out:")
        for problem in described["problems"][: output.MOST_ROWS]:
            output.say_line(f"  {problem['source']} {problem['reason']}")


def _span(column: dict[str, Any]) -> str:
    if column["kind"] == "categorical":
        return f"{column['categories']} categories"
    if column["range"] is None:
        return "no value"
    low, high = column["range"]
    return f"{low:g} to {high:g}"
