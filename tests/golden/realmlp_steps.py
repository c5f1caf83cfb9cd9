"""Make the golden steps of RealMLP that the tests of the training's mathematics compare it with.

pytabkit is the oracle: its layers, its optimizer, its schedules, its losses and its defaults. To
make the file again, give it an environment of its own::

    python -m venv pytabkit-environment
    pytabkit-environment/bin/pip install torch==2.13.0 pytabkit==1.8.0 numpy safetensors
    pytabkit-environment/bin/python tests/golden/realmlp_steps.py

Beside itself it writes ``realmlp_steps.safetensors``. For classes and for values, in float64, it
has 20 updates that begin at the shares 0, 0.3 and 0.8 of a training of 400, each from the same
weights: the moments before (zero at the first update, and else as if there had been gradients), the
rows of every batch, what dropout let stay, and all parameters after every update. The columns are
two numbers, a category of two, one of three, and one of ten, which is embedded.

What pytabkit needs to be an oracle of the last digits:

- It makes one-hot labels single precision by ``Tensor.float``, which is ``Tensor.double`` here.
- Its dropout is given what stays, and keeps its rate to the nearest of 65536 steps, as `Dropout`
  does.
- Layers are narrow, as all of their parameters are written 20 times: 4 frequencies for 16,
  embeddings of 3 for 8, 4 units for 256. Columns are not scaled: preprocessing does that.
- Adam counts its steps from the beginning of the training.

Parameters are flat, in the order in which clearprop has them: those of the numbers' embeddings
(w1, b1, W2, b2), the categories' E, the scales, and then W, b and alpha, layer by layer.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from pytabkit.models.alg_interfaces.base import InterfaceResources, SplitIdxs
from pytabkit.models.data.data import DictDataset, TensorInfo
from pytabkit.models.optim.optimizers import get_opt_class
from pytabkit.models.sklearn.default_params import DefaultParams
from pytabkit.models.training.nn_creator import NNCreator
from pytabkit.models.training.scheduling import LearnerProgress
from safetensors.numpy import save_file
from torch import Tensor
from torch.nn import functional

FILE = Path(__file__).with_name("realmlp_steps.safetensors")
SAMPLES, BATCH, STEPS, OF = 40, 8, 20, 400
STARTS = (0, 120, 320)
NARROW = {"hidden_sizes": [4] * 3, "plr_hidden_1": 4, "embedding_size": 3}
ORDER = [
    *("/plr/weight_1", "/plr/bias_1", "/plr/weight_2", "/plr/bias_2", "/tfms/emb"),
    "/net/first_layer/layer-0/scale",
    *(
        f"/net/{place}_layer/layer-{layer}/{part}"
        for layer, place in enumerate(["first", "middle", "middle", "last"])
        for part in ("weight", "bias", "act")
        if (place, part) != ("last", "act")
    ),
]


class Dropping:
    """Stands for PyTorch's dropout: draws what stays, and keeps it."""

    def __init__(self, random_state: np.random.RandomState) -> None:
        self.random_state = random_state
        self.kept: list[np.ndarray] = []

    def __call__(self, x: Tensor, p: float, training: bool = True) -> Tensor:
        """Return x where it stays, divided by the share that does."""
        if not training:
            return x
        rate = round(p * 2**16) / 2**16
        self.kept.append(self.random_state.random_sample(x.shape) >= rate)
        return x * torch.tensor(self.kept[-1]) / (1 - rate)


def main() -> None:
    """Write the file."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign]
    random_state = np.random.RandomState(5)
    numbers = random_state.standard_normal((SAMPLES, 2))
    # Code 0 stands for a category that is missing, or was never seen.
    codes = np.stack([random_state.randint(0, most, SAMPLES) for most in (3, 4, 11)], axis=1)
    score = numbers[:, 0] + np.sin(3 * numbers[:, 1]) + (codes[:, 2] > 5)
    arrays: dict[str, np.ndarray] = {}
    for task, defaults, y, classes in (
        ("classes", DefaultParams.RealMLP_TD_CLASS, np.digitize(score, [0, 1]), 3),
        ("values", DefaultParams.RealMLP_TD_REG, 10 + 4 * score, 0),
    ):
        data = DictDataset(
            {
                "x_cont": torch.tensor(numbers),
                "x_cat": torch.tensor(codes),
                "y": torch.tensor(y[:, np.newaxis]),
            },
            {
                "x_cont": TensorInfo(feat_shape=[2]),
                "x_cat": TensorInfo(cat_sizes=[3, 4, 11]),
                "y": TensorInfo(cat_sizes=[classes]) if classes else TensorInfo(feat_shape=[1]),
            },
        )
        creator, split = created(defaults, data)
        arrays[f"{task}/y"] = y
        for start in STARTS:
            torch.manual_seed(1)
            model = creator.create_model(data, split)  # the same weights each time
            encoded = creator.static_model(data)
            found = steps(creator, model, encoded, start, random_state)
            arrays |= {f"{task}/{start}/{name}": array for name, array in found.items()}
        columns = ("x_cont", "x_one_hot", "x_cat")  # numbers, one-hots and codes
        arrays["X"] = np.hstack([encoded.tensors[name].numpy() for name in columns])
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, FILE)


def created(defaults: dict[str, Any], data: DictDataset) -> tuple[NNCreator, list[SplitIdxs]]:
    """Return what makes pytabkit's networks for some data, and that all of them are trained on."""
    creator = NNCreator(**defaults | NARROW | {"tfms": ["one_hot", "embedding"]})
    split = [
        SplitIdxs(
            train_idxs=torch.arange(SAMPLES)[None],
            val_idxs=None,
            test_idxs=None,
            split_seed=0,
            sub_split_seeds=[0],
            split_id=0,
        )
    ]
    creator.setup_from_dataset(data, split, InterfaceResources(n_threads=1, gpu_devices=[]))
    return creator, split


def steps(
    creator: NNCreator,
    model: Any,
    data: DictDataset,
    start: int,
    random_state: np.random.RandomState,
) -> dict[str, np.ndarray]:
    """Do the updates, and return all that they began with and led to."""
    by_scope = {str(one.context.scope): one for one in model.parameters()}
    parameters = [by_scope.pop(scope) for scope in ORDER]
    assert not by_scope
    hypers = creator.hp_manager
    optimizer = get_opt_class("adam")([{"params": [one]} for one in parameters], hypers)
    size = sum(one.numel() for one in parameters)
    m, v = np.zeros((2, size))
    if start:
        m, v = (
            random_state.standard_normal(size) / 100,
            random_state.standard_exponential(size) / 1e3,
        )
        for one, *moments in zip(
            parameters, parts(m, parameters), parts(v, parameters), strict=True
        ):
            mean, square = map(torch.tensor, moments)
            state = {"step": torch.tensor(float(start)), "exp_avg": mean, "exp_avg_sq": square}
            optimizer.opt.state[one] = state
    found = {"start": flat(parameters), "m": m, "v": v}
    criterion, _ = creator.get_criterions()
    progress = LearnerProgress()
    progress.max_epochs = OF  # of one update each
    dropping = functional.dropout = Dropping(random_state)
    rows, after = [], []
    model.train()
    for step in range(start, start + STEPS):
        progress.epoch_float = float(step)
        hypers.update_hypers(SimpleNamespace(progress=progress))
        rows.append(random_state.choice(SAMPLES, BATCH, replace=False))
        batch = {name: one[rows[-1]][None] for name, one in data.tensors.items()}
        out = model(batch)
        loss = criterion(out["x_cont"], out["y"]).sum()
        loss.backward()
        optimizer.step(loss=loss)
        optimizer.zero_grad()
        after.append(flat(parameters))
    kept = np.array(dropping.kept).reshape(STEPS, 3, BATCH, -1)
    return {**found, "rows": np.array(rows), "kept": kept, "after": np.array(after)}


def flat(parameters: list[Tensor]) -> np.ndarray:
    """Return all of them as one vector."""
    return np.concatenate([one.detach().numpy().ravel() for one in parameters])


def parts(vector: np.ndarray, like: list[Tensor]) -> list[np.ndarray]:
    """Cut a vector into arrays of the shapes of some parameters."""
    ends = np.cumsum([one.numel() for one in like])[:-1]
    cut = np.split(vector, ends)
    return [part.reshape(one.shape) for part, one in zip(cut, like, strict=True)]


if __name__ == "__main__":
    main()
