"""Operations on a tape, and their derivatives held against central differences, for tests."""

import numpy as np

from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.tape import Replay, Tape, depending

STEP = 1e-5


def numbers(*shape, low=0.3, high=1.9, seed=0):
    return np.random.RandomState(seed).uniform(low, high, shape)


def signed(*shape, seed=0):
    return numbers(*shape, low=-1.6, high=1.7, seed=seed)


def recorded(name, compute, *args, **kwargs):
    """Put an operation on a new tape: every array in its arguments is a leaf, the same one once."""
    tape, leaves = Tape(), {}

    def leaf(item):
        if isinstance(item, np.ndarray):
            if id(item) not in leaves:
                leaves[id(item)] = tape.leaf(item, "given")
            return leaves[id(item)]
        if type(item) in (list, tuple):
            return type(item)(map(leaf, item))
        return item

    nodes, named = leaf(args), {key: leaf(one) for key, one in kwargs.items()}
    node = tape.record(name, compute, nodes, named, compute(*args, **kwargs))
    return tape, list(leaves.values()), node


def weights_of(node):
    return np.random.RandomState(7).standard_normal(node.value.shape)


def by_replay(tape, source, seeds):
    """Differentiate by moving one entry of a node after the other."""
    replay = Replay(tape, [source], seeds)
    slopes = np.zeros(source.value.shape)
    for i in np.ndindex(source.value.shape):
        costs = []
        for shift in (STEP, -STEP):
            moved = np.array(source.value, dtype=np.float64)
            moved[i] += shift
            results = replay({source: moved})
            costs.append(sum(np.sum(w * y) for w, y in zip(seeds.values(), results, strict=True)))
        slopes[i] = (costs[0] - costs[1]) / (2 * STEP)
    return slopes


def assert_right(tape, sources, seeds, tolerance=1e-6):
    found, unknown = derivatives(seeds, depending(sources, tape.nodes, set()))
    assert unknown == []
    for source in sources:
        if source.is_float:
            assert found[source].shape == source.value.shape
            assert found[source].dtype == np.float64
            expected = by_replay(tape, source, seeds)
            np.testing.assert_allclose(found[source], expected, rtol=tolerance, atol=tolerance)


def assert_operation_right(name, compute, *args, **kwargs):
    tape, leaves, node = recorded(name, compute, *args, **kwargs)
    assert_right(tape, leaves, {node: weights_of(node)})


X, Y, V, W = signed(2, 3), signed(2, 3, seed=1), signed(4), signed(4, 4)
MASK, ROWS = np.array([[True, False, True], [False, True, True]]), np.array([1, 0, 1, 1])
