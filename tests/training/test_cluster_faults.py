"""What goes wrong on a cluster: the same bits all the same, or a clean stop to go on from."""

import gc
import os
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from clusters import After, cluster_of, scheduler, worker
from test_shards import digest, network, samples

import clearprop as cp
from clearprop.cli import cli
from clearprop.errors import ClusterError
from clearprop.experiment import folder
from clearprop.files import tensors
from clearprop.training.shards import connection, dask_crew
from clearprop.training.shards.dask_crew import DaskCrew

pytestmark = pytest.mark.cluster

SHARDS = {"epochs": 6, "batch_size": 50, "shards": 8}
OPEN_FILES = Path("/proc/self/fd")
IN_THE_MIDDLE = 15  # of the third of six epochs of six updates


class Remarks(cp.Callback):
    """Keeps what whoever watches is told."""

    def on_train_end(self, run):
        self.all, self.pace = list(run.remarks), run.pace()


def trained(callbacks=(), **given):
    net = network()
    trainer = cp.Trainer(**SHARDS, **{"cluster": None, "threads": 1, **given})
    trainer.fit(net, *samples(), validation=0.2, callbacks=callbacks)
    return digest(net)


def test_a_slow_worker_is_waited_for(monkeypatch):
    stopped = []

    def stop(client):
        processes = client.run(os.getpid)
        stopped.append(processes[min(processes)])
        os.kill(stopped[0], signal.SIGSTOP)

    def look(crew):
        """Let it go on when the others have waited so long that somebody looks what is wrong."""
        while stopped:
            os.kill(stopped.pop(), signal.SIGCONT)
            looked.append(crew)
        return present(crew)

    present, looked = DaskCrew._present, []
    monkeypatch.setattr(DaskCrew, "_present", look)
    with cluster_of(3) as (_, client):
        found = trained([After({IN_THE_MIDDLE}, lambda: stop(client))], cluster=client)
    assert len(looked) == 1
    assert found == trained()


def test_one_of_another_version_that_comes_late_is_left_out(monkeypatch):
    remarks = Remarks()

    def join(cluster, client):
        other = {**connection.own_identity(), "NumPy": "1.0"}
        monkeypatch.setattr(connection, "own_identity", lambda: other)
        cluster.scale(2)
        client.wait_for_workers(2)

    with cluster_of(1) as (cluster, client):
        late = After({IN_THE_MIDDLE}, lambda: join(cluster, client))
        assert trained([late, remarks], cluster=client) == trained()
    (said,) = remarks.all
    assert "that of this process 1.0" in said
    assert said.endswith("The others go on without it.")
    assert remarks.pace.startswith("1 worker, ")


def test_a_worker_without_clearprop_is_named():
    with scheduler() as (_, address), worker(address, "clearprop") as (_, one):
        said = rf"The worker {one} has no clearprop, or another one than {cp.__version__}.*Install"
        with pytest.raises(ClusterError, match=said):
            trained(cluster=address)


def test_a_scheduler_without_clearprop_is_named():
    with scheduler(0, "clearprop") as (_, address), worker(address):
        said = rf"The scheduler of the cluster {address} has no clearprop, or another.*Install"
        with pytest.raises(ClusterError, match=said):
            trained(cluster=address)


def test_one_without_clearprop_that_comes_late_is_left_out():
    remarks = Remarks()
    with ExitStack() as stack:
        _, address = stack.enter_context(scheduler())
        stack.enter_context(worker(address))
        join = After({IN_THE_MIDDLE}, lambda: stack.enter_context(worker(address, "clearprop")))
        assert trained([join, remarks], cluster=address) == trained()
    assert [said.endswith("The others go on without it.") for said in remarks.all] == [True]


def test_where_none_but_one_that_was_left_out_remains_it_is_named():
    with ExitStack() as stack:
        _, address = stack.enter_context(scheduler())
        process, _ = stack.enter_context(worker(address))
        join = After({10}, lambda: stack.enter_context(worker(address, "clearprop")))
        kill = After({30}, process.kill)
        with pytest.raises(ClusterError, match=r"has no clearprop, or another one"):
            trained([join, kill], cluster=address)
    assert (join.done, kill.done) == (1, 1)


def test_a_scheduler_that_dies_stops_a_run_that_can_go_on(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folder, "draw_run", lambda *_: ([], []))  # which takes longer than the rest
    given = ["train", "iris", "--layers", "16", "--epochs", "5", "--folds", "0", "--shards", "8"]

    def run(*more):
        return CliRunner().invoke(cli, [*given, "--batch-size", "24", "--l2", "0", *more])

    ask = DaskCrew.ask
    with ExitStack() as stack:
        process, address = stack.enter_context(scheduler())
        workers = [stack.enter_context(worker(address))[0] for _ in range(2)]

        def ask_and_kill(crew, what):
            if what.step == 14:  # of the fourth of five epochs of four updates
                # Seconds for which a scheduler is looked for, in place of 60.
                crew.client._timeout = crew.client.rpc.timeout = 1
                for one in (process, *workers):  # these would end by themselves, in up to a minute
                    one.kill()
                    one.wait()
            return ask(crew, what)

        monkeypatch.setattr(DaskCrew, "ask", ask_and_kill)
        found = run("--cluster", address, "--out", "cut")
    assert found.exit_code == 1
    said = [line for line in found.stderr.splitlines() if line.startswith("Error")]
    assert said == [found.stderr.splitlines()[-1]]
    assert f"The scheduler of the cluster {address} does not answer any more" in said[0]
    assert "--resume" in said[0]
    checkpoint = tensors.open_tensors(tmp_path / "cut" / "checkpoint.safetensors", "checkpoint")
    assert checkpoint.description["epoch"] == 3
    monkeypatch.setattr(DaskCrew, "ask", ask)
    port = address.rpartition(":")[2]
    with scheduler(int(port)) as (_, again), worker(again):
        assert again == address
        assert run("--resume", "--out", "cut").exit_code == 0
    assert run("--out", "whole").exit_code == 0
    cut, whole = (tmp_path / name / "model.safetensors" for name in ("cut", "whole"))
    assert cut.read_bytes() == whole.read_bytes()


def test_with_a_scheduler_that_starts_again_training_goes_on():
    with ExitStack() as stack:
        process, address = stack.enter_context(scheduler())
        first, _ = stack.enter_context(worker(address))

        def start_again():
            for one in (process, first):
                one.kill()
                one.wait()
            _, again = stack.enter_context(scheduler(int(address.rpartition(":")[2])))
            stack.enter_context(worker(again))

        again = After({IN_THE_MIDDLE}, start_again)
        assert trained([again], cluster=address) == trained()
    assert again.done == 1


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="there is shared memory on Linux")
class TestSharedMemory:
    @staticmethod
    def open_files():
        found = []
        for one in OPEN_FILES.iterdir():
            with suppress(FileNotFoundError):  # that of the list itself
                found.append(str(one.readlink()))
        return [one for one in found if "clearprop-" in one]

    def test_is_used_on_one_machine_and_gone_with_the_training(self, monkeypatch):
        shared, ask = [], DaskCrew.ask

        def look(crew, asked):
            shared.append([one.sums is not None for one in crew._hired])
            return ask(crew, asked)

        monkeypatch.setattr(DaskCrew, "ask", look)
        before = self.open_files()
        with cluster_of(2) as (_, client):
            found = trained(cluster=client)
        assert {tuple(one) for one in shared} == {(True, True)}
        gc.collect()
        assert set(self.open_files()) <= set(before)
        assert found == trained()

    def test_without_it_the_network_carries_the_same_bits(self, monkeypatch):
        def refuse(*_):
            raise OSError("no such memory")

        monkeypatch.setattr(dask_crew, "SharedArray", refuse)
        with cluster_of(2) as (_, client):
            assert trained(cluster=client) == trained()
