"""Models of every kind, and a service of one."""

from collections.abc import Iterator

import pytest
from served_models import KINDS, Served
from service_client import Client

from clearprop.service.answers import Predictor
from clearprop.service.serving import serve_model

TOKEN = "tokens-have-sixteen-or-more"  # noqa: S105 - of a test


@pytest.fixture(scope="session", params=KINDS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Served:
    return KINDS[request.param](tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return KINDS["table"](tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def complaints() -> list[str]:
    return []


@pytest.fixture(scope="session")
def client(people: Served, complaints: list[str]) -> Iterator[Client]:
    """Somebody who asks the service of a table's model."""
    pytest.importorskip("uvicorn", reason="the extra live is not installed")
    predictor = Predictor(people.model, "people")
    with serve_model(predictor, token=TOKEN, complain=complaints.append) as server:
        yield Client(server.address, TOKEN)
