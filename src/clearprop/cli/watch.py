"""``clearprop watch``."""

from contextlib import closing
from pathlib import Path

import click

from clearprop.cli import output
from clearprop.cli.command import command
from clearprop.core.printable import printable
from clearprop.gradcheck.learner import require_file
from clearprop.studio.programs import Program
from clearprop.studio.serving import serve_live
from clearprop.web.server import require_server


@command("clearprop watch mine.py", "clearprop watch notebook.ipynb --timeout 600 --port 8080")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port of the live page.  [default: a free one]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=86400),
    metavar="SECONDS",
    help="The time after which FILE is ended.  [default: none; Ctrl-C ends it]",
)
@output.json_option
def watch(file: Path, port: int | None, timeout: float | None, as_json: bool) -> None:
    """Run your own network, and see its arrays live in a browser on this machine.

    FILE is your own code in NumPy, a .py file or a notebook, in whatever style; no line is added to
    it. It runs in a process of its own, which writes nowhere but in a scratch folder and reaches no
    network. Shown are the cost, each parameter, its gradient and updates, the activations, and what
    clearprop check says of the gradients.

    Ctrl-C ends FILE, where it still runs; the page stays with the last picture until Ctrl-C.
    """
    require_file(file)
    require_server(port)
    with closing(Program(file, timeout)) as program, serve_live(program, port) as server:
        output.tell(
            f"Live page: {server.address}\n"
            f"Running {program.name}: everything in it is executed, in a process of its own."
        )
        program.start()
        try:
            program.wait()
            program.wait_checked()
        except KeyboardInterrupt:
            program.stop()
        _say(program, as_json)
        output.tell("The page stays until Ctrl-C here, or until it is closed there.")
        try:
            program.wait_closed()
        except KeyboardInterrupt:
            output.note("Closed.")


_ENDS = {
    "ended": "{name} has ended.",
    "failed": "{name} has failed.",
    "stopped": "{name} was ended.",
    "late": "{name} was ended.",
}


def _say(program: Program, as_json: bool) -> None:
    found = [one.in_words() for one in program.remarks.now]
    if as_json:
        output.say_json(
            {
                "program": str(program.file),
                "state": program.state,
                "why": program.why,
                "pictures": program.pictures,
                "verdict": program.verdict,
                "findings": found,
            }
        )
        return
    output.say_line(_ENDS[program.state].format(name=program.name))
    if program.why:
        output.say(printable(program.why))
    if program.verdict is not None:
        output.say(printable(str(program.verdict["told"])))
    for one in found:
        output.say(f"{one['name']}: {one['said']} {one['advice']}")
