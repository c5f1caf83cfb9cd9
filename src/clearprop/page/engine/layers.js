/** Every layer that a model file may have, by the name of its class. */

import { ELU, LeakyReLU, ReLU, SELU, Sigmoid, Softplus, Tanh } from "./activations.js";
import { Columns } from "./columns.js";
import { byClassName } from "./configuration.js";
import { Residual, Sequential } from "./containers.js";
import { Conv2D } from "./convolution.js";
import { Dense, Flatten, NTKDense } from "./dense.js";
import { Dropout, SpatialDropout2D } from "./dropout.js";
import { Embedding, PeriodicEmbedding } from "./embedding.js";
import { GELU, Mish } from "./gated.js";
import { BatchNorm, LayerNorm } from "./normalization.js";
import { AveragePool2D, GlobalAveragePool2D, MaxPool2D } from "./pooling.js";
import { Blend, Scale } from "./scaling.js";

/** Every layer, in the order of Python's list. */
export const LAYERS = byClassName(
  ...[ReLU, LeakyReLU, ELU, SELU, GELU, Mish, Softplus, Tanh, Sigmoid],
  ...[Columns, Residual, Sequential, Conv2D, Dense, Flatten, NTKDense, Dropout, SpatialDropout2D],
  ...[Embedding, PeriodicEmbedding, BatchNorm, LayerNorm],
  ...[AveragePool2D, GlobalAveragePool2D, MaxPool2D, Blend, Scale],
);
