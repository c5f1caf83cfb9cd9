"""The answers of a model to the samples of a request: ``clearprop predict``'s, to the bit."""

import json
from typing import Any

import numpy as np

from clearprop.configuration import Json, finite_json
from clearprop.core.parameters import Array
from clearprop.data import Raw
from clearprop.errors import DataError, ShapeError
from clearprop.experiment.prediction import Predictions
from clearprop.files.models import Model
from clearprop.losses import Loss, Quantiles
from clearprop.preprocessing import Inputs, Part, PictureRecipe, TableRecipe, prepare, unlikeness
from clearprop.service.bodies import parsed
from clearprop.service.pictures import Pictures
from clearprop.service.problems import RefusedError
from clearprop.service.rows import ArrayRows, Rows
from clearprop.service.table_rows import TableRows

JSON = "application/json"
_NUMBER: dict[str, Json] = {"type": ["number", "null"]}
_NOTES: dict[str, Json] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "What was passed over, and in what samples are unlike the training data.",
}


class Predictor:
    """A model that answers requests.

    Parameters
    ----------
    model : Model
        One without a recipe takes prepared arrays, and names classes by their number.
    name : str
        The name of it that others see.

    Raises
    ------
    ClearpropError
        If it can't answer: what it needs besides is missing.
    """

    def __init__(self, model: Model, name: str) -> None:
        self.model, self.name = model, name
        self.rows = rows_of(model)
        # What it lacks is told before anybody asks, and what it imports is there from then on.
        self._answers(self._read(JSON, json.dumps(self.example).encode())[0])

    @property
    def example(self) -> dict[str, Json]:
        """A body that is answered."""
        return {self.rows.key: [self.rows.example]}

    def answer(self, kind: str, body: bytes) -> bytes:
        """Answer a request, in JSON.

        Parameters
        ----------
        kind : str
            The media type of the body, in small letters and without parameters.
        body : bytes

        Raises
        ------
        RefusedError
            If it is nothing that the model takes.
        """
        raw, notes = self._read(kind, body)
        try:
            answers, unlike = self._answers(raw)
        except (DataError, ShapeError) as error:
            raise RefusedError(422, str(error)) from error
        said: dict[str, Any] = {"predictions": answers, "notes": [*notes, *unlike]}
        try:
            return json.dumps(said, allow_nan=False).encode()
        except ValueError:  # of a run that diverged
            return json.dumps(finite_json(said)).encode()

    def _read(self, kind: str, body: bytes) -> tuple[Raw, tuple[str, ...]]:
        rows = self.rows
        if kind == JSON:
            return rows.read(rows.items(parsed(body)))
        if isinstance(rows, Pictures) and kind.startswith("image/"):
            return rows.read_one(body)
        expected = " or ".join((JSON, *rows.pictures))
        raise RefusedError(
            415,
            f"The Content-Type is {kind or 'not there'}, expected {expected}, which says what the "
            "body is.",
        )

    def _answers(self, raw: Raw) -> tuple[list[dict[str, Json]], tuple[str, ...]]:
        recipe, dtype = self.model.preprocessing, self.model.network.dtype
        if recipe is None:
            with np.errstate(over="ignore"):  # looked for, and told
                numbers = np.asarray(raw, dtype)
            return self._of_network(numbers), ()
        prepared = prepare(raw, recipe.inputs, dtype)
        notes: tuple[str, ...] = ()
        if isinstance(recipe.inputs, TableRecipe):  # pictures were looked at by their names
            notes = unlikeness(raw, recipe.inputs, "rows")
        part = Part(None, Inputs(raw, ("",) * len(raw)), prepared)
        with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverged
            answers = Predictions(self.model, (part,), (), ()).answers()
            told = [one.to_json() for one in answers]
        for one in told:
            del one["source"]
        return told, notes

    def _of_network(self, prepared: Array) -> list[dict[str, Json]]:
        """Return what a network without a recipe says: classes by number, or values."""
        if not np.isfinite(prepared).all():
            raise DataError(f"A number of rows is beyond what {prepared.dtype} holds.")
        network = self.model.network
        with np.errstate(over="ignore", invalid="ignore"):
            logits = network.logits(prepared)
            told = [{"prediction": one} for one in network.loss.predict(logits).tolist()]
            if _has_probabilities(network.loss):
                shares = network.loss.predict_proba(logits).tolist()
                for one, row in zip(told, shares, strict=True):
                    one["probabilities"] = {str(place): share for place, share in enumerate(row)}
        return told

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON schema of an answer."""
        parts = self._of_one
        required: list[Json] = list(parts)
        one: dict[str, Json] = {"type": "object", "properties": parts, "required": required}
        whole: dict[str, Json] = {"predictions": {"type": "array", "items": one}, "notes": _NOTES}
        return {"type": "object", "properties": whole, "required": ["predictions", "notes"]}

    @property
    def _of_one(self) -> dict[str, Json]:
        """The schema of each part of the answer to one sample."""
        model = self.model
        loss, names = model.network.loss, model.class_names
        outputs = loss.answers(model.network.output_shape[0])
        value: dict[str, Json] = _NUMBER if outputs == 1 else _list_of(_NUMBER, outputs)
        found: dict[str, Json] = {"prediction": value}
        if names is not None:
            found["prediction"] = {"type": "string", "enum": list(names)}
        elif model.preprocessing is None and loss.classifies:
            found["prediction"] = {"type": "integer"}
        if _has_probabilities(loss) and (names is not None or model.preprocessing is None):
            share: dict[str, Json] = {**_NUMBER, "minimum": 0, "maximum": 1}
            count = outputs_of(model)
            found["probabilities"] = {
                "type": "object",
                "additionalProperties": share,
                "minProperties": count,
                "maxProperties": count,
            }
        recipe = model.preprocessing
        if recipe is not None and recipe.target.coverage is not None:
            if names is not None:
                found["set"] = {"type": "array", "items": {"enum": list(names)}}
            else:
                found |= {"lower": value, "upper": value}
        if isinstance(loss, Quantiles) and recipe is not None:
            levels: dict[str, Json] = dict.fromkeys(map(repr, loss.levels), _NUMBER)
            required: list[Json] = list(levels)
            found["quantiles"] = {"type": "object", "properties": levels, "required": required}
        return found


def rows_of(model: Model) -> Rows:
    """Return what a model takes."""
    recipe, outputs = model.preprocessing, outputs_of(model)
    if recipe is None:
        return ArrayRows(model.network.input_shape, outputs)
    if isinstance(recipe.inputs, TableRecipe):
        return TableRows(recipe, outputs)
    if isinstance(recipe.inputs, PictureRecipe):
        return Pictures(recipe.inputs, outputs)
    return ArrayRows(recipe.inputs.shape, outputs)


def outputs_of(model: Model) -> int:
    """Return the number of numbers that one sample is answered by, of two classes both."""
    outputs = model.network.output_shape[0]
    return max(outputs, 2) if model.network.loss.classifies else outputs


def _has_probabilities(loss: Loss) -> bool:
    return type(loss).predict_proba is not Loss.predict_proba


def _list_of(items: Json, count: int) -> dict[str, Json]:
    return {"type": "array", "items": items, "minItems": count, "maxItems": count}
