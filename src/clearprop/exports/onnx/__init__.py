"""A model as a graph of ONNX."""
