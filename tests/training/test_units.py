"""Units of work on real Dask processes: in order, once more where a worker dies, by one thread."""

import operator
import os
import signal
from contextlib import contextmanager

import pytest
from clusters import cluster_of

from clearprop.core.blas import check_threads, choose_threads
from clearprop.errors import ClusterError, UsageError
from clearprop.training import units
from clearprop.training.shards import connection
from clearprop.training.units import Cluster

pytestmark = pytest.mark.cluster


@contextmanager
def client_of(workers, threads=1):
    with cluster_of(workers, threads_per_worker=threads) as (_, client):
        yield client


@pytest.fixture(scope="module")
def client():
    """Two workers, of one thread and for tests that leave them as they were."""
    with client_of(2) as found:
        yield found


def named(values):
    return ((f"unit {value}", value) for value in values)


def kill_one(client):
    processes = client.run(os.getpid)
    os.kill(processes[min(processes)], signal.SIGKILL)


class Counted:
    """A number on the workers, and here a count of how often it was sent."""

    sent = 0

    def __reduce__(self):
        Counted.sent += 1
        return int, (100,)


class TestEach:
    def test_gives_what_comes_of_units_in_their_order(self, client):
        cluster = Cluster(client)
        assert list(cluster.each(operator.sub, 100, named(range(25)))) == [*range(100, 75, -1)]
        assert list(cluster.each(operator.sub, 100, named([]))) == []

    def test_sends_what_is_shared_once(self, client):
        cluster, shared = Cluster(client), Counted()
        before = Counted.sent
        for _ in range(2):
            assert sum(cluster.each(operator.add, shared, named(range(9)))) == 936
        assert Counted.sent == before + 1

    def test_asks_for_few_units_ahead(self, client):
        asked = []

        def units():
            for value in range(40):
                asked.append(value)
                yield f"unit {value}", value

        found = Cluster(client).each(operator.add, 0, units())
        for value in range(10):
            assert next(found) == value
            assert len(asked) <= value + 1 + 2 * 2  # two each of two threads, and what was given
        found.close()

    def test_does_each_by_one_thread_whatever_its_size(self, client):
        assert choose_threads(10**9, 1000, 1) == 1
        assert list(Cluster(client).each(choose_threads, 10**9, named([1000]))) == [1]

    def test_takes_workers_of_several_threads(self):
        with client_of(2, threads=3) as client:
            cluster = Cluster(client)
            assert cluster.at_once == 6
            assert list(cluster.each(operator.add, 1, named(range(20)))) == [*range(1, 21)]

    def test_raises_what_a_unit_raised(self, client):
        cluster = Cluster(client)
        found = cluster.each(operator.call, check_threads, named([1, 0]))
        assert next(found) is None
        with pytest.raises(UsageError, match="threads is a whole number"):
            next(found)
        with pytest.raises(ValueError, match="could not convert"):
            list(cluster.each(operator.call, float, named(["much"])))
        assert list(cluster.each(operator.add, 1, named([1]))) == [2]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
class TestKilledWorkers:
    @pytest.mark.parametrize("workers", [1, 3])
    def test_leave_no_mark(self, workers):
        with client_of(workers) as client:
            found = []
            for value in Cluster(client).each(operator.add, 1, named(range(30))):
                found.append(value)
                if value in (5, 20):
                    kill_one(client)
            assert found == [*range(1, 31)]

    def test_one_after_the_other_by_one_unit_end_it(self):
        with client_of(2) as client:
            found = Cluster(client).each(operator.call, signal.raise_signal, [("fold 3", 9)])
            with pytest.raises(ClusterError, match="has ended over fold 3: perhaps"):
                next(found)


class TestClustersThatAreNoUse:
    def test_have_no_workers(self, monkeypatch):
        monkeypatch.setattr(connection, "SECONDS", 1)
        with client_of(0) as client, pytest.raises(ClusterError, match="has no workers, waited 1"):
            Cluster(client)

    def test_lose_their_scheduler(self):
        from dask import config

        with config.set({"distributed.comm.timeouts.connect": "1s"}), client_of(1) as client:
            found = Cluster(client).each(operator.add, 1, named(range(9)))
            assert next(found) == 1
            client.cluster.sync(client.cluster.scheduler.close)
            with pytest.raises(ClusterError, match=r"The scheduler of the cluster .* is gone"):
                list(found)

    @pytest.mark.parametrize("name", ["clearprop", "NumPy", "Numba", "CLEARPROP_KERNELS"])
    def test_would_give_other_bits(self, client, monkeypatch, name):
        cluster = Cluster(client)
        changed = {**units.identity(), name: "another"}
        # What this process is made by is another one, as that of the worker can't be.
        monkeypatch.setattr(units, "_own_identity", lambda: changed)
        with pytest.raises(ClusterError, match=f"its {name} is .* of this process another"):
            Cluster(client)
        with pytest.raises(ClusterError, match=f"its {name} is .* of this process another"):
            list(cluster.each(operator.add, 1, named([1])))  # as of a worker that comes late
