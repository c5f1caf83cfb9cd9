"""Virtual shards: the same bits whoever computes them, and the gradient of the whole batch."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.training.shards.cutting import Part, bounds, cut, nodes_within, shard_batches, summed


def digest(net):
    return hashlib.sha256(net.parameters.data.tobytes() + net.state.data.tobytes()).hexdigest()


def samples():
    random = np.random.RandomState(0)
    X = random.standard_normal((330, 12))
    return X, (X[:, :3].sum(axis=1) > 0).astype(int) + (X[:, 4] > 1)


def network(dtype="float32", *, draws=True):
    layers = [cp.Dense(16), cp.BatchNorm(), cp.ReLU(), *[cp.Dropout(0.3)] * draws, cp.Dense(3)]
    loss = cp.SoftmaxCrossEntropy()
    return cp.Network(layers, loss=loss, input_shape=(12,), seed=1, dtype=dtype)


def trained(net=None, **given):
    net, (X, y) = net or network(), samples()
    weight = given.pop("sample_weight", None)
    trainer = cp.Trainer(epochs=3, batch_size=50, **given)
    history = trainer.fit(net, X, y, validation=0.2, sample_weight=weight)
    return digest(net), history


@pytest.mark.parametrize("shards", [1, 5, 8, 40])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_number_of_threads_leaves_no_mark(shards, weighted):
    weight = np.random.RandomState(1).uniform(0, 2, 330) if weighted else None
    one, two = (trained(shards=shards, threads=n, sample_weight=weight) for n in (1, 2))
    assert one[0] == two[0]
    # But for the time that it took.
    assert [{**row, "seconds": 0} for row in one[1].rows] == [
        {**row, "seconds": 0} for row in two[1].rows
    ]


def test_the_number_of_shards_does():
    assert trained(shards=5)[0] != trained(shards=6)[0]


@pytest.mark.parametrize("shards", [1, 3, 16])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_of_all_samples_is_that_of_one_piece(shards, weighted):
    X, y = samples()
    weight = np.random.RandomState(1).uniform(0, 2, 330) if weighted else None
    layers = [cp.Dense(16), cp.Tanh(), cp.Dense(3)]
    nets = [
        cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(12,), seed=1)
        for _ in range(2)
    ]
    histories = [
        cp.Trainer(
            optimizer=cp.Momentum(0.1, alpha=0.3),
            epochs=4,
            batch_size=None,
            shards=n,
            clip_norm=2.0,
        ).fit(net, X, y, sample_weight=weight)
        for net, n in zip(nets, (None, shards), strict=True)
    ]
    np.testing.assert_allclose(nets[1].parameters.data, nets[0].parameters.data, rtol=1e-10)
    np.testing.assert_allclose(histories[1]["loss"], histories[0]["loss"], rtol=1e-12)
    np.testing.assert_allclose(histories[1]["accuracy"], histories[0]["accuracy"])


def test_running_statistics_are_the_mean_of_those_of_the_shards():
    X, y = samples()
    layers, loss = [cp.BatchNorm(momentum=1), cp.Dense(3)], cp.SoftmaxCrossEntropy()
    net = cp.Network(layers, loss=loss, input_shape=(12,), seed=1)
    cp.Trainer(epochs=1, batch_size=None, shards=2).fit(net, X, y)
    halves = X[:165], X[165:]
    mean = np.mean([half.mean(axis=0) for half in halves], axis=0)
    variance = np.mean([half.var(axis=0, ddof=1) for half in halves], axis=0)
    np.testing.assert_allclose(net.state["0.running_mean"], mean, rtol=1e-10)
    np.testing.assert_allclose(net.state["0.running_variance"], variance, rtol=1e-10)


@given(st.integers(1, 300), st.integers(1, 80), st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_an_epoch_sees_every_sample_once_and_every_batch_its_share(count, size, shards, seed):
    random = np.random.RandomState(seed)
    every = list(shard_batches(count, size, shards, random))
    assert sorted(np.concatenate(every).tolist()) == list(range(count))
    assert len(every) == -(-count // size)
    ends = bounds(count, shards)
    for batch in every:
        rows = cut(batch, ends)
        assert np.concatenate([*rows.values(), np.empty(0, int)]).tolist() == batch.tolist()
        for shard in range(shards):
            has, own = len(rows.get(shard, ())), ends[shard + 1] - ends[shard]
            assert abs(has - own / len(every)) < 1
            assert all(ends[shard] <= row < ends[shard + 1] for row in rows.get(shard, ()))


@given(st.integers(1, 70), st.data())
@settings(max_examples=100, deadline=None)
def test_the_sum_does_not_depend_on_who_adds_up_what(shards, data):
    random = np.random.RandomState(data.draw(st.integers(0, 99)))
    numbers = random.standard_normal(shards).astype(np.float32) * 10.0 ** random.randint(
        -6, 6, shards
    )
    is_there = random.uniform(size=shards) < 0.8
    owners = random.randint(0, data.draw(st.integers(1, 9)), shards)

    def part(shard):
        value = np.array([numbers[shard]], np.float32)
        return Part(float(numbers[shard]), value, value.copy()) if is_there[shard] else None

    root = (0, shards)
    alone = summed(root, {(shard, shard + 1): part(shard) for shard in range(shards)})
    by_owner = {}
    for owner in set(owners.tolist()):
        owned = set(np.flatnonzero(owners == owner).tolist())
        leaves = {(shard, shard + 1): part(shard) for shard in owned}
        by_owner |= {node: summed(node, leaves) for node in nodes_within(owned, root)}
    together = summed(root, by_owner)
    if alone is None:
        assert together is None
    else:
        assert together.loss == alone.loss
        assert together.gradient.tobytes() == alone.gradient.tobytes()
        assert together.state.tobytes() == alone.state.tobytes()


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    X, y = samples()
    whole, parts = network(), network()
    given = {"batch_size": 50, "shards": 6}
    cp.Trainer(epochs=4, **given).fit(whole, X, y)
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors")
    cp.Trainer(epochs=2, threads=1, **given).fit(parts, X, y, checkpoint=checkpoint)
    parts = network()
    cp.Trainer(epochs=4, threads=2, **given).fit(parts, X, y, checkpoint=checkpoint, resume=True)
    assert digest(parts) == digest(whole)


def test_pictures_are_augmented_shard_by_shard():
    random = np.random.RandomState(0)
    X, y = random.uniform(0, 1, (60, 8, 8)), random.randint(0, 2, 60)

    def fitted(**given):
        layers = [cp.Conv2D(4), cp.ReLU(), cp.Flatten(), cp.Dense(2)]
        net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(8, 8), seed=1)
        augment = (cp.RandomShift(), cp.Mixup())
        cp.Trainer(epochs=2, batch_size=20, augment=augment, **given).fit(net, X, y)
        return digest(net)

    assert fitted(shards=4, threads=1) == fitted(shards=4, threads=2) != fitted()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"shards": 0}, "shards is a whole number of at least 1"),
        ({"shards": 2.5}, "shards is a whole number of at least 1"),
        ({"shards": 2, "replacement": True}, "leave replacement out"),
        ({"shards": 2, "sample_space": True}, "can't be had with sample_space=True"),
        ({"shards": 2, "optimizer": cp.LBFGS()}, "can't be had with LBFGS"),
        ({"cluster": 3}, "Found int as the cluster"),
        ({"cluster": "local:many"}, "expected local:N"),
        ({"cluster": "local:0"}, "expected local:N"),
    ],
)
def test_what_shards_can_not_be_had_with(given, said):
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(12,))
    with pytest.raises(UsageError, match=said):
        cp.Trainer(**given).fit(net, *samples())
