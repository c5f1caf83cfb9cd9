"""A layer that is right, and layers with one mistake each."""

from dataclasses import dataclass

import clearprop as cp


@dataclass(frozen=True)
class Scale(cp.Layer):
    """y = w x, right."""

    def build(self, in_shape):
        return cp.Built(in_shape, {"w": cp.Parameter(in_shape, cp.Constant(1.0))})

    def forward(self, params, x, trace):
        trace["x"] = x
        return x * params["w"]

    def backward(self, params, dy, trace, grads):
        grads["w"][...] = (dy * trace["x"]).sum(axis=0)
        return dy * params["w"]


class MeanInsteadOfSum(Scale):
    def backward(self, params, dy, trace, grads):
        grads["w"][...] = (dy * trace["x"]).mean(axis=0)
        return dy * params["w"]


class ForgottenFactor(Scale):
    def backward(self, params, dy, trace, grads):
        grads["w"][...] = (dy * trace["x"]).sum(axis=0)
        return dy


class Adds(Scale):
    def backward(self, params, dy, trace, grads):
        grads["w"] += (dy * trace["x"]).sum(axis=0)
        return dy * params["w"]


class Rebinds(Scale):
    def backward(self, params, dy, trace, grads):
        grads["w"] = (dy * trace["x"]).sum(axis=0)
        return dy * params["w"]


class NoDx(Scale):
    def backward(self, params, dy, trace, grads):
        grads["w"][...] = (dy * trace["x"]).sum(axis=0)


class SummedDx(Scale):
    def backward(self, params, dy, trace, grads):
        grads["w"][...] = (dy * trace["x"]).sum(axis=0)
        return (dy * params["w"]).sum(axis=0)


class InvertedMask(cp.ReLU):
    def backward(self, params, dy, trace, grads):
        return dy * (trace["y"] <= 0)


class DerivativeOfTheInput(cp.Sigmoid):
    def forward(self, params, x, trace):
        trace["x"] = x
        return super().forward(params, x, trace)

    def backward(self, params, dy, trace, grads):
        return dy * trace["x"] * (1 - trace["x"])


class BatchNormOfConstants(cp.BatchNorm):
    """Its backward takes mean and variance for constants."""

    def backward(self, params, dy, trace, grads):
        super().backward(params, dy, trace, grads)
        return dy * params["gamma"] / trace["s"]
