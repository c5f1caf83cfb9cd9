"""The sentences and labels of a walk, in English, by key."""

from typing import Final

SENTENCES: Final = {
    "title": "One training step, written out",
    "of data": (
        "{data}: the batch of samples {first:,} to {last:,} of {count:,}. Sample {sample} "
        "({source}) is number {row} of the batch."
    ),
    "scaled target": (
        "The target is learned on another scale: y = ({formula} - {mean:.6g}) / {std:.6g}; answers "
        "are brought back from there."
    ),
    "without update": (
        "{optimizer} finds an update by several looks at the loss along a line, which no formula "
        "writes out, so the step ends before it; to see one, walk data or a run of another "
        "optimizer."
    ),
    "without class weights": "The run weighs classes; this step does not.",
    "without augmentation": "The run changes pictures at random; here they are as they were read.",
    "without clipping": "The run clips gradients to the length {norm:g}; this step does not.",
    "batch": "{samples:,} samples in {dtype}, loss {loss:.6g}",
    "float32": (
        "The engine rounds to float32 while it computes; written operands are added up in float64."
    ),
    "looked at": "Sample {sample} is looked at: target {target}, predicted {predicted}",
    "classes": "Classes: {names}",
    "row names": "rows: {names}",
    "column names": "columns: {names}",
    "legend engine": (
        "A letter beside a letter is a matrix product, * works entry by entry, and samples are "
        "rows."
    ),
    "legend course": (
        "A letter beside a letter is a matrix product, * works entry by entry, and samples are "
        "columns. dA and dZ belong to each sample's own loss: m times the engine's."
    ),
    "not finite": "The first number that is not finite is {name} = {value:.4g}.",
    "begins here": "not finite from {index} on",
    "heading": "{stage}: layer {name}, {title}",
    "heading input": "Input",
    "heading loss": "Loss: {title}",
    "heading update": "Update: layer {name}, {title}",
    "forward": "Forward",
    "backward": "Backward",
    "steps": "Steps",
    "x is": "x is {x}.",
    "dy is": "dy is {dy}.",
    "block is": "block is {block}.",
    "dblock is": "dblock is {dblock}.",
    "part is": "{matrix}_{place} is {matrix} of layer {name}.",
    "y of layer": "y of layer {name}",
    "dx of layer": "dx of layer {name}",
    "from container": "the array that layer {name} gives it",
    "the input": "X",
    "dlogits": "dlogits of the loss",
    "own": ("{kind} of your own, so its inner arithmetic is not known here. It says: {doc}"),
    "nothing": "nothing",
    "weighted": "Each sample counts by its weight, divided by the sum of all weights.",
    "first step": "The first step of {optimizer}, from moments of zero.",
    "own rate": "{symbol} has {factor:g} times the learning rate, and any weight decay likewise.",
    "followed": "gradient with L2",
    "moment": "what the optimizer remembers",
    "after": "{of} after the step",
    "penalty": "L2 adds {penalty:.6g} to the loss.",
    "digits": "engine {value}, operands {total}",
    "given": "given, not computed",
    "unknown": "computed by code of your own",
    "open": "Every underlined number opens its arithmetic.",
    "heat map": "{symbol}: {height} x {width}.",
    "heat map of means": (
        "{symbol}: each of {height} x {width} points is the mean of up to {rows} x {columns} "
        "numbers."
    ),
    "heat key": "Orange is positive, blue negative; the stronger, the larger.",
    "weight picture": "unit {unit}",
    "weight pictures": "{symbol} of each unit, as the picture that it looks at.",
    "weight pictures of some": "{symbol} of the first {count} of {all} units, as pictures.",
    "colour key": "Grey is 0, and each colour's weight shifts that colour.",
    "input picture": "sample {sample}",
}
