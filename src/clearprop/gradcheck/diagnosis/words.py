"""What a diagnosis says, in English: mistakes by their cause, and every sentence by its key."""

CAUSES = {
    # The mean over the samples.
    "mean_missing": ("1/m missing", "The sum over the m samples is not divided by m."),
    "mean_twice": ("1/m twice", "The sum over the m samples is divided by m twice."),
    "mean_axis": (
        "divided by the wrong size",
        "The sum over the samples is divided by another size than their number m: which axis are "
        "the samples?",
    ),
    # Factors.
    "sign": ("wrong sign", "It has the opposite sign."),
    "swapped": ("Y and A swapped", "The difference is taken the wrong way round."),
    "factor_two": ("factor 2", "It is twice or half of what it should be."),
    "factor": (
        "a constant factor",
        "It is right but for a factor without a usual meaning. Is it a learning rate or momentum?",
    ),
    # Products.
    "transposed": (
        "transposed product",
        "A factor is transposed that should not be, or the result is.",
    ),
    "wrong_pair": ("product of the wrong pair", "It is made of another array than it should be."),
    "elementwise": (
        "element-wise product for a matrix product",
        "`*` multiplies entry by entry; the sum over the inner axis needs `@` or np.dot.",
    ),
    "reshaped": (
        "reshape for a transposition",
        "reshape keeps the entries in their order and mixes up the samples; `.T` turns the array.",
    ),
    "W_layer": ("W of the wrong layer", "The way back goes through another layer's weights."),
    "W_missing": ("W left out", "The way back to the layer before leads through W."),
    "W_updated": (
        "W already updated",
        "W was updated before it was used to go back; every gradient belongs to the old W.",
    ),
    "delta_layer": ("delta of the wrong layer", "It takes what another layer sends back."),
    "cache_layer": ("cache of the wrong layer", "It takes what forward kept for another layer."),
    # The bias.
    "bias_axis": (
        "bias summed over the wrong axis",
        "The sum runs over the units, not the samples.",
    ),
    "bias_averaged": (
        "bias averaged",
        "A mean is taken where the sum is meant; divided by m it would be divided twice.",
    ),
    "bias_broadcast": (
        "bias not summed to its shape",
        "Every unit has its own sum over the samples, so db has the shape of b; broadcasting hides "
        "it when b is updated.",
    ),
    # The derivative of the activation.
    "other_activation": (
        "derivative of another activation",
        "The derivative does not belong to the activation of forward.",
    ),
    "at_A": (
        "derivative taken at A instead of Z",
        "This formula for g' is one of Z, not of A = g(Z).",
    ),
    "at_Z": ("taken at Z instead of A", "This formula is one of A = g(Z), not of Z."),
    "dA_missing": ("dA left out", "dZ = dA * g'(Z): what comes back from above is left out."),
    "slope_missing": ("derivative left out", "dZ = dA * g'(Z): g' is left out."),
    "slope_twice": ("derivative applied twice", "g' is multiplied in twice."),
    "slope_incomplete": (
        "derivative incomplete",
        "A part of the formula of g' is missing or turned.",
    ),
    "brackets": ("brackets left out", "1 - A needs brackets to be one factor: dA * A * (1 - A)."),
    "leaky_slope": ("another slope of leaky ReLU", "Forward has another slope below zero."),
    "mask_sign": (
        "mask of ReLU with the wrong sign",
        "The gradient passes where Z <= 0, and is stopped where Z > 0.",
    ),
    "mask_layer": (
        "mask of ReLU from the wrong array",
        "The mask belongs to the Z of the same layer.",
    ),
    # The output.
    "other_loss": (
        "cost and gradient of different losses",
        "It is the gradient of another cost than the one that is computed.",
    ),
    "softmax_elementwise": (
        "softmax treated element by element",
        "Every output of a softmax depends on every Z of its sample, so that g' is a matrix, not "
        "A * (1 - A).",
    ),
    "cost_sign": (
        "cost with the wrong sign",
        "The gradient is right for a cost of the other sign: a cross-entropy or a mean of squares "
        "is never negative.",
    ),
    "dA_slip": (
        "slip within dA of the cost",
        "One of the two terms of the cross-entropy's derivative has a wrong sign or denominator.",
    ),
    "Y_missing": ("Y left out", "The targets are missing."),
    "thresholded": (
        "predictions instead of probabilities",
        "It takes the predicted classes; the cost depends on the probabilities.",
    ),
    # L2 and dropout.
    "l2_missing": ("L2 term missing", "The cost has an L2 term, and this gradient has none."),
    "l2_mean": (
        "L2 term without 1/m",
        "The L2 term is not divided by m as it is in the cost, or twice.",
    ),
    "l2_factor": (
        "L2 term of another size",
        "The L2 term is not the derivative of the one in the cost.",
    ),
    "l2_bias": ("L2 on the bias", "The cost's L2 term spares the bias."),
    "l2_extra": (
        "L2 term that the cost lacks",
        "The gradient has an L2 term, and the cost has none.",
    ),
    "dropout_missing": (
        "dropout mask not applied in backward",
        "What forward dropped must not learn: backward takes the same mask.",
    ),
    "dropout_scale": (
        "dropout not scaled in backward",
        "Backward is divided by keep_prob exactly as often as forward.",
    ),
    "dropout_slope": (
        "derivative taken after dropout",
        "The formula takes A = g(Z) as it was before the mask and the scale.",
    ),
    # Loops and dictionaries.
    "off_by_one": ("index off by one", "An index or key is one beside the one that is meant."),
    "last_sample": (
        "one sample only",
        "Only one sample is left in it: `=` instead of `+=` in a loop over the samples?",
    ),
    "accumulated": (
        "added to the gradient of the step before",
        "Every call adds to what the call before left; gradients start from zero.",
    ),
    "zero": ("never written", "It is zero everywhere."),
    "pair": (
        "a pair taken for an array",
        "A function that returns (A, cache) was used as if it returned A.",
    ),
    # No mistakes.
    "float32": (
        "float32 rounding",
        "No mistake: float32 holds seven digits, and the differences are of that size. Check in "
        "float64.",
    ),
    "rounding": (
        "rounding",
        "No mistake that would show: it agrees with the exact gradient but for the last digits.",
    ),
}
"""A title and an explanation for each cause, which is a key that stays the same in any language."""

_ENGLISH = {
    "heading one": "The mistake: {title}",
    "heading of several": "Mistake {number}, in {places}: {title}",
    "theirs": "  looks like  {line}",
    "ours": "  should be   {line}",
    "also in": "  The same in {places}.",
    "others": "  The same numbers would come from: {others}.",
    "equal to numerical": (
        "{name} times {factor} equals the numerical gradient to {error:.0e} in all {count} entries."
    ),
    "compared": "{name} is yours to {error:.0e} in all {count} entries that were measured.",
    "replayed": (
        "Replayed with this line, {name} comes out as yours to {error:.0e} in all {count} entries."
    ),
    "replayed after": (
        "Replayed with this line and the mistakes before it, {name} comes out as yours to "
        "{error:.0e} in all {count} entries."
    ),
    "steady growth": "Every further call adds the same to {name}, to {error:.0e} in all entries.",
    "not seen": "{name} was not there to be compared.",
    "first of a pair": "Of the two arrays in {name}, the first has the shape of {parameter}.",
    "agrees": "{name} agrees with the exact gradient to {error:.0e} of the largest entry.",
    # What is known where nothing fits.
    "nothing fits": "No mistake that clearprop knows gives the numbers of {name}.",
    "right above": "{names} are right, so everything back to {delta} is.",
    "after mistakes": "With the mistakes above, everything back to {delta} is explained.",
    "wrong dZ": (
        "{delta} itself is wrong: look at the lines that lead to {delta}, not at those of {name} "
        "and {other}."
    ),
    "wrong line": (
        "{other} is right, and so very likely {delta}, of which both are made: look at the line "
        "that computes {name}."
    ),
    "of network": "Forward is a network of {hidden} with {cost}.",
    "hidden and": " and ",
    "no hidden": "one layer",
    "no network": (
        "The cost could not be repeated from X and Y, so that only its gradients were compared."
    ),
    "no data": (
        "X and Y are not known, so that backward could not be replayed: give them as X=... and "
        "Y=... to learn more."
    ),
    "shape": "{name} has the shape {found}, expected {expected}.",
    "not finite": "{name} is not finite at {count} of {entries} entries.",
    "zeros": "{count} of its {entries} entries are zero that should not be.",
    "signs": "All entries have the right size; {count} of {entries} have the wrong sign.",
    "cut off": "It is right, but cut off at {limit:.4g}: {count} of {entries} entries.",
    "by unit": "Each unit of {name} is right but for a factor of its own: {factors}.",
    "by input": "Each input of {name} is right but for a factor of its own: {factors}.",
    "angle": (
        "It points {degrees:.0f} degrees away from the right gradient, and is {ratio:.3g} times as "
        "long."
    ),
    "ruled out": "Ruled out: {causes}.",
    # Code that stops.
    "error pair": (
        "A function that returns a pair, such as (A, cache), is used as if it returned one array. "
        "Take the first of the two: A, cache = sigmoid(Z)."
    ),
    "error name": (
        "{name} is used and never set. Is it another variable's name, or one of another function?"
    ),
    "error key": (
        "There is no {missing} in the dictionary. Is it stored under a key that is one beside it?"
    ),
    "error shapes": (
        "Two arrays that don't fit are multiplied{shapes}. dW has the shape of W, and dA that of "
        "A: write the shapes beside every factor, and transpose the one that does not fit."
    ),
}


def title(cause: str) -> str:
    """Return the name of a cause."""
    return CAUSES[cause][0]


def explanation(cause: str) -> str:
    """Return what a cause means, in one or two sentences."""
    return CAUSES[cause][1]


def say(key: str, **facts: object) -> str:
    """Return the sentence of a key, with its facts in place."""
    return _ENGLISH[key].format(**facts)
