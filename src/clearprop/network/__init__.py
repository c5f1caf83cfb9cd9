"""Networks: layers stacked and built, the loss that they are trained for, and a look inside."""

from clearprop.network.network import Network, twin_of
from clearprop.network.stack import LayerStack

__all__ = ["LayerStack", "Network", "twin_of"]
