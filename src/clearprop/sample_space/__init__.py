"""Training a first Dense layer in the space of the samples, where that is the smaller one.

Every gradient of the first layer's weights is X_B.T delta_B: a sum of samples. Gradient descent,
with momentum or without, and L2 or weight decay only ever add gradients and scale what is there, so
the weights never leave

    W_t = a_t W_0 + X.T C_t        a_t a number, C_t (N, M)

and with K = X X.T (N, N) and Z_0 = X W_0 (N, M), computed once,

    X_B W_t = a_t Z_0[B] + K[B] C_t                    the forward pass
    dC[B] = delta_B                                    the whole of the backward pass

While the N samples are few against their D features, that is D / N times less work, and nothing of
size D is touched until somebody asks for the weights. Up to rounding, the numbers are the same.

K and all that is trained here are float64, for a float32 network, too: K's entries are sums of D
products, and single precision would lose the digits in which alike samples differ.
"""

from clearprop.sample_space.layer import SampleDense
from clearprop.sample_space.network import RowNumbers, SampleNetwork
from clearprop.sample_space.rule import fits, is_cheaper, kernel_bytes, why_not_exact

__all__ = [
    "RowNumbers",
    "SampleDense",
    "SampleNetwork",
    "fits",
    "is_cheaper",
    "kernel_bytes",
    "why_not_exact",
]
