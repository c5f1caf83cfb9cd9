"""Models to export, and what an export says of rows held against what Python says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from random_networks import networks, randomized

import clearprop as cp
from clearprop.data import Raw, Table
from clearprop.data.tables.table import Words
from clearprop.files.certainty import covering, odds_against
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import (
    ClassTarget,
    Coverage,
    InputRecipe,
    PictureRecipe,
    PlainColumn,
    PowerScale,
    Preprocessing,
    TableRecipe,
    TargetRecipe,
    ValueTarget,
)

Array = np.ndarray[Any, Any]
Found = Mapping[str, Array]
"""What an export says: logits (N, K), and those of label, probabilities, set, value, interval and
quantiles that it gives."""

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
"""The largest difference of logits, as a share of the largest."""


def model_of(
    layers: list[cp.Layer],
    loss: cp.Loss,
    inputs: InputRecipe,
    target: TargetRecipe,
    dtype: str = "float32",
) -> Model:
    """Return a model whose every array is random."""
    net = Network(layers, loss=loss, input_shape=inputs.input_shape, dtype=dtype)
    return Model(randomized(net, np.random.RandomState(5)), Preprocessing(inputs, target))


def plain_model(net: Network, target: TargetRecipe, samples: Array) -> tuple[Model, Table]:
    """Return a model of a table whose columns are a network's inputs, and the rows of it."""
    columns = {f"c{at}": np.array(samples[:, at]) for at in range(samples.shape[1])}
    recipe = TableRecipe(tuple(map(PlainColumn, columns)))
    return Model(net, Preprocessing(recipe, target)), Table(columns)


def exportable_networks() -> st.SearchStrategy[Any]:
    """Draw networks, but for those of several answers of yes or no, which no export knows."""
    return networks().filter(
        lambda drawn: (
            not drawn[0].loss.classifies
            or drawn[0].loss.one_of_many
            or drawn[0].output_shape == (1,)
        )
    )


@st.composite
def drawn_models(draw: st.DrawFn) -> tuple[Model, Table]:
    """Draw a model of a table, of any layers and either dtype, and rows for it."""
    drawn, x, *_ = draw(exportable_networks())
    dtype = draw(st.sampled_from(["float32", "float64"]))
    net = Network(drawn.layers, loss=drawn.loss, input_shape=drawn.input_shape, dtype=dtype)
    for mine, given in ((net.parameters, drawn.parameters), (net.state, drawn.state)):
        mine.data[...] = given.data
    outputs = net.output_shape[0]
    names = tuple(f"class {k}" for k in range(max(outputs, 2)))
    if net.loss.classifies:
        return plain_model(net, ClassTarget(names, "kind"), x)
    return plain_model(net, ValueTarget((0.5,) * outputs, (2.0,) * outputs, "size"), x)


def answer_models() -> dict[str, Model]:
    """Return a model of a table for each kind of answer, by what is special about it."""
    recipe = TableRecipe(tuple(PlainColumn(name) for name in ("a", "b", "c")))
    two, three = ("no", "yes"), ("red", "green", "blue")
    skewed = {
        "logarithm": PowerScale(0.0, 0, 3.0, (0.0, 90.0)),
        "shifted logarithm": PowerScale(0.0, 1, 3.0, (-90.0, 90.0)),
        "power": PowerScale(0.4, 0, 3.0, (0.0, 90.0)),
        "negative power": PowerScale(-0.7, 0, 3.0, (0.0, 90.0)),
        "shifted power": PowerScale(2.5, 1, 3.0, (-90.0, 90.0)),
        "tiny power": PowerScale(1e-9, 1, 3.0, (-90.0, 90.0)),
    }
    levels = (0.05, 0.3, 0.6, 0.95)

    def made(outputs: int, loss: cp.Loss, target: TargetRecipe) -> Model:
        return model_of([cp.Dense(4), cp.Tanh(), cp.Dense(outputs)], loss, recipe, target)

    def values(outputs: int = 1, **more: Any) -> ValueTarget:
        return ValueTarget((1.0, -2.0)[:outputs], (1.5, 3.0)[:outputs], "size", **more)

    def covered(score: float) -> Coverage:
        return Coverage(0.8, 50, score)

    return {
        "softmax": made(3, cp.SoftmaxCrossEntropy(), ClassTarget(three, "colour")),
        "temperature": made(
            3, cp.SmoothedCrossEntropy(), ClassTarget(three, "colour", temperature=2.5)
        ),
        "sets": made(
            3, cp.SoftmaxFocal(), ClassTarget(three, None, temperature=0.5, coverage=covered(0.4))
        ),
        "large sets": made(
            3, cp.SoftmaxCrossEntropy(), ClassTarget(three, None, coverage=covered(900.0))
        ),
        "logistic": made(1, cp.BinaryCrossEntropy(), ClassTarget(two, "answer")),
        "threshold": made(
            1, cp.BinaryFocal(), ClassTarget(two, "answer", threshold=0.3, temperature=1.7)
        ),
        "threshold of the first": made(
            2, cp.SoftmaxCrossEntropy(), ClassTarget(two, "answer", threshold=0.8, positive=0)
        ),
        "sets of two": made(
            1, cp.BinaryCrossEntropy(), ClassTarget(two, "answer", coverage=covered(-0.3))
        ),
        "hinge": made(1, cp.Hinge(), ClassTarget(two, "answer")),
        "hinge of three": made(3, cp.MulticlassHinge(), ClassTarget(three, "colour")),
        "value": made(1, cp.MeanSquaredError(), values()),
        "two values": made(2, cp.Huber(), values(2, low=(-0.5, -0.1), high=(0.3, 0.2))),
        "intervals": made(1, cp.AbsoluteError(), values(coverage=covered(0.7))),
        "intervals of two": made(2, cp.MeanSquaredError(), values(2, coverage=covered(0.7))),
        "quantile": made(1, cp.Quantile(0.9), values()),
        "quantiles": made(
            4, cp.Quantiles(levels), values(coverage=covered(0.2), low=(-1.0,), high=(1.2,))
        ),
        "quantiles that meet": made(4, cp.Quantiles(levels), values(coverage=covered(-1.5))),
        "median": made(3, cp.Quantiles((0.1, 0.5, 0.9)), values()),
        "counts": made(1, cp.PoissonDeviance(), ValueTarget((0.0,), (1.0,), "visits")),
        **{
            name: made(1, cp.MeanSquaredError(), values(scale=scale, coverage=covered(0.3)))
            for name, scale in skewed.items()
        },
    }


def answer_rows() -> Table:
    """Return rows for them: ordinary ones, and some far away."""
    numbers = np.random.RandomState(1).standard_normal((60, 3))
    numbers[40:50] *= 30
    return Table({name: np.array(numbers[:, at]) for at, name in enumerate("abc")})


_of_one_size = st.sampled_from(
    [
        *(cp.Conv2D(3), cp.Conv2D(4, kernel=1), cp.BatchNorm(), cp.Dropout(0.3)),
        *(cp.ReLU(), cp.GELU(), cp.Mish(), cp.LeakyReLU()),
        cp.Residual((cp.Conv2D(2), cp.SELU(), cp.Conv2D(3))),
    ]
)
_smaller = st.sampled_from(
    [
        *(cp.MaxPool2D(), cp.MaxPool2D(3, stride=1), cp.AveragePool2D((2, 3), stride=1)),
        *(cp.Conv2D(2, kernel=(2, 3), stride=(1, 2)), cp.Conv2D(3, kernel=4, padding="valid")),
    ]
)


@st.composite
def drawn_picture_models(draw: st.DrawFn) -> tuple[Model, Array]:
    """Draw a network of convolutions behind a recipe of pictures, and pictures of its size."""
    channels = draw(st.sampled_from([1, 3]))
    size = (draw(st.integers(7, 12)), draw(st.integers(7, 12)))
    body = [*draw(st.lists(_of_one_size, max_size=2)), draw(_smaller), draw(_of_one_size)]
    end = draw(st.sampled_from([cp.Flatten(), cp.GlobalAveragePool2D()]))
    recipe = PictureRecipe(size, channels)
    first = cp.Conv2D(2)  # which gives grey pictures the axis of channels
    dtype = draw(st.sampled_from(["float32", "float64"]))
    target = ClassTarget(("a", "b", "c"), "letter")
    layers = [first, *body, end, cp.Dense(3)]
    model = model_of(layers, cp.SoftmaxCrossEntropy(), recipe, target, dtype)
    random = np.random.RandomState(draw(st.integers(0, 1000)))
    return model, random.randint(0, 256, (8, *recipe.input_shape)).astype(np.uint8)


def table_with_gaps() -> Table:
    """Return numbers, categories and dates, each with gaps."""
    random = np.random.RandomState(2)
    age = np.round(random.uniform(10, 90, 60), 1)
    age[::7] = np.nan
    born = np.datetime64("1950-01-01", "s") + random.randint(0, 10**9, 60)
    born[::9] = np.datetime64("NaT")
    whole = born.astype("datetime64[D]").astype("datetime64[s]")
    street = [f"street {place % 23}" for place in range(60)]
    return Table(
        {
            "age": age,
            "city": Words.of(random.choice(["", "Oslo", "Bergen", "Ålesund", "it's"], 60)),
            "born": born,
            "day": whole,
            "size": random.standard_normal(60) * 1e6,
            "kind": Words.of(random.choice(["a", "b"], 60)),
            "street": Words.of(street),
        }
    )


def unknown_rows() -> Table:
    """Return rows like these, with categories that nobody has seen, extremes and empty rows."""
    known = table_with_gaps().columns
    age, size = np.array(known["age"]), np.array(known["size"])
    age[:4], size[:4] = (np.nan, 1e12, -1e12, 0.0), (1e15, np.nan, -1e-15, np.nan)
    born, day = np.array(known["born"]), np.array(known["day"])
    born[:3] = np.array(["1600-02-29", "NaT", "2400-12-31T23:59:59"], "datetime64[s]")
    day[1] = np.datetime64("NaT")
    words = {name: Words.of(["?", "", *["a"] * 58]) for name in ("kind", "street")}
    city = Words.of(["Oslo ", "", "oslo", "Ålesund", "it's", *["Oslo"] * 55])
    return Table({"age": age, "city": city, "born": born, "day": day, "size": size, **words})


def table_model(*, robust: bool, dtype: str) -> Model:
    """Return a model of the table with gaps, by the plain or the robust recipe."""
    recipe = TableRecipe.fit(table_with_gaps(), robust=robust)
    layers: list[cp.Layer] = [cp.Dense(7), cp.Mish(), cp.Dense(3)]
    if robust:
        numbers, plain, sizes = recipe.groups
        layers = [cp.Columns.of_table(numbers=numbers, plain=plain, sizes=sizes), *layers]
    target = ClassTarget(("x", "y", "z"), "letter")
    return model_of(layers, cp.SoftmaxCrossEntropy(), recipe, target, dtype)


def real_model(folder: Path, name: str, *, robust: bool, outputs: int) -> tuple[Model, Table]:
    """Return a model of real data by the plain or the robust recipe, and its rows."""
    data = cp.load_data(folder / f"tables/{name}.csv")
    assert isinstance(data.X, Table)
    recipe = TableRecipe.fit(data.X, robust=robust)
    layers: list[cp.Layer] = [cp.Dense(16), cp.SELU(), cp.Dense(8), cp.ReLU(), cp.Dense(outputs)]
    if robust:
        numbers, plain, sizes = recipe.groups
        layers = [cp.Columns.of_table(numbers=numbers, plain=plain, sizes=sizes), *layers]
    if outputs == 1:
        target = ValueTarget.fit(data, within=True)
        return model_of(layers, cp.MeanSquaredError(), recipe, target), data.X
    return model_of(layers, cp.SoftmaxCrossEntropy(), recipe, ClassTarget.fit(data)), data.X


def ten_thousand(table: Table) -> Table:
    """Return 10,000 rows of a table, of a shorter one each row several times."""
    return table[np.arange(10_000) % len(table)]


def logits_of(model: Model, raw: Raw) -> Array:
    """Return what Python computes."""
    assert model.preprocessing is not None
    dtype = model.network.dtype
    return model.network.logits(model.preprocessing.inputs.transform(raw, dtype))


def assert_same(model: Model, raw: Raw, found: Found) -> None:
    """Assert that an export says of rows what Python does, but for rounding."""
    expected = logits_of(model, raw)
    assert found["logits"].shape == expected.shape
    share = TOLERANCE[model.network.dtype.name]
    allowed = share * np.abs(expected).max()
    apart = np.abs(found["logits"] - expected).max()
    assert apart <= allowed
    assert model.preprocessing is not None
    target, loss = model.preprocessing.target, model.network.loss
    assert target is not None
    sure = covering(target, loss, expected)
    if isinstance(target, ClassTarget):
        assert ("set" in found) == (sure is not None)
        assert ("probabilities" in found) == model.gives_probabilities
        shares = model.shares(expected) if model.gives_probabilities else None
        if shares is not None:
            np.testing.assert_allclose(found["probabilities"], shares, rtol=0, atol=allowed + 1e-6)
        far = _margin(expected, shares, target) > 2 * allowed
        assert far.any()
        assert found["label"][far].tolist() == model.named(expected)[far].tolist()
        if sure is not None and target.coverage is not None:
            against = odds_against(loss, expected, target.temperature)
            far = np.abs(against - target.coverage.score) > 4 * allowed / target.temperature
            np.testing.assert_array_equal(found["set"][far], sure[far])
        return
    several = {"value": model.named(expected), "interval": sure}
    several["quantiles"] = model.quantiles(expected)
    for name, values in several.items():
        assert (name in found) == (values is not None)
        if values is not None:
            assert found[name].shape == values.shape
            size = np.abs(values).max() + 1e-300
            np.testing.assert_allclose(
                found[name] / size, values / size, rtol=3 * share, atol=share
            )


def _margin(logits: Array, shares: Array | None, target: ClassTarget) -> Array:
    """Return by how much each row's answer is preferred, in logits or in shares, which are less."""
    if shares is not None and target.threshold is not None:
        margin: Array = np.abs(shares[:, target.positive] - target.threshold)
        return margin
    if logits.shape[1] == 1:
        return np.abs(logits[:, 0])
    ordered = np.sort(logits, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def columns_model(*columns: Any) -> Model:
    """Return a model whose logits are the inputs that columns make."""
    recipe = TableRecipe(columns)
    width = recipe.input_shape[0]
    target = ValueTarget((0.0,) * width, (1.0,) * width, "v")
    return model_of([cp.Dropout(0)], cp.MeanSquaredError(), recipe, target, "float64")
