"""The application: what is asked of a model, its description, and whether it is alive."""

import traceback
from collections.abc import Callable

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clearprop.core.blas import available_cores
from clearprop.errors import shortened
from clearprop.service.answers import JSON, Predictor
from clearprop.service.problems import RefusedError, problem

HEALTH = "/health"

_FEWEST = 2  # threads, so that a large picture holds up no row
_ADDRESSES = "POST /predict, GET /openapi.json or GET /health"


def application(
    predictor: Predictor, description: bytes, complain: Callable[[str], None]
) -> Starlette:
    """Make the application of a model.

    Parameters
    ----------
    predictor : Predictor
    description : bytes
        That of the service.
    complain : callable
        Tells whoever runs the service of what should never happen.
    """
    limiter = CapacityLimiter(max(_FEWEST, available_cores()))

    async def predict(request: Request) -> Response:
        coding = request.headers.get("content-encoding", "identity")
        if coding != "identity":
            raise RefusedError(415, f"The body is packed ({shortened(coding)}); send it as it is.")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await request.body()
        # In a thread, so that who asks for something quick meanwhile has not to wait for it.
        found = await to_thread.run_sync(predictor.answer, kind, body, limiter=limiter)
        return Response(found, media_type=JSON)

    async def describe(_: Request) -> Response:
        return Response(description, media_type=JSON)

    async def health(_: Request) -> Response:
        return Response(b'{"status": "ok"}', media_type=JSON)

    async def broken(_: Request, error: Exception) -> Response:
        complain("".join(traceback.format_exception(error)))
        return _as_problem(500, "The service has failed at this; its log tells why.")

    app = Starlette(
        routes=[
            Route("/predict", predict, methods=["POST"]),
            Route("/openapi.json", describe),
            Route(HEALTH, health),
        ],
        exception_handlers={
            RefusedError: _refused,
            HTTPException: _not_there,
            Exception: broken,
        },
    )
    app.router.redirect_slashes = False
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101 - registered for these alone
    return _as_problem(error.status, error.sentence)


async def _not_there(request: Request, error: Exception) -> Response:
    """Say what there is where somebody asks for another path, or in another way."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    asked = shortened(f"{request.method} {request.url.path}")
    answer = _as_problem(error.status_code, f"There is no {asked}; ask {_ADDRESSES}.")
    answer.headers.update(error.headers or {})
    return answer


def _as_problem(status: int, sentence: str) -> Response:
    media_type, body = problem(status, sentence)
    return Response(body, status, media_type=media_type)
