"""Real Dask processes: one or several, killed, late or of another kind, give the same bits."""

import os
import signal
from contextlib import contextmanager

import pytest
from test_shards import digest, network, samples

import clearprop as cp
from clearprop.errors import ClusterError
from clearprop.training.shards import dask_crew

pytestmark = pytest.mark.cluster

SHARDS = {"epochs": 6, "batch_size": 50, "shards": 8}


@contextmanager
def cluster_of(workers):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as client,
    ):
        yield cluster, client


def trained(callbacks=(), **given):
    net = network()
    history = cp.Trainer(**SHARDS, **given).fit(
        net, *samples(), validation=0.2, callbacks=callbacks
    )
    return digest(net), history["loss"]


class Kill(cp.Callback):
    """Kills a worker after some updates."""

    def __init__(self, client, steps):
        self.client, self.steps, self.killed = client, steps, 0

    def on_step_end(self, run):
        if run.step in self.steps:
            processes = self.client.run(os.getpid)
            os.kill(processes[min(processes)], signal.SIGKILL)
            self.killed += 1


class Join(cp.Callback):
    """Brings another worker in after some updates."""

    def __init__(self, cluster, client, step):
        self.cluster, self.client, self.step = cluster, client, step

    def on_step_end(self, run):
        if run.step == self.step:
            self.cluster.scale(3)
            self.client.wait_for_workers(3)


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_any_number_of_workers_gives_the_bits_of_none(workers):
    with cluster_of(workers) as (_, client):
        assert trained(cluster=client) == trained(threads=1)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize(("workers", "steps"), [(1, (12,)), (2, (12,)), (3, (7, 20, 30))])
def test_killed_workers_leave_no_mark(workers, steps):
    with cluster_of(workers) as (_, client):
        kill = Kill(client, steps)
        assert trained([kill], cluster=client) == trained(threads=1)
        assert kill.killed == len(steps)


def test_a_worker_that_comes_late_computes_with_the_others():
    with cluster_of(1) as (cluster, client):
        assert trained([Join(cluster, client, 5)], cluster=client) == trained(threads=1)


def test_processes_of_this_machine_by_a_word():
    assert trained(cluster="local:2") == trained(threads=1)


def test_a_scheduler_by_its_address():
    with cluster_of(2) as (cluster, _):
        assert trained(cluster=cluster.scheduler_address) == trained(threads=1)


def test_a_cluster_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(dask_crew, "_SECONDS", 1)
    with pytest.raises(ClusterError, match=r"No scheduler of Dask answers at tcp://127.0.0.1:1"):
        trained(cluster="tcp://127.0.0.1:1")


def test_a_cluster_without_workers_is_waited_for_and_then_named(monkeypatch):
    monkeypatch.setattr(dask_crew, "_SECONDS", 1)
    with cluster_of(0) as (_, client), pytest.raises(ClusterError, match="has no workers"):
        trained(cluster=client)


@pytest.mark.parametrize("name", ["clearprop", "NumPy", "test products"])
def test_a_worker_that_would_give_other_bits_is_refused(monkeypatch, name):
    own = dask_crew.identity()
    (key,) = (one for one in own if one.startswith(name))
    changed = {**own, key: "another"}
    with cluster_of(1) as (_, client):
        # What this process is made by is another one, as that of the worker can't be.
        monkeypatch.setattr(dask_crew, "_own_identity", lambda: changed)
        with pytest.raises(ClusterError, match=rf"{name}.* of this process another"):
            trained(cluster=client)
