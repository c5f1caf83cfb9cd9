"""``clearprop studio``."""

from contextlib import closing
from pathlib import Path

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command
from clearprop.data.named import BUILTINS, TOYS
from clearprop.data.tables.column_paths import is_there
from clearprop.errors import DataError, nearest_file
from clearprop.studio.children import Children
from clearprop.studio.desk import Desk
from clearprop.studio.serving import serve_studio


@command("clearprop studio", "clearprop studio people.csv --port 8080")
@click.argument("data", required=False, type=DataName())
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port of its pages.  [default: a free one]",
)
@output.json_option
def studio(data: str | None, port: int | None, as_json: bool) -> None:
    """Train, look and compare in a browser on this machine: choose DATA there, or name them here.

    Data and runs are those of the folder in which it is started, and no others. Each training is
    one as by clearprop train --live, in a process of its own; it ends with the studio, at Ctrl-C,
    and keeps what it has learned.
    """
    if data is not None and data not in (*BUILTINS, *TOYS) and not is_there(data):
        raise DataError(f"There is no file or folder {data}.{nearest_file(data)}")
    folder = Path.cwd()
    with (
        closing(Children(folder)) as children,
        serve_studio(Desk(folder, data), children, port) as server,
    ):
        if as_json:
            output.say_json({"address": server.address, "folder": str(folder)})
        else:
            output.say_line(f"Studio: {server.address}")
        output.note(
            f"It shows the data and the runs of {folder}, to whoever has this address, on this "
            "machine alone. Ctrl-C ends it, with all that trains."
        )
        try:
            server.wait()
        except KeyboardInterrupt:
            output.note("Ending.")
