"""The server of a model's answers, and who may ask it."""

import re
from collections.abc import Callable, Mapping

from clearprop.errors import UsageError
from clearprop.service.answers import Predictor
from clearprop.service.description import described
from clearprop.service.problems import problem
from clearprop.web.security import Access, new_token
from clearprop.web.server import HOST, Server, require_server

VARIABLE = "CLEARPROP_TOKEN"
"""The variable of the environment that may hold a token."""

LARGEST = 2**24
"""Bytes of a body at most."""

_ALL = "0.0.0.0"  # noqa: S104 - every address of the machine, which is no name of it
_AT_ONCE = 64  # requests, whose bodies lie in memory
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")  # as RFC 6750 writes one


def serve_model(
    predictor: Predictor,
    *,
    token: str | None,
    complain: Callable[[str], None],
    port: int | None = None,
    host: str = HOST,
    names: tuple[str, ...] = (),
) -> Server:
    """Serve a model.

    Parameters
    ----------
    predictor : Predictor
    token : str or None
        None answers whoever reaches it.
    complain : callable
        Tells whoever runs the service of what should never happen.
    port : int, optional
        A free one unless given.
    host : str, default "127.0.0.1"
        The IPv4 address that it listens at.
    names : tuple of str
        Names that it is asked by, beside those of the loopback address.

    Raises
    ------
    MissingExtraError
        If what it needs is not installed.
    UsageError
        If the port can't be had.
    """
    require_server(purpose="The service")
    from clearprop.service.application import HEALTH, application

    access = Access(
        token=token,
        names=(*map(str.lower, names), *({host} - {HOST, _ALL})),
        open_paths=(HEALTH,),
        for_page=False,
        largest=LARGEST,
        at_once=_AT_ONCE,
        how="send it in the header Authorization: Bearer TOKEN",
        renamed=", unless it is started with --allow-host NAME",
        written=problem,
    )
    description = described(predictor, has_token=token is not None)
    return Server(lambda _: application(predictor, description, complain), port, access, host)


def token_of(environment: Mapping[str, str]) -> tuple[str, bool]:
    """Return the token, and whether it is a new one that nobody knows yet.

    Raises
    ------
    UsageError
        If that of the environment is none that a header can hold, or too short.
    """
    given = environment.get(VARIABLE)
    if given is None:
        return new_token(), True
    if not _TOKEN.fullmatch(given):
        raise UsageError(
            f"{VARIABLE} holds {len(given)} characters, expected 16 or more of A-Z a-z 0-9 and "
            "._~+/=- alone, such as from: openssl rand -hex 32"
        )
    return given, False
