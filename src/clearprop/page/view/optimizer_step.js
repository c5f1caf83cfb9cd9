/** The optimizer of a run, for a single step that shows what it would do. */

import { OPTIMIZERS, makeOptimizer } from "../engine/optimizers.js";

/** Return the optimizer of a run's settings; null where a page has none of that name. */
export function stepOf(settings) {
  if (!settings || !OPTIMIZERS.has(settings.optimizer)) return null;
  const optimizer = makeOptimizer(settings.optimizer, {
    rate: settings.learning_rate ?? undefined,
    alpha: settings.l2 ?? 0,
  });
  return { name: optimizer.constructor.name, optimizer };
}

/** Return what the arithmetic of an update takes, of one array of parameters. */
export function settingsOfStep({ optimizer }, network, name, samples) {
  const { rate, decays } = network.parameters.specs.get(name) ?? { rate: 1, decays: false };
  return {
    learning_rate: optimizer.learningRate * rate,
    weight_decay: decays ? optimizer.weightDecay * rate : 0,
    alpha: decays ? optimizer.alpha : 0,
    samples,
    momentum: optimizer.momentum,
    decay: optimizer.decay,
    beta_1: optimizer.beta1,
    beta_2: optimizer.beta2,
    epsilon: optimizer.epsilon,
  };
}
