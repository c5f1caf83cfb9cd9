"""Two processes that compile one function at once never get each other's machine code."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from clearprop.core.kernels import keep_apart, kernel


@pytest.mark.parametrize("kept", [True, False])
def test_each_process_gets_its_own_code_or_none(
    tmp_path: Path, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    caching = pytest.importorskip("numba.core.caching", reason="Numba is not installed")
    files = {}
    for process in "AB":
        monkeypatch.setattr(kernel, "_OWN", process)
        files[process] = file = caching.IndexDataCacheFile(str(tmp_path), "step", "stamp")
        if kept:
            keep_apart(SimpleNamespace(_cache=SimpleNamespace(_cache_file=file)))
        # Both have looked at the index before either has written it.
        monkeypatch.setattr(file, "_load_index", dict)
    save = files["A"]._save_data

    def after_the_other(name: str, code: str) -> None:
        files["B"].save("kind B", "code of B")
        save(name, code)

    monkeypatch.setattr(files["A"], "_save_data", after_the_other)
    files["A"].save("kind A", "code of A")
    later = caching.IndexDataCacheFile(str(tmp_path), "step", "stamp")
    assert later.load("kind A") is None  # forgotten, and so compiled again
    # Without different names it is the other's: a Numba that mends this needs none.
    assert later.load("kind B") == ("code of B" if kept else "code of A")


def test_what_is_compiled_is_kept_under_such_names() -> None:
    pytest.importorskip("numba", reason="Numba is not installed")
    from clearprop.compiled import crew

    assert kernel._OWN in crew.train._cache._cache_file._data_name(1)
