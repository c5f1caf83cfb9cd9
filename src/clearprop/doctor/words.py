"""Every sentence that the doctor says, apart from the code that decides: templates by key."""

NAMES = {
    "symmetric_weights": "Equal weights",
    "unscaled_inputs": "Inputs not scaled",
    "large_initial_weights": "Initial weights too large for this depth",
    "small_initial_weights": "Initial weights too small for this depth",
    "learning_rate_too_high": "Learning rate too high",
    "not_a_number": "Numbers that are not finite",
    "exploding_gradients": "Exploding gradients",
    "vanishing_gradients": "Vanishing gradients",
    "dead_relus": "Dead ReLUs",
    "saturated_units": "Saturated units",
    "learning_rate_too_low": "Learning rate too low",
    "too_much_regularization": "Too much regularisation",
    "small_batch_for_batch_norm": "Batch too small for batch norm",
    "wrong_labels": "Labels that look wrong",
    "one_answer": "One answer to everything",
    "underfitting": "Underfitting",
    "overlap": "Validation data that are trained on",
    "overfitting": "Overfitting",
    "unbalanced_classes": "Unbalanced classes",
}

MEASUREMENTS = {
    "symmetric_weights": (
        "All {units} units of layer {layer} begin with the same weights and still have the same: "
        "they get the same gradient, so they are one unit for ever."
    ),
    "unscaled_inputs": (
        "The root mean square of feature {feature} is {measured:.4g}; {share:.0%} of the features "
        "lie above {threshold:g}."
    ),
    "unscaled_inputs/tiny": (
        "The root mean square of every feature is below {measured:.2g}, the largest being feature "
        "{feature}."
    ),
    "large_initial_weights": (
        "As multiples of the usual size the first weights are {sizes}. Over {layers} layers that "
        "multiplies what passes by {measured:.2g}."
    ),
    "small_initial_weights": (
        "As multiples of the usual size the first weights are {sizes}. Over {layers} layers that "
        "leaves {measured:.1g} of what passes, forward and backward."
    ),
    "learning_rate_too_high": (
        "With a rate of {rate:g} the loss rose in {rises:.0%} of the epochs; a rate {measured:g} "
        "times as high does better."
    ),
    "learning_rate_too_high/diverged": (
        "With a rate of {rate:g} the loss stopped being finite; a rate {measured:g} times as high "
        "does not diverge."
    ),
    "not_a_number/weights": "Some weights are not finite.",
    "not_a_number/forward": (
        "{when} the first operation to give a number that is not finite is the forward "
        "pass of layer {layer} ({kind}), whose inputs are finite, up to {largest:.3g}."
    ),
    "not_a_number/loss": (
        "{when} the first operation to give a number that is not finite is the loss "
        "({kind}), of logits up to {largest:.3g}."
    ),
    "not_a_number/backward": (
        "{when} the first operation to give a number that is not finite is the backward "
        "pass of layer {layer} ({kind}); the gradient that reaches it is finite, up to "
        "{largest:.3g}."
    ),
    "not_a_number/update": (
        "{when} the first operation to give a number that is not finite is the update of "
        "the weights, which were finite before it, up to {largest:.3g}, as was their gradient."
    ),
    "not_a_number/batch": (
        "{when} the loss is no finite number for its batch, while a pass over all samples with the "
        "same weights is finite: what the batch alone has makes it, its statistics in batch norm "
        "or what dropout dropped."
    ),
    "exploding_gradients": (
        "At the first weights the gradient is {measured:.2g} times as large at layer {layer} as at "
        "the last; by layer: {shares}."
    ),
    "vanishing_gradients": (
        "At the first weights {measured:.2g} of the gradient at the last layer reaches layer "
        "{layer}; by layer: {shares}."
    ),
    "dead_relus": "In layer {layer}, {measured:.0%} of the ReLUs give zero for every sample.",
    "saturated_units": (
        "In layer {layer} ({kind}), {measured:.0%} of the outputs lie where the slope is below a "
        "twentieth of the steepest."
    ),
    "learning_rate_too_low": (
        "With a rate of {rate:g} training is far from its end; a rate {measured:g} times as high "
        "gets there sooner."
    ),
    "too_much_regularization": "Without {what} the network learns far more.",
    "small_batch_for_batch_norm": (
        "Layer {layer} normalises batches of {measured:.0f}: their variance is off by {error:.0%} "
        "at random, in every update anew."
    ),
    "wrong_labels": (
        "{suspects} of {samples} samples ({measured:.1%}) carry a label that at least 9 of their "
        "10 nearest neighbours contradict with one voice, the first of them {which}."
    ),
    "wrong_labels/unrelated": (
        "The nearest neighbours of a sample tell its label no better than chance: {shown:.1%} "
        "right, where {chance:.1%} are to be expected of labels without meaning."
    ),
    "one_answer": (
        "The network says class {answer} to {measured:.1%} of the training samples, of which "
        "{true:.1%} are of that class."
    ),
    "underfitting": (
        "On its own training samples the network reaches {reached}, {value:.2f} of the way from "
        "guessing to perfect; asking their ten nearest neighbours reaches {neighbours:.2f} of it."
    ),
    "underfitting/nothing": (
        "On its own training samples the network reaches {reached}: no more than guessing does, "
        "or hardly more."
    ),
    "overlap": (
        "{count} of {held} held-out samples ({measured:.1%}) are among the training samples, the "
        "first of them {which}; of the training samples themselves {repeated:.1%} repeat another."
    ),
    "overfitting": (
        "The network reaches {known} on training samples and {unknown} on held-out ones; their "
        "loss was lowest after epoch {best} of {epochs}."
    ),
    "overfitting/unwatched": (
        "The network reaches {known} on training samples and {unknown} on held-out ones."
    ),
    "unbalanced_classes": (
        "Class {common} has {measured:.1f} times the samples of class {rare}; {others:.1%} of the "
        "one and {recall:.1%} of the other are recognised."
    ),
}

REASONS = {
    "symmetric_weights": (
        "No two units of a hidden layer may begin alike: only different weights get different "
        "gradients (Rumelhart, Hinton, Williams 1986)."
    ),
    "unscaled_inputs": (
        "Threshold {threshold:g}: the largest stable learning rate falls with the square of the "
        "inputs, at {threshold:g} to a hundredth of that for inputs near 1 (LeCun et al., "
        '"Efficient BackProp", 1998, sections 4.3 and 5.1).'
    ),
    "unscaled_inputs/tiny": (
        "Threshold {threshold:g}: the gradient of the first weights shrinks with the inputs, and "
        "what it changes with their square, at {threshold:g} to a ten-thousandth of that for "
        'inputs near 1 (LeCun et al., "Efficient BackProp", 1998, sections 4.3 and 5.1).'
    ),
    "large_initial_weights": (
        "Threshold {threshold:g}: weights of the usual size, sqrt(2/inputs) before a ReLU and "
        "sqrt(1/inputs) elsewhere, keep the size of what passes; what all layers together make of "
        "it should stay within a factor of {threshold:g} (He et al. 2015, equation 10; Glorot, "
        "Bengio 2010)."
    ),
    "small_initial_weights": (
        "Threshold {threshold:g}: weights of the usual size, sqrt(2/inputs) before a ReLU and "
        "sqrt(1/inputs) elsewhere, keep the size of what passes; what all layers together make of "
        "it should stay within a factor of 10 (He et al. 2015, equation 10; Glorot, Bengio 2010)."
    ),
    "learning_rate_too_high": (
        "Threshold {threshold:g}: within a factor of ten rates differ in speed, beyond it in "
        'whether anything is learned (Smith, "Cyclical Learning Rates", 2017, section 3.3).'
    ),
    "not_a_number": (
        "One is enough: a number that is not finite makes every weight it reaches so, for good."
    ),
    "exploding_gradients": (
        "Threshold {threshold:g}: no learning rate suits layers whose gradients differ a "
        "thousandfold (Pascanu, Mikolov, Bengio 2013)."
    ),
    "vanishing_gradients": (
        "Threshold {threshold:g}: a layer with a thousandth of the gradient learns a thousand "
        "times slower (Glorot, Bengio 2010, section 4)."
    ),
    "dead_relus": (
        "Threshold {threshold:.0%}: some dead units do no harm, but half a layer's are half a "
        "layer (Maas, Hannun, Ng 2013, section 2)."
    ),
    "saturated_units": (
        "Threshold {threshold:.0%}: what flows back is multiplied by the slope; a layer of "
        "saturated units passes next to nothing (Glorot, Bengio 2010, section 3)."
    ),
    "learning_rate_too_low": (
        "Threshold {threshold:g}: within a factor of ten rates differ in speed, beyond it in "
        'whether anything is learned (Smith, "Cyclical Learning Rates", 2017, section 3.3).'
    ),
    "too_much_regularization": (
        "Threshold {threshold:g} of the way from guessing to perfect: regularisation is to help "
        "with new samples, and does not where it costs that much (Goodfellow, Bengio, Courville "
        "2016, chapter 7)."
    ),
    "small_batch_for_batch_norm": (
        "Threshold {threshold:g}: the variance of B samples has a relative standard error of "
        "sqrt(2/(B - 1)), more than a half below {threshold:g} (Wu, He 2018, section 1)."
    ),
    "wrong_labels": (
        "Threshold {threshold:.0%}: where classes overlap neighbours disagree among each other; "
        "with one voice they contradict next to no right label (Northcutt, Jiang, Chuang 2021, on "
        "labels that confident predictions contradict)."
    ),
    "wrong_labels/unrelated": (
        "Threshold {threshold:g} standard errors above chance: less can be chance. What was "
        "learned holds for no held-out sample either."
    ),
    "one_answer": (
        "Threshold {threshold:.1%}: one answer to everything needs no network, and scores the "
        "share of the largest class."
    ),
    "underfitting": (
        "Threshold {threshold:g} of the way from guessing to perfect: what ten neighbours know of "
        "a sample without training, a trained network should (Cover, Hart 1967, on what nearest "
        "neighbours reach)."
    ),
    "underfitting/nothing": (
        "Threshold {threshold:g} of the way from guessing to perfect: less is next to nothing."
    ),
    "overlap": (
        "Threshold {threshold:.0%} beyond what repeats among the training samples: a score on "
        "samples that were learned says nothing of others."
    ),
    "overfitting": (
        "Threshold {threshold:g}, and three standard errors of the held-out score: less can be "
        "chance."
    ),
    "unbalanced_classes": (
        "Threshold {threshold:g}: from there on saying the larger class to everything is right in "
        "five of six cases (He, Garcia 2009)."
    ),
}

ADVICE = {
    "symmetric_weights": "Draw the first weights at random.",
    "unscaled_inputs": (
        "Bring every feature to mean 0 and standard deviation 1 by the training samples: "
        "recipe = cp.fit_recipe(train); X = recipe.inputs.transform(train.X, 'float64'). "
        "clearprop train does so itself."
    ),
    "large_initial_weights": "Draw the first weights by the number of inputs.",
    "small_initial_weights": "Draw the first weights by the number of inputs.",
    "learning_rate_too_high": "Lower the learning rate.",
    "not_a_number": (
        "Look at that operation: a logarithm or root of what is not positive, a division by zero, "
        "or an overflow."
    ),
    "exploding_gradients": "Clip the gradient, or normalise between the layers.",
    "vanishing_gradients": "Use activations whose slope is 1, or normalise between the layers.",
    "dead_relus": "Let a little through below zero.",
    "saturated_units": "Use activations that don't saturate, or normalise between the layers.",
    "learning_rate_too_low": "Raise the learning rate.",
    "too_much_regularization": "Do without, or with a tenth of it.",
    "small_batch_for_batch_norm": "Use larger batches, or LayerNorm, which needs none.",
    "wrong_labels": (
        "Look at these samples and put their labels right, or check that inputs and labels were "
        "shuffled together."
    ),
    "one_answer": "Give rare classes more weight, if the classes are unbalanced.",
    "underfitting": "Let the network learn more.",
    "overlap": (
        "Take these samples out of one of the two; remove repeated samples before holding out."
    ),
    "overfitting": (
        "Stop at the best epoch, drop units while training, use fewer of them, or get more samples."
    ),
    "unbalanced_classes": "Let every class count alike.",
}

CONSEQUENCE = "A consequence of what stands above ({cause}), and cured with it."
TRIAL = (
    "A trial of {updates} updates with the advice reaches {reached}; the training reached {own}."
)
PLACES = "numbers {rows} (counted from 0)"
IN_UPDATE = "In update {update}"
NOW = "With the present weights"
HEALTHY = "Healthy: no illness was found."
IN_LAYER = ", layer {layer}"
PYTHON = "Python:      "
COMMAND_LINE = "command line:"

IN_PYTHON = {
    "init": "cp.Dense(units, init=cp.{class_name}()) for every Dense layer",
    "activation": "cp.{class_name}() for every activation",
    "batch_norm": "cp.BatchNorm() before every activation",
    "learning_rate": "cp.Trainer(optimizer=cp.{optimizer}({value:g}), ...)",
    "l2": "cp.Trainer(optimizer=cp.{optimizer}(..., alpha={value:g}), ...)",
    "clip_norm": "cp.Trainer(clip_norm={value:g}, ...)",
    "batch_size": "cp.Trainer(batch_size={value}, ...)",
    "class_weight": "cp.Trainer(class_weight={value!r}, ...)",
    "epochs": "cp.Trainer(epochs={value}, ...)",
    "patience": "cp.Trainer(early_stopping=cp.EarlyStopping({value}), ...)",
    "dropout": "cp.Dropout({value:g}) after every activation",
    "layers": "hidden layers of {value} units, each a cp.Dense and an activation",
}
