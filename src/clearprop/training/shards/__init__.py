"""Training in virtual shards: a result that does not depend on how many workers computed it.

The samples are cut into a fixed number of shards, which are part of the mathematics: each batch
takes its share of every one. The gradient of a shard's samples is computed by one thread, and the
gradients go up a fixed binary tree. Who computes which shard, and where, leaves no mark on a bit.
"""

from clearprop.training.shards.crew import Crew as Crew
from clearprop.training.shards.crew import ThreadCrew as ThreadCrew
from clearprop.training.shards.cutting import SHARDS as SHARDS
from clearprop.training.shards.cutting import shard_batches as shard_batches
from clearprop.training.shards.step import ShardedStep as ShardedStep
from clearprop.training.shards.worker import Work as Work
