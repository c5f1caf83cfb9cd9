"""Training on samples that are read from disk as they are needed, in an order that mixes them."""

from clearprop.training.streaming.shards import ShardedOnDisk, Turn
from clearprop.training.streaming.streamed import OnDisk, Streamed

__all__ = ["OnDisk", "ShardedOnDisk", "Streamed", "Turn"]
