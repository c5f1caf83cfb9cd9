"""The ground of layers, losses and optimizers: arrays by name, traces, formulas, loops."""
