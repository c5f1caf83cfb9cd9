"""What a gradient check says, in English: every sentence by its key."""

_ENGLISH = {
    # The outcome.
    "right": "The gradient is right.",
    "all right": "All {count} gradients are right.",
    "right but unclear": (
        "{right} of {count} gradients are right; of {names} nothing could be measured."
    ),
    "nothing measured": (
        "No gradient could be measured, so that this says nothing of the code. Draw the parameters "
        "at random, biases too, not far from 1."
    ),
    "only wrong": "{name} is wrong: {fault}",
    "first wrong": "{name} is the first wrong gradient on the way back: {fault}",
    "others wrong": "{count} of {all} gradients are wrong: {names}. Correct {name} first.",
    # What is wrong with a gradient.
    "wrong": "at {where} it is {analytical}, and the numerical gradient is {numerical}.",
    "wrong shape": "it has the shape {found}, expected {expected}, that of {parameter}.",
    "missing": "it is missing; there are {found}.",
    "not finite": "it is {value} at {where}.",
    # What gradients are called.
    "of layer": "d{leaf} of layer {layer}",
    # The table.
    "column parameter": "parameter",
    "column shape": "shape",
    "column checked": "checked",
    "column error": "relative error",
    "column where": "at",
    "column analytical": "yours",
    "column numerical": "numerical",
    "column verdict": "",
    "verdict right": "right",
    "verdict wrong": "WRONG",
    "verdict wrong shape": "WRONG SHAPE",
    "verdict missing": "MISSING",
    "verdict not finite": "NOT FINITE",
    "verdict unclear": "unclear",
    "checked all": "all {checked}",
    "checked some": "{checked} of {entries}",
    # Notes.
    "note": "Note: {text}",
    "unsteady gradients": (
        "a second call with the same parameters gives other gradients ({names}), which is what was "
        "checked. Gradients that are added to those of the call before have to start from zero."
    ),
    "draws": (
        "the code draws random numbers (dropout?). For this check numpy.random.seed(0) is called "
        "before every call, so that all of them draw the same."
    ),
    "changes": (
        "the code writes into arrays that it was given: {names}. Here it got copies; elsewhere the "
        "next step would start from the changed ones."
    ),
    "single gradients": (
        "{names} hold float32 numbers, of seven digits: differences of up to 0.5% count as its "
        "rounding. In float64 the check is closer."
    ),
    "single cost": (
        "the cost is computed in float32, which holds seven digits: differences of up to 0.5% "
        "count as its rounding. In float64 the check is closer."
    ),
    "sampled": (
        "of {names} a sample was checked entry by entry, and all entries at once along a random "
        "line."
    ),
    "some samples": "checked on {some} of {all} samples.",
    "float32 network": (
        "the network computes in float32, and was checked in float64; rounding moves its gradients "
        "by up to {share} of the largest."
    ),
    "skipped": (
        "entries that could not be judged, because they lie on a kink or are too small beside the "
        "rounding of the cost: {counts}."
    ),
    # What a layer or a loss does that it should not.
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
    # What can't be checked.
    "no learning layers": "The network learns nothing: none of its layers has parameters.",
    "no targets": (
        "{loss} takes neither real numbers, nor zeros and ones, nor class numbers as targets. Give "
        "it some: check_loss(loss, outputs, y)."
    ),
    "no parameters": (
        "The parameters must be a dictionary of arrays, such as {{'W1': W1, 'b1': b1}}; found "
        "{found}."
    ),
    "integer parameter": (
        "The parameter {name} holds whole numbers ({found}), which can't move by the small step "
        "that a numerical gradient takes: in a whole-number array 2 + 0.0001 is 2. Make it "
        "{name}.astype(float)."
    ),
    "odd parameter": "The parameter {name} must hold numbers; found {found}.",
    "empty parameter": "The parameter {name} is empty, of shape {shape}.",
    "no cost": "The cost must be a number; found {found}. Is a return missing?",
    "many costs": (
        "The cost must be one number; found an array of shape {shape}. Sum over the outputs and "
        "take the mean over the samples."
    ),
    "no gradients": "Found no gradient of any parameter: expected {expected}; found {found}.",
    "odd gradient": "The gradient of {name} must hold numbers; found {found}.",
    "keys": "the keys {keys}",
    "several": "a {kind} of {count}",
    "array": "an array of shape {shape}",
    "unsteady cost": (
        "Two calls of the cost with the same parameters give {first} and {second}: it draws random "
        "numbers that numpy.random.seed does not hold, or keeps something from call to call. Make "
        "it give the same number twice."
    ),
    "unsteady cost, changes": (
        "Two calls of the cost with the same parameters give {first} and {second}, because the "
        "code writes into {changes}. Let it make new arrays: X = X / 255, not X /= 255."
    ),
    "random cost, fixed gradients": (
        "The cost draws random numbers (dropout?), and the gradients are those of an earlier run, "
        "which drew others. Give a function of the parameters that returns the gradients."
    ),
    "not finite from the start": "{name} is {value} at {where}: start from finite numbers.",
    "cost not finite": "The cost is {cost}. {origin}",
    "unknown origin": (
        "The parameters are finite, so it starts in the forward pass or in the cost: a logarithm "
        "of 0, a division by 0, an exp of a large number."
    ),
}


def say(key: str, **facts: object) -> str:
    """Return the sentence of a key, with its facts in place."""
    return _ENGLISH[key].format(**facts)
