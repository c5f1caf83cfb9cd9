"""Draw the picture of docs/explaining.md, in its folder after its commands."""

from pathlib import Path

import clearprop as cp
from clearprop.experiment.explaining import dependence_of, draw_dependence

model = cp.load("runs/flats/model.safetensors")
table = cp.load_data("newer.csv").X
found = dependence_of(model, table, ["area", "city", "floor", "door"])
cp.plots.save(draw_dependence(model, found), Path(__file__).with_suffix(".png"))
