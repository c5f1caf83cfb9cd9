"""``--cluster`` of commands that are no training: real processes, and the same bytes."""

import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from clusters import cluster_of

from clearprop.experiment.fold_scores import CrossValidation
from clearprop.files import models

QUICK = ("--layers", 4, "--epochs", 3, "--l2", 0.1, "--validation", 0.2, "--dropout", 0.1)
SECONDS = re.compile(r'"seconds": (\[[^]]*\]|[^,\n]*)')  # the clock's, in no two runs the same


@contextmanager
def scheduler_of(workers, threads=1):
    with cluster_of(workers, threads_per_worker=threads) as (cluster, client):
        yield cluster.scheduler_address, client


def but_for_the_clock(path):
    return SECONDS.sub("", Path(path).read_text())


def done(clearprop, *arguments):
    result = clearprop(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture
def small_blocks(monkeypatch):
    """Cut a few rows into many blocks."""
    monkeypatch.setattr(models, "_ROWS", 7)


@pytest.mark.cluster
class TestCrossValidate:
    @pytest.mark.parametrize(("folds", "workers", "threads"), [(5, 3, 1), (2, 4, 1), (5, 1, 2)])
    def test_writes_the_bytes_of_one_process(self, clearprop, folds, workers, threads):
        options = ("cross-validate", "iris", *QUICK, "--folds", folds)
        alone = done(clearprop, *options, "--out", "alone")
        with scheduler_of(workers, threads) as (address, _):
            told = done(clearprop, *options, "--cluster", address, "--out", "several")
        assert told == alone.replace("alone/", "several/")
        assert but_for_the_clock("several/folds.json") == but_for_the_clock("alone/folds.json")

    def test_of_folds_within_folds_and_with_shards(self, clearprop):
        options = ("cross-validate", "iris", "--layers", 4, "--epochs", 2, "--shards", 3)
        done(clearprop, *options, "--folds", 2, "--out", "alone")
        done(clearprop, *options, "--folds", 2, "--cluster", "local:2", "--out", "several")
        assert but_for_the_clock("several/folds.json") == but_for_the_clock("alone/folds.json")

    @pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
    @pytest.mark.parametrize("workers", [1, 2])
    def test_does_again_what_a_killed_worker_had(self, clearprop, monkeypatch, workers):
        options = ("cross-validate", "iris", *QUICK, "--folds", 6)
        done(clearprop, *options, "--out", "alone")
        save, killed = CrossValidation.save, []
        with scheduler_of(workers) as (address, client), monkeypatch.context() as patched:

            def save_and_kill(found, folder):
                save(found, folder)
                if len(found.folds) in (1, 3):  # while others are trained, or wait
                    processes = client.run(os.getpid)
                    killed.append(processes[min(processes)])
                    os.kill(killed[-1], signal.SIGKILL)

            patched.setattr(CrossValidation, "save", save_and_kill)
            done(clearprop, *options, "--cluster", address, "--out", "several")
        assert len(set(killed)) == 2
        assert but_for_the_clock("several/folds.json") == but_for_the_clock("alone/folds.json")

    def test_goes_on_elsewhere_with_what_was_begun_here(self, clearprop, monkeypatch):
        options = ("cross-validate", "iris", *QUICK, "--folds", 3)
        done(clearprop, *options, "--out", "whole")
        save = CrossValidation.save

        def stop(found, folder):
            save(found, folder)
            if len(found.folds) == 1:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(CrossValidation, "save", stop)
            result = clearprop(*options, "--cluster", "local:2", "--out", "part")
        assert result.exit_code == 130
        assert "1 of 3 folds were done before. To go on: clearprop cross-val" in result.stderr
        again = ("cross-validate", "--resume", "--out", "part", "--cluster", "local:2")
        done(clearprop, *again)
        assert but_for_the_clock("part/folds.json") == but_for_the_clock("whole/folds.json")


@pytest.mark.cluster
def test_search_writes_the_bytes_of_one_process(clearprop, monkeypatch):
    monkeypatch.setattr("clearprop.experiment.search._MOST", 7)  # candidates, for which time is
    options = ("search", "iris", *QUICK[:-2], "--folds", 4, "--budget", "1h")
    monkeypatch.setattr("clearprop.cli.search.available_cores", lambda: 1)
    done(clearprop, *options, "--out", "alone")
    with scheduler_of(3) as (address, _):
        done(clearprop, *options, "--cluster", address, "--out", "several")
    alone = but_for_the_clock("alone/search.json")
    assert alone.count('"changes"') == 8
    assert but_for_the_clock("several/search.json") == alone


@pytest.mark.cluster
@pytest.mark.usefixtures("small_blocks")
class TestRows:
    def test_evaluate_tells_what_one_process_tells(self, clearprop, table_run, people):
        alone = done(clearprop, "evaluate", table_run, people, "--json")
        with scheduler_of(3) as (address, _):
            told = done(clearprop, "evaluate", table_run, people, "--json", "--cluster", address)
        assert told == alone

    def test_predict_writes_what_one_process_writes(self, clearprop, table_run, people):
        done(clearprop, "predict", table_run, people, "--out", "alone.csv")
        with scheduler_of(2) as (address, client):
            options = ("predict", table_run, people, "--cluster", address)
            done(clearprop, *options, "--out", "several.csv")
            assert Path("several.csv").read_bytes() == Path("alone.csv").read_bytes()
            printed = done(clearprop, *options)
            assert printed == done(clearprop, "predict", table_run, people)
            assert len(client.nthreads()) == 2  # whose cluster it is, his it stays

    def test_pictures_travel_as_what_they_hold(self, clearprop, picture_model, photos):
        alone = done(clearprop, "predict", picture_model, photos, "--json")
        told = done(clearprop, "predict", picture_model, photos, "--json", "--cluster", "local:1")
        assert told == alone


@pytest.mark.parametrize("cluster", ["local:0", "local:", "local:two"])
def test_no_number_of_processes_is_an_error_of_usage(clearprop, table_run, people, cluster):
    for command in (
        ("cross-validate", "iris", *QUICK),
        ("search", "iris", *QUICK),
        ("evaluate", table_run, people),
        ("predict", table_run, people),
    ):
        result = clearprop(*command, "--cluster", cluster)
        assert result.exit_code == 2
        assert f"Found {cluster}, expected local:N with a number of processes" in result.stderr
        assert not any(Path().iterdir())  # nothing is begun that can't be done


def test_an_address_of_nobody_is_told(clearprop, table_run, people):
    result = clearprop("evaluate", table_run, people, "--cluster", "nowhere")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(
        "Error: No scheduler of Dask answers at nowhere: "
    )


def test_a_cluster_of_a_file_of_settings_is_one_too(clearprop):
    Path("settings.toml").write_text('cluster = "local:none"\n')
    result = clearprop("cross-validate", "iris", *QUICK, "--config", "settings.toml")
    assert result.exit_code == 2
    assert "Found local:none" in result.stderr


def test_no_row_is_answered_otherwise_by_several_threads(clearprop, array_model, monkeypatch):
    monkeypatch.setattr(models, "_ROWS", 10)
    np.save("rows.npy", np.random.RandomState(1).randn(95, 6))
    for threads in (1, 3):
        monkeypatch.setattr("clearprop.experiment.rows.choose_threads", lambda *_, n=threads: n)
        done(clearprop, "predict", array_model, "rows.npy", "--out", f"by{threads}.csv")
    assert len(Path("by1.csv").read_text().splitlines()) == 96
    assert Path("by3.csv").read_bytes() == Path("by1.csv").read_bytes()


def test_folds_at_once_are_the_folds_one_by_one(clearprop, monkeypatch):
    options = ("cross-validate", "iris", *QUICK, "--folds", 5)
    done(clearprop, *options, "--out", "by1")
    monkeypatch.setattr("clearprop.cli.cross_validate.folds_at_once", lambda _: 2)
    done(clearprop, *options, "--out", "by2")
    assert but_for_the_clock("by2/folds.json") == but_for_the_clock("by1/folds.json")
