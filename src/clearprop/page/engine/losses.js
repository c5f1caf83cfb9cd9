/** Every loss that a model file may have, by the name of its class. */

import { BinaryCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy } from "./basic_losses.js";
import {
  BinaryFocal,
  Hinge,
  MulticlassHinge,
  SmoothedCrossEntropy,
  SoftmaxFocal,
} from "./class_losses.js";
import { byClassName } from "./configuration.js";
import { AbsoluteError, Huber, PoissonDeviance, Quantile, Quantiles } from "./value_losses.js";

/** Every loss, by its class's name. */
export const LOSSES = byClassName(
  ...[BinaryCrossEntropy, SoftmaxCrossEntropy, MeanSquaredError],
  ...[SmoothedCrossEntropy, BinaryFocal, SoftmaxFocal, Hinge, MulticlassHinge],
  ...[AbsoluteError, Huber, Quantile, Quantiles, PoissonDeviance],
);
