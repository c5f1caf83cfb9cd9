"""``clearprop serve``."""

import gc
import os
import signal
from ipaddress import AddressValueError, IPv4Address

import click

from clearprop.cli import output
from clearprop.cli.command import command
from clearprop.cli.options import features_option
from clearprop.errors import UsageError, listed
from clearprop.experiment.backbones import found_at
from clearprop.experiment.runs import require_saved
from clearprop.service.answers import Predictor
from clearprop.service.serving import VARIABLE, serve_model, token_of
from clearprop.web.server import HOST, require_server


@command(
    "clearprop serve runs/people",
    "clearprop serve runs/people --port 8080 --no-token",
    "clearprop serve model.safetensors --host 0.0.0.0 --port 8080 --allow-host predict.example.com",
)
@click.argument("model", type=click.Path())
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port of the service.  [default: a free one]",
)
@click.option(
    "--host",
    default=HOST,
    metavar="ADDRESS",
    help="The IPv4 address that it listens at; with any but the default other machines can ask it, "
    "by the names of --allow-host.  [default: 127.0.0.1]",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="A name that it is asked by, such as that of a proxy before it; may be given several "
    "times.",
)
@click.option(
    "--no-token",
    is_flag=True,
    help=f"Answer whoever reaches it. Otherwise a token is needed: that of the variable {VARIABLE} "
    "of the environment, or a new one, which is printed.",
)
@features_option
@output.json_option
def serve(
    model: str,
    port: int | None,
    host: str,
    names: tuple[str, ...],
    no_token: bool,
    features: str | None,
    as_json: bool,
) -> None:
    """Answer for rows and pictures over HTTP, with MODEL, a file or the folder of a run.

    POST /predict takes JSON or a picture, GET /openapi.json describes it, GET /health says that it
    is alive. It listens on this machine alone, unless --host says otherwise, until Ctrl-C.
    """
    require_server(purpose="The service")
    _require_address(host, names)
    token, is_new = _token(no_token)
    saved = require_saved(model)
    name = saved.file.stem if saved.folder is None else saved.folder.resolve().name
    with output.waiting("Reading"):
        predictor = Predictor(found_at(saved.model, features), name)
    gc.freeze()  # what is there stays: to look through it again would hold up some answers
    with serve_model(
        predictor, token=token, complain=output.complain, port=port, host=host, names=names
    ) as server:
        # Whoever ends a service asks for nothing more, so that is no error.
        before = signal.signal(signal.SIGTERM, lambda *_: server.end())
        shown = token if is_new else None
        if as_json:
            output.say_json({"address": server.address, "token": shown, "model": model})
        else:
            output.say_line(f"Service: {server.address}")
            if shown is not None:
                output.say_line(f"Token: {shown}")
        _note(host, names, has_token=token is not None)
        try:
            server.wait()
        finally:
            signal.signal(signal.SIGTERM, before)


def _require_address(host: str, names: tuple[str, ...]) -> None:
    try:
        address = IPv4Address(host)
    except AddressValueError as error:
        raise UsageError(
            f"--host is {host}, expected an IPv4 address: {HOST} for this machine alone, 0.0.0.0 "
            "for all that reach it. Names are given by --allow-host."
        ) from error
    if not address.is_loopback and not names:
        raise UsageError(
            f"--host {host} is not the loopback address: other machines can ask. Say by which "
            "names they may, with --allow-host NAME, such as that of this machine or of a proxy "
            "before it."
        )
    if odd := [name for name in names if not name or set(name) & set("/: *")]:
        raise UsageError(
            f"--allow-host is {odd[0]!r}, expected a name alone, such as predict.example.com: no "
            "port, no http://, and no pattern."
        )


def _token(no_token: bool) -> tuple[str | None, bool]:
    if not no_token:
        return token_of(os.environ)
    if VARIABLE in os.environ:
        raise UsageError(
            f"{VARIABLE} holds a token, and --no-token says that there is none. Leave one out."
        )
    return None, False


def _note(host: str, names: tuple[str, ...], *, has_token: bool) -> None:
    where = "on this machine alone"
    if not IPv4Address(host).is_loopback:
        where = f"on whatever machine reaches {host}, by the name {listed(names)}"
    who = "has the token" if has_token else "asks, as there is no token"
    output.note(
        f"It answers whoever {who}, {where}: POST /predict, GET /openapi.json. Ctrl-C ends it."
    )
