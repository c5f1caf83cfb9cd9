"""A server on a free port of this machine, for a small task; and live blocks are closed."""

import inspect
import signal
from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra live is not installed")
pytest.importorskip("uvicorn", reason="the extra live is not installed")

from asking import SECONDS, Asker

from clearprop.experiment import Settings, Task, load_dataset, set_task
from clearprop.gradcheck.seeing.recorder import ACTIVE
from clearprop.studio import application, block
from clearprop.studio.controls import Wish
from clearprop.studio.live import Live
from clearprop.studio.serving import serve_live
from clearprop.web.server import PageServer

SIGNALS = [name for name in block._SIGNALS if hasattr(signal, name)]


@pytest.fixture(scope="session")
def serve() -> Callable[..., PageServer]:
    """Serve without the modules of the page, which are tested elsewhere."""

    def served(live: Live, port: int | None = None) -> PageServer:
        with pytest.MonkeyPatch.context() as patch:  # a page is packed when its server is made
            patch.setattr(application, "pack", lambda _, title, **__: f"<!doctype html>{title}")
            return serve_live(live, port)

    return served


@pytest.fixture(scope="session")
def moons() -> Task:
    """A small task, with samples held out."""
    settings = Settings(data="moons", layers=(4,), epochs=3, folds=0, patience=0)
    return set_task(settings, load_dataset(settings))


@pytest.fixture(scope="module")
def live(moons: Task) -> Live:
    """A run that has not begun."""
    return Live(moons, name="moons", command="clearprop train moons")


@pytest.fixture(scope="module")
def server(live: Live, serve: Callable[..., PageServer]) -> Iterator[PageServer]:
    with serve(live) as one:
        yield one


@pytest.fixture
def asker(server: PageServer, live: Live) -> Asker:
    """Somebody who asks the server, of whom nothing was wished yet."""
    live.controls.wish = Wish()
    return Asker(server.address)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test leaves open, and find everything put back."""
    monkeypatch.setattr(block, "_PATIENCE", SECONDS)
    before = {name: signal.getsignal(getattr(signal, name)) for name in SIGNALS}
    yield
    for one in [*block._OPEN]:
        one.close()
    assert ACTIVE == []
    assert {name: signal.getsignal(getattr(signal, name)) for name in SIGNALS} == before
    assert np.__name__ == "numpy"
    assert inspect.ismodule(np)
    assert type(np).__name__ == "module"
