"""Small programs on arrays, which run with NumPy and with what stands in for it."""
# ruff: noqa: ARG001, ARG005 - all of them take the same, used or not

import copy

COMPUTED = {
    "operators": lambda np, x, y: (x + y - 2 * x / y) // 0.1 + x**2 % y - (-x) + abs(x),
    "numbers first": lambda np, x, y: 2 - x + 1 / y + 2**x + 3 % y + 5 // x,
    "matmul": lambda np, x, y: x @ y.T @ np.ones((3, 2)),
    "comparisons": lambda np, x, y: (x > y) * x + (x <= 1) * y + (x != y) * 1.0,
    "boolean": lambda np, x, y: ((x > 1) & ~(y > 1) | (x < 0.5)) * x,
    "ufuncs": lambda np, x, y: np.exp(x) + np.log(y) * np.tanh(x) - np.maximum(x, y),
    "reduce": lambda np, x, y: np.add.reduce(x, axis=1) + np.maximum.reduce(y, axis=1),
    "accumulate": lambda np, x, y: np.add.accumulate(x, axis=1) * y,
    "outer": lambda np, x, y: np.multiply.outer(x[0], y[1]),
    "reduceat": lambda np, x, y: np.add.reduceat(x[0], [0, 2]) + y[0, 0],
    "methods": lambda np, x, y: x.sum(axis=1) + y.mean(1) * x.max(axis=1) - y.std(axis=1).min(),
    "moving": lambda np, x, y: x.T.ravel() + y.reshape(-1) + x.flatten() * y.T.reshape(12),
    "swapped": lambda np, x, y: x.swapaxes(0, 1).dot(y).transpose((1, 0)).diagonal().cumsum(),
    "repeated": lambda np, x, y: x.repeat(2, axis=0).take([0, 3], axis=0) * y.clip(0.5, 1)[0],
    "cast": lambda np, x, y: (x > 1).astype(float) + y.astype(np.float32).astype(np.float64) * x,
    "products": lambda np, x, y: np.dot(x, y.T) + np.einsum("ij,kj->ik", x, y) + np.inner(x, y),
    "tensordot": lambda np, x, y: np.tensordot(x, y, axes=([0], [0])) + np.outer(x[0], y[0]),
    "joined": lambda np, x, y: (
        np.concatenate([x, y]) * np.vstack((y, x)) + np.hstack([x, y]).mean()
    ),
    "stacked": lambda np, x, y: np.stack([x, y], axis=2) - np.stack((y, x), 2).sum(axis=0),
    "split": lambda np, x, y: np.split(x, 2, axis=1)[1] * np.array_split(y, 2, axis=1)[0],
    "chosen": lambda np, x, y: np.where(x > 1, x, y * 3) + np.select([x > 1], [y], x),
    "shaped": lambda np, x, y: (
        np.expand_dims(x, 0) * np.squeeze(y[None]) + np.broadcast_to(y[0], (3, 4))
    ),
    "padded": lambda np, x, y: np.pad(x, 1) + np.pad(y, ((1, 1), (1, 1)), constant_values=2.0),
    "rolled": lambda np, x, y: np.roll(x, 1, axis=0) + np.flip(y, 1) + np.tile(x[0], (3, 1)),
    "linear algebra": lambda np, x, y: np.linalg.norm(x) * np.linalg.inv(x @ x.T + np.eye(3)),
    "statistics": lambda np, x, y: np.var(x, axis=0) + np.mean(y, 0) + np.average(x, axis=0),
    "like": lambda np, x, y: np.zeros_like(x) + np.ones_like(y) * x + np.full_like(x, 2.0) * y,
    "diagonal": lambda np, x, y: np.diag(x[0]) + np.triu(np.outer(y[0], y[1])),
    "one entry": lambda np, x, y: x[1, 2] * y[-1, -1],
    "slices": lambda np, x, y: x[1:, ::2] + y[:-1, 1::2],
    "mask": lambda np, x, y: x[np.array([True, False, True])] * y[1],
    "fancy": lambda np, x, y: x[[0, 2, 2], [1, 1, 3]] + y[np.arange(3), np.array([0, 1, 2])],
    "new axes": lambda np, x, y: x[:, None, :] * y[None, ..., 0, None],
    "rows": lambda np, x, y: np.array([row * k for k, row in enumerate(x)]) + y,
    "entries": lambda np, x, y: np.array(
        [[a * b for a, b in zip(*two, strict=True)] for two in zip(x, y, strict=True)]
    ),
    "list of scalars": lambda np, x, y: np.exp([x[0, 0], y[1, 1] ** 2]) + np.array([x[0, 1], 1.0]),
    "functions of lists": lambda np, x, y: (
        np.dot([x[0, 0], y[0, 0]], [y[1, 1], 2.0]) * np.sum([x[0, 1], 3])
    ),
    "nested lists": lambda np, x, y: np.array([[x[0, 0], 1], [y[0, 0], x[1, 1]]]) @ np.ones(2),
    "tolist": lambda np, x, y: np.array(x.tolist()) + y.item(3) + np.asarray(y[0].tolist()).sum(),
    "vectorize": lambda np, x, y: np.vectorize(lambda a: a * a if a > 1 else 3 * a)(x) * y,
    "apply": lambda np, x, y: np.maximum(np.minimum([x[0, 0], x[0, 1]], 1.2), y[0, :2]),
    "copies": lambda np, x, y: copy.deepcopy(x) * copy.copy(y) + np.copy(x),
    "flat": lambda np, x, y: np.array(list(x.flat)) + y.flat[2],
    "loop": lambda np, x, y: sum(a * b for a, b in zip(x[0], y[0], strict=True)),
    "scalar": lambda np, x, y: max(x[0, 0], y[0, 0]) + round(1.4) + x.sum() / y.sum(),
}


def in_place_operators(np, x, y):
    x += y
    x *= y
    x -= 2.0
    x /= y + 1
    x **= 2
    x //= 0.01
    x %= 7.7


def matmul_in_place(np, x, y):
    z = x @ y.T
    z @= z.T + 1
    return z


def a_scalar_is_not_changed_in_place(np, x, y):
    total = x.sum()
    before = total
    total += y.sum()
    total *= 2
    return total * 100 + before


def a_row_of_a_name(np, x, y):
    row = x[1]
    row *= y[0]
    row[2] = 7 * y[1, 1]


def a_parent_under_a_view(np, x, y):
    row = x[1]
    x *= y
    x[1, 2] = y[0, 0]
    return row * 2


def a_view_of_a_view(np, x, y):
    inner = x[1:].T[2:]
    inner += y[0, :2]
    inner[0, 1] *= 5


def crossing_views(np, x, y):
    row, column = x[1], x[:, 2]
    column += y[:, 0]
    row *= 2
    return column * row[2]


def a_flat_view(np, x, y):
    flat = x.reshape(-1)
    flat[::3] -= y.ravel()[::3]
    x.ravel()[1] = y[2, 2]


def a_transposed_view(np, x, y):
    turned = x.T
    turned[0] += y[:, 1]
    x[:, 0] *= 2
    return turned @ y


def a_part_is_written_through_its_parent_and_itself(np, x, y):
    part = x[:2, :2]
    x[0] = y[0]
    part -= 0.5
    x += 1
    part[1] = part[0] * 3


def what_is_a_copy_stays(np, x, y):
    chosen = x[[0, 1]]
    chosen *= 2
    x += chosen.sum(axis=0) * y[0]


def item_assignment(np, x, y):
    x[0] = y[1] * 2
    x[:, 1] = 3.5
    x[1:, 2:] = y[:2, :2]
    x[2, 3] = x[2, 0] * y[0, 0]


def item_operators(np, x, y):
    x[0] += x[1]
    x[[0, 0, 2]] += y
    x[x > 1] *= 2
    x[np.arange(3), [0, 1, 2]] -= y[0, :3]


def written_by_ufuncs(np, x, y):
    np.exp(x, out=x)
    np.add(x, y, x)
    np.multiply(x, y, out=x, where=y > 1)
    np.sqrt(x[0], out=x[1])


def written_by_functions(np, x, y):
    product, column = np.zeros((3, 3)), np.zeros(3)
    np.dot(x, y.T, out=product)
    np.sum(product, axis=1, out=column)
    x.sum(axis=1, out=product[0])
    np.clip(x, 0.5, 1.0, out=x)
    y.mean(axis=0, out=x[2])
    return product * column + x[:, :3]


def written_at(np, x, y):
    np.add.at(x, [0, 0, 2], y)
    np.subtract.at(x, ([1, 1], [2, 2]), y[0, 0])
    np.maximum.at(x, [1], y[2] * 1.5)


def written_by_copyto(np, x, y):
    np.copyto(x[0], y[1])
    np.copyto(x, 2 * y, where=y > 1)


def written_by_the_diagonal(np, x, y):
    np.fill_diagonal(x, y[1, 1])
    np.fill_diagonal(x[:, 1:], y[0, :3])


def written_by_place(np, x, y):
    np.put(x, [0, 5], [y[0, 0], y[0, 1]])
    np.place(x, y > 1.5, y[2])
    np.putmask(x, y < 0.7, y * 3)
    np.put_along_axis(x, np.array([[1], [0], [2]]), y[:, :1], axis=1)


def written_by_methods(np, x, y):
    z = x * y
    x.fill(y[0, 0])
    x[1] = z[1]
    x[1].sort()
    z.flat = y
    x += z


def swapped_names(np, x, y):
    kept = x.copy()
    x[0], x[1] = x[1].copy(), x[0].copy()
    x, y = y, x
    x -= 0.5
    return kept * x + y


def integers_are_arrays_too(np, x, y):
    counts = np.zeros(3, dtype=int)
    counts += (x > 0).sum(axis=1)
    counts[1] -= 1
    return counts @ x + y[0]


WRITTEN = [
    in_place_operators,
    matmul_in_place,
    a_scalar_is_not_changed_in_place,
    a_row_of_a_name,
    a_parent_under_a_view,
    a_view_of_a_view,
    crossing_views,
    a_flat_view,
    a_transposed_view,
    a_part_is_written_through_its_parent_and_itself,
    what_is_a_copy_stays,
    item_assignment,
    item_operators,
    written_by_ufuncs,
    written_by_functions,
    written_at,
    written_by_copyto,
    written_by_the_diagonal,
    written_by_place,
    written_by_methods,
    swapped_names,
    integers_are_arrays_too,
]


def _statements():
    """Return statements on arrays of three rows and columns, a, b and c by number."""
    return [
        lambda np, r, i, j, k: r.__setitem__(i, r[j] + r[k] * 0.5),
        lambda np, r, i, j, k: r.__setitem__(i, np.tanh(r[j] @ r[k].T)),
        lambda np, r, i, j, k: r.__setitem__(i, r[j].T),
        lambda np, r, i, j, k: r.__setitem__(i, r[j]),
        lambda np, r, i, j, k: r.__setitem__(i, r[j][::-1]),
        lambda np, r, i, j, k: r.__setitem__(i, np.where(r[j] > 1, r[k], -0.1 * r[j])),
        lambda np, r, i, j, k: r.__setitem__(i, np.tanh(np.stack([r[j][0], r[k][1], r[i][2]]))),
        lambda np, r, i, j, k: r.__setitem__(i, r[j].reshape(-1)[::-1].reshape(3, 3)),
        lambda np, r, i, j, k: r.__setitem__(i, np.maximum(r[j], r[k]).copy()),
        lambda np, r, i, j, k: r[i].__iadd__(r[j].sum(axis=0) * 0.1),
        lambda np, r, i, j, k: r[i].__imul__(0.5),
        lambda np, r, i, j, k: r[i][j].__isub__(r[k][:, j]),
        lambda np, r, i, j, k: r[i].__setitem__(j, np.cos(r[k][j])),
        lambda np, r, i, j, k: r[i].__setitem__((slice(None), k), 0.25),
        lambda np, r, i, j, k: r[i].__setitem__(r[j] > 0.9, 0.1),
        lambda np, r, i, j, k: r[i].T.__setitem__((j, k), r[j][k, i] - 1),
        lambda np, r, i, j, k: np.add.at(r[i], [j, k, j], 0.3),
        lambda np, r, i, j, k: np.copyto(r[i], np.sin(r[j]), where=r[k] > 0.5),
        lambda np, r, i, j, k: np.fill_diagonal(r[i], r[j][0, k]),
        lambda np, r, i, j, k: np.multiply(r[j], 0.7, out=r[i]),
        lambda np, r, i, j, k: np.tanh(r[k], out=r[i], where=r[k] > 0.5),
    ]


STATEMENTS = _statements()
