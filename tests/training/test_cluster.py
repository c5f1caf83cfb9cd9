"""Real Dask processes: one or several, killed, late or of another kind, give the same bits."""

import asyncio
import os
import threading

import pytest
from clusters import After, cluster_of, kill_one
from test_shards import digest, network, samples

import clearprop as cp
from clearprop.errors import ClusterError
from clearprop.training.shards import Work, connection
from clearprop.training.shards.member import Member

pytestmark = pytest.mark.cluster

SHARDS = {"epochs": 6, "batch_size": 50, "shards": 8}


def trained(callbacks=(), **given):
    net = network()
    history = cp.Trainer(**SHARDS, **given).fit(
        net, *samples(), validation=0.2, callbacks=callbacks
    )
    return digest(net), history["loss"]


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_any_number_of_workers_gives_the_bits_of_none(workers):
    with cluster_of(workers) as (_, client):
        assert trained(cluster=client) == trained(threads=1)


def test_a_worker_of_several_threads_gives_the_bits_of_none():
    with cluster_of(1, threads_per_worker=3) as (_, client):
        assert trained(cluster=client) == trained(threads=1)


def test_members_of_one_worker_compute_at_once():
    meeting = threading.Barrier(2, timeout=60)  # which breaks where they come one by one

    async def both():
        return await asyncio.gather(*[one.compute(None) for one in members])

    net = network()
    members = [Member(Work(net, net.loss, 8, 0)) for _ in range(2)]
    for one in members:
        one._worker = lambda _: meeting.wait()
    assert sorted(asyncio.run(both())) == [0, 1]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize(("workers", "steps"), [(1, (12,)), (2, (12,)), (3, (7, 20, 30))])
def test_killed_workers_leave_no_mark(workers, steps):
    with cluster_of(workers) as (_, client):
        kill = After(steps, lambda: kill_one(client))
        assert trained([kill], cluster=client) == trained(threads=1)
        assert kill.done == len(steps)


def test_a_worker_that_comes_late_computes_with_the_others():
    def join(cluster, client):
        cluster.scale(3)
        client.wait_for_workers(3)

    with cluster_of(1) as (cluster, client):
        late = After({5}, lambda: join(cluster, client))
        assert trained([late], cluster=client) == trained(threads=1)


def test_processes_of_this_machine_by_a_word():
    assert trained(cluster="local:2") == trained(threads=1)


def test_a_scheduler_by_its_address():
    with cluster_of(2) as (cluster, _):
        assert trained(cluster=cluster.scheduler_address) == trained(threads=1)


def test_a_cluster_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(connection, "SECONDS", 1)
    with pytest.raises(ClusterError, match=r"No scheduler of Dask answers at tcp://127.0.0.1:1"):
        trained(cluster="tcp://127.0.0.1:1")


def test_a_cluster_without_workers_is_waited_for_and_then_named(monkeypatch):
    monkeypatch.setattr(connection, "SECONDS", 1)
    with cluster_of(0) as (_, client), pytest.raises(ClusterError, match="has no workers"):
        trained(cluster=client)


@pytest.mark.parametrize("name", ["clearprop", "NumPy", "test products"])
def test_a_worker_that_would_give_other_bits_is_refused(monkeypatch, name):
    own = connection.identity()
    (key,) = (one for one in own if one.startswith(name))
    changed = {**own, key: "another"}
    with cluster_of(1) as (_, client):
        # What this process is made by is another one, as that of the worker can't be.
        monkeypatch.setattr(connection, "own_identity", lambda: changed)
        with pytest.raises(ClusterError, match=rf"{name}.* of this process another"):
            trained(cluster=client)
