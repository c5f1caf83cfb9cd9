"""What more workers are good for: a model of a step's time, held against measurements.

`model` has the arithmetic, `simulation` adds workers of unequal speed, `batches` counts the updates
that larger batches and local steps need. `constants`, `steps` and `learning` measure, `picture`
draws what docs/scaling.md shows. ``python -m bench.scaling`` does all of it.
"""
