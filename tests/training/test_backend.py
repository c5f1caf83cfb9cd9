"""The threads of matrix products."""

from threadpoolctl import threadpool_info

from clearprop.backend import blas_threads


def counts() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_threads_are_limited_and_restored() -> None:
    before = counts()
    assert before
    with blas_threads(2):
        assert set(counts()) == {2}
        with blas_threads(1):
            assert set(counts()) == {1}
        assert set(counts()) == {2}
    assert counts() == before
