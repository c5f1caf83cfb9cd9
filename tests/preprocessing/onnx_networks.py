"""ONNX files as the tests need them: one convolution, its mean over places, and a layer of ten."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FILTERS = 6
SCALED = {"Image.NominalPixelRange": "Normalized_0_1"}


def weights(channels=3, seed=0):
    random_state = np.random.RandomState(seed)
    return {
        "W": random_state.randn(FILTERS, channels, 3, 3).astype(np.float32),
        "D": random_state.randn(FILTERS, 10).astype(np.float32),
    }


def save_network(
    path,
    *,
    shape=("n", 3, 8, 8),
    layout="nchw",
    ending=("Softmax",),
    metadata=SCALED,
    kind=TensorProto.FLOAT,
    seed=0,
    inputs=("images",),
    domain="",
    pooled=True,
):
    """Write ``images -> maps -> features -> logits`` and what follows; return the weights."""
    channels = shape[1] if layout == "nchw" else shape[3]
    arrays = weights(channels if isinstance(channels, int) else 3, seed)
    taken, nodes = "images", []
    if layout == "nhwc":
        nodes.append(helper.make_node("Transpose", ["images"], ["turned"], perm=[0, 3, 1, 2]))
        taken = "turned"
    if kind == TensorProto.FLOAT16:
        nodes.append(helper.make_node("Cast", [taken], ["floats"], to=TensorProto.FLOAT))
        taken = "floats"
    nodes += [
        helper.make_node("Conv", [taken, "W"], ["sums"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["sums"], ["maps"], domain=domain),
    ]
    if pooled:
        nodes += [
            helper.make_node("GlobalAveragePool", ["maps"], ["means"]),
            helper.make_node("Flatten", ["means"], ["features"]),
            helper.make_node("MatMul", ["features", "D"], ["logits"]),
        ]
    last = "logits" if pooled else "maps"
    for operation in ending:
        nodes.append(helper.make_node(operation, [last], [f"after {last}"]))
        last = f"after {last}"
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(one, name) for name, one in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    opsets += [helper.make_opsetid(domain, 1)] if domain else []
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return arrays
