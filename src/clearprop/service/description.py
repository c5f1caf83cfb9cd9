"""The description of the service, as OpenAPI 3.1 has it: for people, and for what makes clients."""

import json

from clearprop.configuration import Json
from clearprop.experiment.coverage import promise_in_words
from clearprop.files.described import in_a_line
from clearprop.service.answers import JSON, Predictor
from clearprop.service.problems import MEDIA_TYPE, SCHEMA
from clearprop.version import __version__

_REFUSALS = {
    "400": "The body is not of this form, or has too many samples.",
    "401": "The token is missing, or another one.",
    "403": "The Host or the Origin is a foreign one.",
    "413": "The body has too many bytes.",
    "415": "The Content-Type is another one.",
    "422": "The body is of this form, and the model can't answer it.",
    "503": "Too many requests are under way.",
}
_OF_ANY = ("401", "403", "503")
_HEALTHY: dict[str, Json] = {
    "type": "object",
    "properties": {"status": {"const": "ok"}},
    "required": ["status"],
}


def described(predictor: Predictor, *, has_token: bool) -> bytes:
    """Write the description.

    Parameters
    ----------
    predictor : Predictor
    has_token : bool
        Whether one has to bring a token.
    """
    rows = predictor.rows
    samples: dict[str, Json] = {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Sample"},
        "minItems": 1,
        "maxItems": rows.most,
    }
    request: dict[str, Json] = {
        "type": "object",
        "properties": {rows.key: samples},
        "required": [rows.key],
        "additionalProperties": False,
    }
    schemas: dict[str, Json] = {
        "Sample": rows.schema,
        "Request": request,
        "Answer": predictor.schema,
        "Problem": SCHEMA,
    }
    components: dict[str, Json] = {"schemas": schemas}
    if has_token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document: dict[str, Json] = {
        "openapi": "3.1.0",
        "info": {
            "title": predictor.name,
            "version": __version__,
            "description": _about(predictor),
        },
        "paths": _paths(predictor),
        "components": components,
        "security": [{"token": []}] if has_token else [],
    }
    return json.dumps(document, allow_nan=False).encode()


def _about(predictor: Predictor) -> str:
    recipe = predictor.model.preprocessing
    promise = () if recipe is None else promise_in_words(recipe.target)
    return " ".join((f"{in_a_line(predictor.model)}.", *promise))


def _paths(predictor: Predictor) -> dict[str, Json]:
    bodies: dict[str, Json] = {
        JSON: {
            "schema": {"$ref": "#/components/schemas/Request"},
            "example": predictor.example,
        }
    }
    bodies |= {kind: {"schema": {}} for kind in predictor.rows.pictures}
    answer: dict[str, Json] = {"$ref": "#/components/schemas/Answer"}
    return {
        "/predict": {
            "post": {
                "operationId": "predict",
                "summary": "Answer for samples, in their order.",
                "requestBody": {"required": True, "content": bodies},
                "responses": {
                    "200": _answered("An answer for each sample.", answer),
                    **{status: _refused(status) for status in _REFUSALS},
                },
            }
        },
        "/health": {
            "get": {
                "operationId": "health",
                "summary": "Say that the service is alive, to whoever asks.",
                "security": [],
                "responses": {"200": _answered("It is.", _HEALTHY)},
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "description",
                "summary": "Describe the service.",
                "responses": {
                    "200": _answered("This description.", {"type": "object"}),
                    **{status: _refused(status) for status in _OF_ANY},
                },
            }
        },
    }


def _answered(told: str, schema: Json) -> Json:
    return {"description": told, "content": {JSON: {"schema": schema}}}


def _refused(status: str) -> Json:
    schema: dict[str, Json] = {"$ref": "#/components/schemas/Problem"}
    return {"description": _REFUSALS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
