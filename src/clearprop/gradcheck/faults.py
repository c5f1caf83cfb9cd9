"""Faults of layers and losses at work, in words: every sentence by its key."""

_FAULTS = {
    "layer changes x": (
        "forward of layer {name}, {layer}, writes into its input x, which the layer below keeps "
        "for its own backward. Let it make a new array."
    ),
    "layer changes dy": (
        "backward of layer {name}, {layer}, writes into dy, which others may read after it. Let it "
        "make a new array."
    ),
    "loss changes logits": "{loss} writes into the logits. Let it make a new array.",
    "loss changes y": "{loss} writes into the targets. Let it make a new array.",
    "adds": (
        "backward adds to the gradient of {name} instead of writing it, and what was there before "
        "has no meaning: grads[...][...] = value, not +=."
    ),
    "writes nothing": (
        "backward never writes the gradient of {name}: it has to write into the array that it "
        "gets, grads[...][...] = value."
    ),
    "layer's shape": (
        "Layer {name}, {layer}, gives an array of shape {found}; its build says {expected}."
    ),
    "losses' shape": "{loss} gives losses of shape {found}, expected one a sample: {expected}.",
    "dlogits' shape": "{loss} gives dlogits of shape {found}, expected that of logits: {expected}.",
    "starts in layer": (
        "It starts in layer {name}, {layer}: its input is finite, its output is not, first in "
        "sample {sample}."
    ),
    "starts in loss": (
        "It starts in {loss}: the logits are finite, the losses are not, first in sample {sample}."
    ),
}


def say(key: str, **facts: object) -> str:
    """Return the sentence of a key, with its facts in place."""
    return _FAULTS[key].format(**facts)
