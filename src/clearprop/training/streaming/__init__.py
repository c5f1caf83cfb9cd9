"""Training on samples that are read from disk as they are needed, in an order that mixes them."""

from clearprop.training.streaming.streamed import Streamed

__all__ = ["Streamed"]
