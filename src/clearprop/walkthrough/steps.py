"""From a recorded step to the steps that a walk shows."""

from collections.abc import Callable, Iterator, Mapping
from inspect import getdoc
from typing import Any

from clearprop.layers import (
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    Residual,
    Sequential,
)
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.probe import Backward, Forward
from clearprop.summary import short_name
from clearprop.walkthrough.activations import activation_backward, activation_forward
from clearprop.walkthrough.dense import (
    dense_backward,
    dense_forward,
    dropout_backward,
    dropout_forward,
    flatten_backward,
    flatten_forward,
    residual_backward,
    residual_forward,
)
from clearprop.walkthrough.losses import EXPLAINED as EXPLAINED_LOSSES
from clearprop.walkthrough.losses import explain_loss
from clearprop.walkthrough.normalization import (
    batch_norm_backward,
    batch_norm_forward,
    layer_norm_backward,
    layer_norm_forward,
)
from clearprop.walkthrough.notation import ACTIVATIONS, INPUT, LOSS, Course, Notation
from clearprop.walkthrough.quantities import Quantity, Step
from clearprop.walkthrough.record import Record, Update
from clearprop.walkthrough.sheet import Sheet
from clearprop.walkthrough.sources import Sources
from clearprop.walkthrough.updates import EXPLAINED as EXPLAINED_UPDATES
from clearprop.walkthrough.updates import explain_parameter, explain_state
from clearprop.walkthrough.words import WORDS

Explain = Callable[[Any, Sheet], list[Quantity]]

_EXPLAINED: dict[type[Layer], tuple[Explain, Explain]] = {
    Dense: (dense_forward, dense_backward),
    Dropout: (dropout_forward, dropout_backward),
    Flatten: (flatten_forward, flatten_backward),
    Residual: (residual_forward, residual_backward),
    BatchNorm: (batch_norm_forward, batch_norm_backward),
    LayerNorm: (layer_norm_forward, layer_norm_backward),
    **dict.fromkeys(ACTIVATIONS, (activation_forward, activation_backward)),
}


def steps_of(
    network: Network, X: Array, record: Record, update: Update, notation: Notation
) -> Iterator[Step]:
    """Write a recorded step out, in the order in which it was computed.

    Parameters
    ----------
    network : Network
    X : ndarray, shape (N, *input_shape)
    record : Record
    update : Update
    notation : Notation

    Yields
    ------
    Step
        The input; every layer forward; the loss; every layer that was reached backward; and what
        the optimizer makes of each layer's parameters. `Sequential`, whose inner layers do
        everything, has none.
    """
    forward = {one.name: one for one in record.forward}
    backward = {one.name: one for one in record.backward}
    # The course's symbols say it themselves.
    sources = None if isinstance(notation, Course) else Sources(network.body)
    yield _input(X, record, notation)
    for one in record.forward:
        if _has_step(one, notation):
            yield _forward(one, forward, notation, sources)
    yield _loss(network, record, notation)
    for done in record.backward:
        if _has_step(forward[done.name], notation):
            yield _backward(forward[done.name], done, backward, notation, sources)
    for name, one in forward.items():
        yield from _update(name, one, update, notation)


def _has_step(forward: Forward, notation: Notation) -> bool:
    return type(forward.layer) is not Sequential and forward.name in notation.layers


def _input(X: Array, record: Record, notation: Notation) -> Step:
    if isinstance(notation, Course):
        X = X.reshape(len(X), -1)
    sheet = Sheet(notation, notation.layers[INPUT], {"X": X, "target": record.loss.y})
    quantities = (sheet.given("X"), sheet.given("target"))
    return Step(INPUT, "input", "", "", quantities)


def _forward(
    done: Forward, every: Mapping[str, Forward], notation: Notation, sources: Sources | None
) -> Step:
    layer, arrays = done.layer, {**done.kept, **done.params, "x": done.x, "y": done.y}
    if type(layer) is Residual:
        arrays["block"] = every[_inner(done.name, layer, -1)].y if layer.layers else done.x
    sheet = Sheet(notation, notation.layers[done.name], arrays)
    notes = [sources.forward(done.name, layer)] if sources else []
    if type(layer) in _EXPLAINED:
        quantities = _EXPLAINED[type(layer)][0](layer, sheet)
    else:
        notes.append(_own("own layer", layer))
        quantities = [sheet.given(name) for name in done.params]
        quantities.append(sheet.result("y", "", None))
    if not done.training and isinstance(layer, Dropout):
        notes.append(WORDS["not training"])
    if not done.training and isinstance(layer, BatchNorm):
        notes.append(WORDS["running"])
    return Step(
        notation.layers[done.name].label,
        "forward",
        short_name(layer),
        " ".join(notes),
        tuple(quantities),
    )


def _loss(network: Network, record: Record, notation: Notation) -> Step:
    notes = []
    if record.loss.weights is not None:
        notes.append(WORDS["weighted"])
    if type(network.loss) not in EXPLAINED_LOSSES:
        notes.append(_own("own loss", network.loss))
    return Step(
        LOSS,
        "loss",
        type(network.loss).__name__,
        " ".join(notes),
        tuple(explain_loss(network.loss, record.loss, notation)),
    )


def _backward(
    forward: Forward,
    done: Backward,
    every: Mapping[str, Backward],
    notation: Notation,
    sources: Sources | None,
) -> Step:
    layer = forward.layer
    grads = {f"d{name}": array for name, array in done.grads.items()}
    arrays = {**forward.kept, **forward.params, "x": forward.x, "y": forward.y, "dy": done.dy}
    arrays |= grads
    if done.dx is not None:
        arrays["dx"] = done.dx
        if type(layer) is Residual:
            arrays["dblock"] = _of_block(done, layer, every)
    sheet = Sheet(notation, notation.layers[done.name], arrays)
    notes = [sources.backward(done.name, layer)] if sources else []
    if type(layer) in _EXPLAINED:
        quantities = _EXPLAINED[type(layer)][1](layer, sheet)
    else:
        notes.append(_own("own layer", layer))
        quantities = [sheet.result(name, "", None) for name in grads]
        quantities += [sheet.result("dx", "", None)] if "dx" in sheet else []
    return Step(
        notation.layers[done.name].label,
        "backward",
        short_name(layer),
        " ".join(notes),
        tuple(quantities),
    )


def _update(name: str, forward: Forward, update: Update, notation: Notation) -> Iterator[Step]:
    own = [key for key in update.before if key.rpartition(".")[0] == name]
    kept = [key for key in update.state_before if key.rpartition(".")[0] == name]
    if not own and not kept:
        return
    optimizer = update.optimizer
    notes = [WORDS["first step"].format(optimizer=type(optimizer).__name__)]
    if type(optimizer) not in EXPLAINED_UPDATES:
        notes = [_own("own optimizer", optimizer)]
    if update.penalty:
        notes.append(WORDS["penalty"].format(penalty=update.penalty))
    quantities = [one for key in own for one in explain_parameter(key, update, notation)]
    if forward.training:
        before, after = (
            {key.rpartition(".")[2]: vector[key] for key in kept}
            for vector in (update.state_before, update.state_after)
        )
        quantities += explain_state(forward, before, after, notation)
    yield Step(
        notation.layers[name].label,
        "update",
        type(optimizer).__name__,
        " ".join(notes),
        tuple(quantities),
    )


def _own(key: str, part: Any) -> str:
    doc = getdoc(type(part)) or WORDS["no words"]
    return WORDS[key].format(doc=doc.splitlines()[0])


def _of_block(done: Backward, layer: Residual, every: Mapping[str, Backward]) -> Array:
    """Return what a block's first layer gives back: wanted wherever the residual's own dx is."""
    dblock = every[_inner(done.name, layer, 0)].dx if layer.layers else None
    return done.dy if dblock is None else dblock


def _inner(name: str, layer: Residual, place: int) -> str:
    return f"{name}.{layer.block.names[place]}"
