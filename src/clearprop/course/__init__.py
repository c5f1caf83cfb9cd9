"""The notation of the well-known online course: samples are columns, and every step has a name.

X is (n_x, m): m samples of n_x features. Layer l of L, counted from 1, has n[l] units::

    W[l] (n[l], n[l-1])    b[l] (n[l], 1)    Z[l] = W[l] A[l-1] + b[l]    A[l] = g(Z[l])    A[0] = X

and lies in a dictionary as ``parameters["W1"]``, ``parameters["b1"]``, ... The hidden layers share
one activation, ``"relu"`` unless `hidden` names another; the last one is a sigmoid, whose cost is
the binary cross-entropy. dA[l] and dZ[l] are the gradients of each sample's own loss; the mean over
the m samples enters with dW[l] and db[l]. Everything is computed in float64, and nothing that a
caller passes in is changed.

The numbers are the engine's; `from_course` and `to_course` lead there and back.
"""

from clearprop.course.layer import (
    linear_activation_backward,
    linear_activation_forward,
    linear_backward,
    linear_forward,
)
from clearprop.course.model import (
    L_layer_model,
    L_model_backward,
    L_model_forward,
    compute_cost,
    from_course,
    initialize_parameters_deep,
    predict,
    to_course,
    update_parameters,
)

__all__ = [
    "L_layer_model",
    "L_model_backward",
    "L_model_forward",
    "compute_cost",
    "from_course",
    "initialize_parameters_deep",
    "linear_activation_backward",
    "linear_activation_forward",
    "linear_backward",
    "linear_forward",
    "predict",
    "to_course",
    "update_parameters",
]
