"""What Python refuses to build or to learn, the page's engine refuses, too, and says why."""

from typing import Any

import numpy as np
import pytest
from twins import in_base64

import clearprop as cp
from clearprop import layers, losses
from clearprop.configuration import Json, classes_in, from_config
from clearprop.core import initializers
from clearprop.network import Network

TYPES = {
    kind.__name__: kind
    for module, base in (
        (layers, layers.Layer),
        (losses, losses.Loss),
        (initializers, initializers.Initializer),
    )
    for kind in classes_in(vars(module), base)
}
FLAT, PICTURES = (3,), (6, 5, 2)


def _layer(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def _columns(*ranges: list[int]) -> dict[str, Any]:
    return _layer("Columns", ranges=ranges, layers=[_layer("Tanh")] * len(ranges))


LAYERS = [
    (_layer("Dense", units=0), FLAT, "Dense needs a whole number of units from 1, found 0"),
    (_layer("Dense", units=1.5), FLAT, "found 1.5"),
    (_layer("Dense", units=2), PICTURES, r"Dense\(2\) takes flat samples .*Put a Flatten before"),
    (_layer("NTKDense", units=-1), FLAT, "NTKDense needs a whole number of units"),
    (
        _layer("NTKDense", units=1, bias_rate=0),
        FLAT,
        "The rate of a parameter is a positive factor",
    ),
    (_layer("Dense", units=1, init=_layer("Normal", std=0)), FLAT, "Normal needs a positive stand"),
    (_layer("Dense", units=1, init=_layer("Uniform", bound=-1)), FLAT, "Uniform needs a positive"),
    (_layer("LeakyReLU", slope=1.5), FLAT, "LeakyReLU needs a slope between 0 and 1, found 1.5"),
    (_layer("ELU", alpha=0), FLAT, "ELU needs a positive alpha, found 0"),
    (_layer("Dropout", rate=1), FLAT, "Dropout's rate is the share .* found 1"),
    (_layer("SpatialDropout2D", rate=0.5), FLAT, "SpatialDropout2D takes pictures"),
    (_layer("BatchNorm", momentum=0), FLAT, "BatchNorm's momentum is above 0"),
    (_layer("BatchNorm", epsilon=0), FLAT, "BatchNorm needs a positive epsilon"),
    (_layer("LayerNorm", epsilon=-1), FLAT, "LayerNorm needs a positive epsilon"),
    (_layer("LayerNorm"), PICTURES, "LayerNorm takes flat samples"),
    (_layer("Conv2D", filters=0), PICTURES, "Conv2D needs a whole number of filters"),
    (_layer("Conv2D", filters=1, padding="none"), PICTURES, 'Conv2D\'s padding is "same"'),
    (_layer("Conv2D", filters=1, kernel=0), PICTURES, "Conv2D needs a kernel of a whole number"),
    (_layer("Conv2D", filters=1, kernel=[1, 2, 3]), PICTURES, "or a pair of these; found 1,2,3"),
    (_layer("Conv2D", filters=1, kernel=7, padding="valid"), PICTURES, "7 x 7 places at a time"),
    (_layer("Conv2D", filters=1, stride=7), PICTURES, "stride of 7 x 7, which skips all but the"),
    (_layer("Conv2D", filters=1), FLAT, r"Conv2D\(1\) takes pictures"),
    (_layer("MaxPool2D", size=[7, 1]), PICTURES, "MaxPool2D looks at 7 x 1 places at a time"),
    (_layer("MaxPool2D", size=[1, 6]), PICTURES, "MaxPool2D looks at 1 x 6 places at a time"),
    (_layer("Conv2D", filters=1, stride=[1, 6]), PICTURES, "stride of 1 x 6, which skips"),
    (_layer("AveragePool2D", stride=0), PICTURES, "AveragePool2D needs a stride"),
    (_layer("GlobalAveragePool2D"), FLAT, "GlobalAveragePool2D takes pictures"),
    (_layer("Embedding", sizes=[]), FLAT, "Embedding needs the size of a table for each column"),
    (_layer("Embedding", sizes=[2, 0, 1]), FLAT, "Embedding needs a whole number of rows"),
    (_layer("Embedding", sizes=[2]), FLAT, "Embedding has 1 tables, one a column; .* 3 columns"),
    (_layer("PeriodicEmbedding", width=0), FLAT, "needs a whole number of width"),
    (_layer("PeriodicEmbedding", std=0), FLAT, "Layer 0: Normal needs a positive standard dev"),
    (_columns(), FLAT, "Columns needs a range of columns for each layer, and a layer"),
    (_columns([0, 2]), FLAT, "Columns gives 1 columns of 3 to no layer"),
    (_columns([0, 4]), FLAT, "Columns takes samples of 4 columns, found samples of 3"),
    (
        _layer("Blend", activation=_layer("Dense", units=2)),
        FLAT,
        r"Blend needs an activation that keeps the shape .*Dense makes \[2\] of \[3\]",
    ),
    (
        _layer("Residual", layers=[_layer("MaxPool2D")]),
        PICTURES,
        r"Residual can project the last axis only; its block makes \[3,2,2\] of \[6,5,2\]",
    ),
]
LOSSES = [
    (_layer("SoftmaxCrossEntropy"), 1, "SoftmaxCrossEntropy needs an output for each class"),
    (_layer("MulticlassHinge"), 1, "MulticlassHinge needs an output for each class"),
    (_layer("SmoothedCrossEntropy", smoothing=1), 2, "SmoothedCrossEntropy needs a smoothing"),
    (_layer("SoftmaxFocal", gamma=-1), 2, "SoftmaxFocal needs a gamma of at least 0"),
    (_layer("BinaryFocal", gamma=-1), 2, "BinaryFocal needs a gamma of at least 0"),
    (_layer("Huber", delta=0), 1, "Huber needs a positive delta"),
    (_layer("Quantile", level=1), 1, "Quantile needs a level above 0 and below 1"),
    (_layer("Quantiles", levels=[]), 1, "Quantiles needs levels above 0 and below 1"),
    (_layer("Quantiles", levels=[0.5, 0.4]), 2, "each above the one before, found 0.5,0.4"),
    (_layer("Quantiles", levels=[0.5, 1]), 2, "found 0.5,1"),
    (_layer("Quantiles", levels=[0.1, 0.5]), 3, "Quantiles of 2 levels needs as many outputs"),
]


def _assert_refused(
    engine: Any, node_error: type[Exception], config: dict[str, Any], message: str
) -> None:
    with pytest.raises(cp.ClearpropError):
        Network(
            from_config(config["layers"], TYPES),
            loss=from_config(config["loss"], TYPES),
            input_shape=tuple(config["input_shape"]),
        )
    with pytest.raises(node_error, match=message):
        engine.ask(ask="built", config=config, seed=0)


@pytest.mark.parametrize(("layer", "shape", "message"), LAYERS, ids=str)
def test_a_layer_that_can_not_be_is_refused(
    engine: Any,
    node_error: type[Exception],
    layer: dict[str, Json],
    shape: tuple[int, ...],
    message: str,
) -> None:
    config = {
        "layers": [layer, _layer("Flatten"), _layer("Dense", units=2)],
        "loss": _layer("SoftmaxCrossEntropy"),
        "input_shape": shape,
    }
    _assert_refused(engine, node_error, config, message)


@pytest.mark.parametrize(("loss", "outputs", "message"), LOSSES, ids=str)
def test_a_loss_that_can_not_be_is_refused(
    engine: Any, node_error: type[Exception], loss: dict[str, Json], outputs: int, message: str
) -> None:
    layers = [_layer("Dense", units=outputs)]
    config = {"layers": layers, "loss": loss, "input_shape": FLAT}
    _assert_refused(engine, node_error, config, message)


@pytest.mark.parametrize("layers", [[], [_layer("Conv2D", filters=1)]], ids=str)
def test_a_network_without_flat_logits_is_refused(
    engine: Any, node_error: type[Exception], layers: list[Any]
) -> None:
    config = {"layers": layers, "loss": _layer("MeanSquaredError"), "input_shape": PICTURES}
    _assert_refused(engine, node_error, config, r"must give flat logits \(K,\)")


TARGETS = [
    (cp.SoftmaxCrossEntropy(), [0, 3], "takes class numbers 0 to 2; target 1 is 3"),
    (cp.SoftmaxCrossEntropy(), [0, 0.5], "target 1 is 0.5"),
    (cp.SoftmaxCrossEntropy(), [0, 1, 2], "takes 2 targets for 2 samples and 3 outputs, found 3"),
    (cp.SoftmaxCrossEntropy(), [0, 1, 2, 0, 0, 0], "takes probabilities between 0 and 1"),
    (cp.BinaryCrossEntropy(), [0, 1, 0, 1, 0, 1.5], "targets between 0 and 1; target 5 is 1.5"),
    (cp.Hinge(), [0, 1, 0, 1, 0, -1], "Hinge takes targets between 0 and 1; target 5 is -1"),
    (cp.MeanSquaredError(), [0, 1], "MeanSquaredError takes 6 targets for 2 samples"),
    (cp.MeanSquaredError(), [0, 1, 0, 1, 0, None], "takes finite numbers; target 5 is null"),
    (cp.PoissonDeviance(), [0, 1, 0, 1, 0, -1], "targets of at least 0; target 5 is -1"),
]


@pytest.mark.parametrize(("loss", "y", "message"), TARGETS, ids=str)
def test_targets_that_do_not_fit_are_refused(
    engine: Any, node_error: type[Exception], loss: cp.Loss, y: list[Any], message: str
) -> None:
    net = Network([cp.Dense(3)], loss=loss, input_shape=(2,))
    with pytest.raises(node_error, match=message):
        _train(engine, net, y=y)


OPTIMIZERS = [
    ({"name": "lbfgs"}, 'A page can\'t train by "lbfgs"; it knows sgd, momentum'),
    ({"name": "sgd", "rate": -1}, "SGD needs a learning_rate of at least 0, found -1"),
    ({"name": "adam", "beta_1": 1}, "Adam needs a beta_1 of at least 0 and below 1, found 1"),
    ({"name": "rmsprop", "decay": 1}, "RMSprop needs a decay of at least 0 and below 1"),
    ({"name": "nesterov", "momentum": 1}, "Nesterov needs a momentum of at least 0 and below 1"),
    ({"name": "adagrad", "epsilon": 0}, "AdaGrad needs a positive epsilon, found 0"),
    ({"name": "adamw", "weight_decay": -0.1}, "AdamW needs a weight_decay of at least 0"),
]


@pytest.mark.parametrize(("optimizer", "message"), OPTIMIZERS, ids=str)
def test_an_optimizer_that_can_not_be_is_refused(
    engine: Any, node_error: type[Exception], optimizer: dict[str, Any], message: str
) -> None:
    net = Network([cp.Dense(3)], loss=cp.MeanSquaredError(), input_shape=(2,))
    with pytest.raises(node_error, match=message):
        _train(engine, net, optimizer=optimizer)


def test_too_few_numbers_are_refused(engine: Any, node_error: type[Exception]) -> None:
    net = Network([cp.Dense(3)], loss=cp.MeanSquaredError(), input_shape=(2,))
    with pytest.raises(node_error, match=r"2 samples of shape \[2\] have 4 numbers, found 3"):
        _train(engine, net, x=[1, 2, 3])
    with pytest.raises(node_error, match="The network has 9 parameters, found 2"):
        engine.ask(
            ask="judged", model=in_base64(net), x=[0] * 4, y=[0] * 6, n=2, weights=None,
            parameters=[1, 2],
        )  # fmt: skip


def test_an_update_whose_loss_is_not_finite_is_not_done(engine: Any) -> None:
    net = Network([cp.Dense(3)], loss=cp.MeanSquaredError(), input_shape=(2,))
    found = _train(engine, net, x=[1e200] * 4, updates=2)
    assert found["lastLoss"] is None  # JSON's word for infinity
    assert found["parameters"] == net.parameters.data.tolist()


def _train(engine: Any, net: Network, **changed: Any) -> Any:
    question = {"x": np.ones(4).tolist(), "y": [0] * 6, "updates": 1, "optimizer": {"name": "sgd"}}
    return engine.ask(
        ask="trained", model=in_base64(net), n=2, weights=None, **{**question, **changed}
    )
