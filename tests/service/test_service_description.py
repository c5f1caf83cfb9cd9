"""The description of a service keeps its word, for every kind of model."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import TOKEN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served_models import Served
from service_client import JSON, Client, Reply

from clearprop.service.answers import Predictor
from clearprop.service.description import described
from clearprop.service.problems import RefusedError, problem
from clearprop.service.serving import serve_model

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
KNOWN = {
    *("$ref", "type", "const", "enum", "properties", "required", "additionalProperties", "items"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum"),
    *("description", "contentEncoding"),
}


def faults(value: Any, schema: Any, document: dict, place: str = "") -> Iterator[str]:
    """Yield where a value is not of a schema: of as much of JSON Schema as is used here."""
    assert schema.keys() <= KNOWN, schema.keys() - KNOWN
    if "$ref" in schema:
        yield from faults(value, pointed(document, schema["$ref"]), document, place)
        return
    kinds = schema.get("type", list(TYPES))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(is_a(value, kind) for kind in kinds):
        yield f"{place} is {value!r}, not {kinds}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{place} is {value!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is {value!r}"
    if isinstance(value, list):
        size, least, most = len(value), schema.get("minItems", 0), schema.get("maxItems", 10**9)
        if not least <= size <= most:
            yield f"{place} has {size}"
        for at, item in enumerate(value):
            yield from faults(item, schema.get("items", {}), document, f"{place}/{at}")
    if isinstance(value, dict):
        named, size = schema.get("properties", {}), len(value)
        if not schema.get("minProperties", 0) <= size <= schema.get("maxProperties", 10**9):
            yield f"{place} has {size}"
        yield from (
            f"{place} lacks {name}" for name in schema.get("required", ()) if name not in value
        )
        others = schema.get("additionalProperties", {})
        for name, item in value.items():
            if name not in named and others is False:
                yield f"{place} has {name}"
            else:
                yield from faults(item, named.get(name, others), document, f"{place}/{name}")
    if is_a(value, "number") and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{place} is {value}"


def is_a(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def pointed(document: dict, pointer: str) -> Any:
    found: Any = document
    for name in pointer.removeprefix("#/").split("/"):
        found = found[name]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (item for name, item in value.items() if name == "$ref")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from references(item)


def drawn(schema: dict, document: dict) -> st.SearchStrategy[Any]:
    """Draw values of the schema of a body."""
    if "$ref" in schema:
        return drawn(pointed(document, schema["$ref"]), document)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    ways = {
        "null": st.none(),
        "boolean": st.booleans(),
        "string": st.text(max_size=9),
        "number": st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    }
    if kinds == ["array"]:
        least, most = schema.get("minItems", 0), min(schema.get("maxItems", 3), 20)
        items = drawn(schema["items"], document)
        return st.lists(items, min_size=least, max_size=max(least, min(most, least + 2)))
    if kinds == ["object"]:
        named = {name: drawn(one, document) for name, one in schema["properties"].items()}
        return st.fixed_dictionaries(named)
    return st.one_of([ways[kind] for kind in kinds])


@pytest.fixture(scope="module")
def described_model(served: Served) -> tuple[Predictor, dict]:
    predictor = Predictor(served.model, "it")
    return predictor, json.loads(described(predictor, has_token=True))


def assert_as_described(reply: Reply, operation: dict, document: dict) -> None:
    told = operation["responses"][str(reply.status)]["content"]
    (kind,) = told
    assert reply.headers["content-type"] == kind
    assert not list(faults(reply.json(), told[kind]["schema"], document))


class TestTheDocument:
    def test_refers_to_what_it_has(self, described_model):
        _, document = described_model
        found = list(references(document))
        assert found
        assert all(pointed(document, one) for one in found)

    def test_is_of_openapi_3_1(self, described_model):
        _, document = described_model
        assert document["openapi"] == "3.1.0"
        assert document["info"].keys() == {"title", "version", "description"}
        names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
        assert sorted(names) == ["description", "health", "predict"]

    def test_tells_what_is_promised(self, described_model, served):
        _, document = described_model
        recipe = served.model.preprocessing
        promises = recipe is not None and recipe.target.coverage is not None
        assert ("Coverage: " in document["info"]["description"]) == promises


class TestItsWord:
    def test_is_kept_by_the_example_and_by_samples(self, described_model, served):
        predictor, document = described_model
        asked = document["paths"]["/predict"]["post"]["requestBody"]["content"][JSON]
        schema = document["components"]["schemas"]["Answer"]
        for body in (asked["example"], json.loads(served.body())):
            assert not list(faults(body, asked["schema"], document))
            answer = json.loads(predictor.answer(JSON, json.dumps(body).encode()))
            assert not list(faults(answer, schema, document))
            (key,) = body
            assert len(answer["predictions"]) == len(body[key])

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_is_kept_with_whatever_is_of_its_form(self, described_model, data):
        predictor, document = described_model
        asked = data.draw(drawn(document["components"]["schemas"]["Request"], document))
        status, answer = answered(predictor, asked)
        schema = document["components"]["schemas"]["Answer" if status == 200 else "Problem"]
        assert status in (200, 422), answer  # the form was as described
        assert not list(faults(answer, schema, document))

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_is_kept_with_what_is_of_another_form(self, described_model, data):
        predictor, document = described_model
        form = document["components"]["schemas"]["Request"]
        whole = data.draw(drawn(form, document))
        place = data.draw(st.sampled_from(list(places(whole))))
        odd = st.one_of(st.none(), st.booleans(), st.text(), st.just([]), st.just({}), st.just(1.5))
        asked = changed(whole, place, data.draw(odd))
        status, answer = answered(predictor, asked)
        assert (status == 400) == bool(list(faults(asked, form, document))), answer


def answered(predictor: Predictor, asked: Any) -> tuple[int, Any]:
    """Return the status and the value of an answer."""
    try:
        return 200, json.loads(predictor.answer(JSON, json.dumps(asked).encode()))
    except RefusedError as error:
        return error.status, json.loads(problem(error.status, error.sentence)[1])


def places(value: Any, *before: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the place of everything in a value."""
    yield before
    inside = value if isinstance(value, dict) else range(len(value) if is_a(value, "array") else 0)
    for at in inside:
        item = value[at]
        yield from places(item, *before, at)


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[place[0]] = changed(value[place[0]], place[1:], new)
    return copied


def test_each_of_its_addresses_answers_as_it_says(served):
    pytest.importorskip("uvicorn", reason="the extra live is not installed")
    predictor = Predictor(served.model, "it")
    with serve_model(predictor, token=TOKEN, complain=print) as server:
        client = Client(server.address, TOKEN)
        document = client.ask("GET", "/openapi.json").json()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                body, kind = None, None
                if content := operation.get("requestBody", {}).get("content"):
                    kind, body = JSON, json.dumps(content[JSON]["example"])
                given = {} if kind is None else {"content_type": kind}
                good = client.ask(method.upper(), path, body, **given)
                assert good.status == 200
                assert_as_described(good, operation, document)
                bad = [Client(server.address, None).ask(method.upper(), path, body, **given)]
                if operation.get("security") == []:
                    assert bad.pop().status == 200
                if body is not None:
                    bad += [client.ask(method.upper(), path, one, **given) for one in ("", "{}")]
                    bad += [client.predict(body, "text/plain"), client.predict(b"", "image/png")]
                for reply in bad:
                    assert reply.status != 200
                    assert_as_described(reply, operation, document)


def test_pictures_may_be_bodies_where_it_says_so(described_model, served):
    _, document = described_model
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert ("image/png" in content) == (served.key == "pictures")
    assert all(re.fullmatch(r"application/json|image/\w+", kind) for kind in content)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (True, {"type": "number"}),
        ([], {"type": "array", "minItems": 1}),
        ({"a": 1}, {"type": "object", "additionalProperties": False}),
        ({}, {"type": "object", "required": ["a"]}),
        ({"a": "x"}, {"type": "object", "properties": {"a": {"type": "null"}}}),
        (2, {"type": "number", "maximum": 1}),
        ("c", {"enum": ["a", "b"]}),
    ],
)
def test_what_is_not_of_a_schema_is_found(value, schema):
    assert list(faults(value, schema, {}))
