"""The model of a step's time with many workers: by hand, by drawn cases, and by its simulation."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # bench/ is a part of the repository, not of the package

import clearprop as cp  # noqa: E402
from bench.scaling import link, report, results  # noqa: E402
from bench.scaling.batches import Need, best_batch, critical_batch, noise_scale  # noqa: E402
from bench.scaling.constants import LARGE, TINY, network  # noqa: E402
from bench.scaling.learning import Goal, averaged, best_rate, rows_to  # noqa: E402
from bench.scaling.model import (  # noqa: E402
    LOOPBACK,
    WAYS,
    Job,
    Machine,
    Wire,
    fastest,
    paying,
    step,
    sums_sent,
)
from bench.scaling.simulation import Stragglers, simulate  # noqa: E402
from clearprop.training.shards.cutting import nodes_within  # noqa: E402

# Each a power of ten or so, so that a sum shows which of them it has.
MACHINE = Machine(
    flop=1e-10,
    number=1e-9,
    weight=1e-8,
    layer=1e-3,
    add=1e-7,
    update=1e-6,
    row=1e-5,
    step=1e-2,
    answer=2e-3,
    call=1e-3,
    byte=1e-9,
)
JOB = Job(parameters=1000, batch=64, shards=4, layers=3, numbers=50, outputs=2)
WIRE = Wire(gigabits=1, milliseconds=10)


def test_parameters_and_operations_of_dense_layers_are_those_of_a_network():
    job = Job.dense(LARGE, batch=1)
    assert job.parameters == len(network(LARGE).parameters.data)
    # Forward and the gradient of weights 2 each, and 2 for the inputs of all layers but the first.
    products = 784 * 1024 + 1024 * 1024 + 1024 * 10
    biases = 1024 + 1024 + 10
    assert job.flops == 6 * (products + biases) - 2 * 784 * 1024
    assert (job.layers, job.outputs, job.numbers) == (5, 10, biases)


def test_a_star_of_two_workers_by_hand():
    found = step(JOB, MACHINE, WIRE, workers=2)
    part = 16 * (6000 * 1e-10 + 50 * 1e-9) + 1000 * 1e-8 + 3 * 1e-3
    assert found.computing == pytest.approx(2 * part + 1000 * 1e-7)
    assert found.down == pytest.approx((2 * 4000 + 8 * 64) * 8e-9)
    assert found.up == pytest.approx((2 * 4000 + 64 * (2 * 4 + 8)) * 8e-9)
    assert found.waiting == pytest.approx(10e-3 + 2e-3 + 2 * 1e-3)
    assert found.asking == pytest.approx(1e-2 + 64 * 1e-5 + 1000 * (1e-6 + 1e-7))
    assert found.seconds == pytest.approx(
        found.computing + found.down + found.up + found.waiting + found.asking
    )


def test_a_tree_of_four_workers_and_the_asking_process_by_hand():
    found = step(JOB, MACHINE, WIRE, workers=4, way="tree")  # five places: three rounds
    assert found.down == pytest.approx(3 * 4000 * 8e-9)
    assert found.up == pytest.approx(3 * 4000 * 8e-9 + 2 * 1000 * 1e-7)
    assert found.waiting == pytest.approx(3 * (10e-3 + 3e-3))
    assert found.asking == pytest.approx(1e-2 + 16 * 1e-5 + 1000 * 1e-6)


def test_halving_by_four_workers_by_hand():
    found = step(JOB, MACHINE, WIRE, workers=4, way="halving")
    assert found.down == pytest.approx(3 / 4 * 4000 * 8e-9)
    assert found.up == pytest.approx(3 / 4 * (4000 * 8e-9 + 1000 * 1e-7))
    assert found.waiting == pytest.approx(2 * (10e-3 + 3e-3))
    assert found.asking == pytest.approx(1e-2 + 16 * 1e-5 + 250 * 1e-6)


def test_eight_workers_on_two_cores_compute_as_long_as_two():
    here = replace(MACHINE, cores=2)
    two, eight = (replace(JOB, shards=8), 2), (replace(JOB, shards=8), 8)
    without_sums = replace(here, add=0.0)
    assert without_sums.computing(*eight) == pytest.approx(without_sums.computing(*two))
    assert MACHINE.computing(*eight) < MACHINE.computing(*two) / 3


def test_the_wire_or_the_processes_whichever_is_slower():
    assert Wire(1).byte(MACHINE) == 8e-9
    assert Wire(100).byte(MACHINE) == MACHINE.byte == LOOPBACK.byte(MACHINE)


@given(st.integers(1, 70), st.integers(1, 70))
def test_sums_that_are_sent_are_the_nodes_that_workers_have(shards, workers):
    workers = min(workers, shards)
    shares = [
        set(range(place * shards // workers, (place + 1) * shards // workers))
        for place in range(workers)
    ]
    expected = sum(len(list(nodes_within(share, (0, shards)))) for share in shares)
    assert sums_sent(shards, workers) == expected


JOBS = st.builds(
    Job,
    parameters=st.integers(1, 10**9),
    batch=st.integers(1, 10**6),
    shards=st.integers(1, 100),
)
WIRES = st.builds(Wire, gigabits=st.floats(0.01, 1000), milliseconds=st.floats(0, 1000))
CASES = st.tuples(JOBS, WIRES, st.integers(1, 100), st.sampled_from(WAYS))


@given(CASES)
def test_no_time_falls_where_the_wire_is_worse_or_the_job_larger(case):
    job, wire, workers, way = case
    seconds = step(job, MACHINE, wire, workers, way).seconds
    for worse_wire in (
        replace(wire, gigabits=wire.gigabits / 2),
        replace(wire, milliseconds=wire.milliseconds + 1),
    ):
        assert step(job, MACHINE, worse_wire, workers, way).seconds >= seconds
    for larger in (
        replace(job, parameters=2 * job.parameters),
        replace(job, batch=2 * job.batch),
    ):
        assert step(larger, MACHINE, wire, workers, way).seconds > seconds


@given(CASES)
def test_workers_without_a_shard_change_nothing(case):
    job, wire, workers, way = case
    found = step(job, MACHINE, wire, job.shards, way)
    assert step(job, MACHINE, wire, job.shards + workers, way) == found


@given(CASES, st.integers(2, 100))
def test_local_steps_share_what_is_sent_and_not_what_is_computed(case, steps):
    job, wire, workers, way = case
    once, local = (step(job, MACHINE, wire, workers, way, count) for count in (1, steps))
    assert local.computing == pytest.approx(once.computing + job.parameters * MACHINE.update)
    assert steps * local.down == pytest.approx(once.down)
    assert steps * local.up == pytest.approx(once.up)
    assert steps * local.waiting == pytest.approx(once.waiting)


@given(CASES, st.integers(1, 5))
@settings(max_examples=50)
def test_without_stragglers_the_simulation_is_the_closed_form(case, local_steps):
    job, wire, workers, way = case
    found = simulate(job, MACHINE, wire, workers, way, Stragglers(), local_steps, exchanges=2)
    expected = step(job, MACHINE, wire, workers, way, local_steps).seconds
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_local_steps_wait_less_for_stragglers():
    job = Job(parameters=10_000, batch=640_000, shards=64)
    lost = []
    for count in (1, 16):
        usual = step(job, MACHINE, LOOPBACK, 64, "halving", count)
        found = simulate(job, MACHINE, LOOPBACK, 64, "halving", Stragglers(0.2), count)
        lost.append(found.mean() - usual.seconds)
    assert lost[1] < lost[0] / 3  # by a root of 16, as means spread


@pytest.mark.parametrize("way", WAYS)
def test_an_update_waits_for_the_slowest_and_no_longer(way):
    job = Job(parameters=10_000, batch=640_000, shards=64)
    usual = step(job, MACHINE, LOOPBACK, 64, way)
    rare = Stragglers(slow=0.02, factor=3)
    found = simulate(job, MACHINE, LOOPBACK, 64, way, rare, exchanges=4000)
    # A worker in fifty: 1 - 0.98^64 of all updates have one at least, and those take two more
    # times of computing, up to what is sent meanwhile.
    slow = found > usual.seconds + usual.computing
    assert slow.mean() == pytest.approx(1 - 0.98**64, abs=0.03)
    assert found.max() <= (usual.seconds + 2 * usual.computing) * (1 + 1e-12)
    assert found.min() == pytest.approx(usual.seconds)


def test_the_same_seed_draws_the_same_times():
    one, again, other = (
        simulate(JOB, MACHINE, WIRE, 4, "tree", Stragglers(0.1), exchanges=5, seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()


def test_the_fastest_star_is_where_the_root_of_work_and_traffic_is():
    free = dict.fromkeys(("number", "layer", "add", "weight", "answer", "call"), 0.0)
    machine = replace(MACHINE, **free)
    job = Job(parameters=10_000, batch=64 * 1024, shards=64)
    work = job.batch * job.flops * machine.flop
    for gigabits in (1, 1 / 16):
        root = math.sqrt(work / (2 * job.bytes * 8e-9 / gigabits))
        # Of powers of two, which send one sum each, the best is at most a root of two away.
        workers, seconds = fastest(job, machine, Wire(gigabits))
        assert root / 2**0.5 <= workers <= root * 2**0.5
        assert seconds == step(job, machine, Wire(gigabits), workers).seconds


def test_more_workers_than_shards_have_shards_of_their_own():
    job = replace(JOB, batch=64_000)
    workers, seconds = fastest(job, MACHINE, WIRE, "halving")
    assert workers > job.shards
    assert seconds == step(replace(job, shards=workers), MACHINE, WIRE, workers, "halving").seconds


def test_where_half_of_a_workers_time_is_well_spent():
    count = paying(JOB, MACHINE, WIRE, most=4)
    alone = step(JOB, MACHINE, WIRE, 1).seconds
    assert alone / (count * step(JOB, MACHINE, WIRE, count).seconds) >= 0.5
    for more in range(count + 1, JOB.shards + 1):
        assert alone / (more * step(JOB, MACHINE, WIRE, more).seconds) < 0.5


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"way": "ring"}, {"local_steps": 0}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="expected at least one of each, and one of star, tree"):
        step(JOB, MACHINE, WIRE, **wrong)


def test_a_batch_of_the_critical_size_takes_twice_the_fewest_updates_and_rows():
    need = Need(critical=100, rows=5000)
    assert need.updates(100) == pytest.approx(2 * need.updates(1e12))
    assert need.rows_seen(100) == pytest.approx(2 * need.rows)


def test_the_critical_batch_is_found_in_counted_updates():
    need = Need(critical=70, rows=9000)
    found = critical_batch({batch: need.updates(batch) for batch in (8, 32, 128, 512)})
    assert found.critical == pytest.approx(70)
    assert found.rows == pytest.approx(9000)


def test_the_best_batch_grows_with_what_an_update_costs_besides():
    need, sizes = Need(critical=100, rows=5000), [2**power for power in range(12)]
    # The time S_min (1 + c / B) (a + B) is least at B = sqrt(c a).
    assert best_batch(need, lambda batch: 0.01 + batch, sizes) == 1
    assert best_batch(need, lambda batch: 10.24 + batch, sizes) == 32
    assert best_batch(need, lambda batch: 2621.44 + batch, sizes) == 512


def test_the_noise_scale_of_a_mean_is_its_variance_by_its_square():
    # One weight and no noise but that of y: the gradient of a row is x (w x - y) with x = 1.
    random = np.random.RandomState(0)
    y = 2 + 3 * random.standard_normal((20_000, 1))
    net = cp.Network([cp.Dense(1, bias=False)], loss=cp.MeanSquaredError(), input_shape=(1,))
    net.parameters.data[...] = 0
    found = noise_scale(net, np.ones_like(y), y, rows=2, draws=1000)
    assert found == pytest.approx(y.var() / y.mean() ** 2, rel=0.15)


def goal(rows=64):
    random = np.random.RandomState(3)
    X = random.standard_normal((rows, 5)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    return Goal(X, y, 4, (X, y), loss=0.4, batches=(8,), passes=100)


def test_one_local_step_of_workers_is_an_update_of_all_their_rows():
    some = goal()
    network, seen = next(averaged(some, 16, 0.1, seed=1, workers=4))
    assert seen == 64
    expected = some.network(1)
    _, gradient = expected.loss_and_gradient(some.X, some.y)
    expected.parameters.data[...] -= 0.1 * gradient.data
    np.testing.assert_allclose(network.parameters.data, expected.parameters.data, atol=1e-6)


def test_local_steps_go_on_from_one_another():
    some = goal()
    network, seen = next(averaged(some, 64, 0.1, seed=1, steps=3))
    assert seen == 3 * 64
    expected = some.network(1)
    for _ in range(3):
        _, gradient = expected.loss_and_gradient(some.X, some.y)
        expected.parameters.data[...] -= 0.1 * gradient.data
    np.testing.assert_allclose(network.parameters.data, expected.parameters.data, atol=1e-6)


def test_rows_are_counted_until_the_goal_or_too_many():
    some = goal()
    found = rows_to(some, averaged(some, 8, 0.3, seed=0), most=1e6)
    training = averaged(some, 8, 0.3, seed=0)
    reached = next(seen for network, seen in training if some.missing(network) <= 0)
    assert reached <= found <= 1.02 * reached + 8
    assert rows_to(some, averaged(some, 8, 0.3, seed=0), most=8) == math.inf


def test_the_best_rate_is_that_of_the_fewest_rows():
    def case(rate, seed, left):
        rows = 100 * (1 + abs(math.log2(rate / 0.5))) + seed
        return rows if rows < left else math.inf

    found = best_rate(case, most=1000)
    assert found["rate"] == pytest.approx(0.5)
    assert found["rows"] == pytest.approx(101)


def test_packets_leave_one_after_the_other_and_arrive_half_a_round_trip_later():
    way = link.Direction(Wire(gigabits=0.008, milliseconds=10))  # a byte in a microsecond
    way.send(b"a" * 1000, now=1.0)
    way.send(b"b" * 1000, now=1.0)
    assert list(way.arrived(1.0059)) == []
    assert way.due(1.0059) == pytest.approx(1e-4)
    assert [packet[:1] for packet in way.arrived(1.0061)] == [b"a"]
    assert [packet[:1] for packet in way.arrived(1.0071)] == [b"b"]
    way.send(b"c" * 1000, now=2.0)
    assert way.due(2.0) == pytest.approx(6e-3)


def test_the_model_of_a_tiny_job_names_its_widths():
    assert Job.dense(TINY, 8).parameters == 25 * 64 + 64 + 64 * 2 + 2


def test_the_page_shows_what_was_measured():
    page = report.PAGE.read_text(encoding="utf-8")
    for table in (report.constants, report.loopback, report.wires, report.batches, report.local):
        assert table() in page, table


@pytest.mark.parametrize("on_a_wire", [False, True])
def test_the_model_is_near_what_was_measured_of_the_large_network(on_a_wire):
    machine = results.machine(cores=2)
    compared = 0
    for case, seconds in results.steps().items():
        is_quick = case.wire.milliseconds <= 1
        if case.widths == LARGE and is_quick and (case.wire != LOOPBACK) == on_a_wire:
            modelled = step(case.job, machine, case.wire, case.workers).seconds
            assert modelled == pytest.approx(seconds, rel=0.25), case
            compared += 1
    assert compared >= 3
