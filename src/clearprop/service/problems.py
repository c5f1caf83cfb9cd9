"""Refusals: a status and a sentence, written as RFC 9457 has it (application/problem+json)."""

import json
from http import HTTPStatus

from clearprop.configuration import Json

MEDIA_TYPE = "application/problem+json"

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was found, expected, and to do."},
    },
    "required": ["title", "status", "detail"],
}
"""The JSON schema of a refusal."""


class RefusedError(Exception):
    """A request that can't be answered.

    Parameters
    ----------
    status : int
        400 where the body is not of the form that the description asks for, 422 where it is and the
        model can't answer it all the same.
    sentence : str
        What was found, what was expected, what to do.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def problem(status: int, sentence: str) -> tuple[str, bytes]:
    """Write a refusal: its media type, and its bytes."""
    told = {"title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return MEDIA_TYPE, json.dumps(told).encode()
