/** From the description of a part, as model files have it, to the part: by an allow-list. */

/**
 * Rebuild what a description names.
 *
 * @param {*} config - JSON values; an object with a `type` becomes one of that class, made of its
 *   other fields.
 * @param {Map<string, Function>} types - The classes that may be made, by their names in Python.
 * @returns {*}
 * @throws {Error} If a type is not among `types`; it is named.
 */
export function fromConfig(config, types) {
  if (Array.isArray(config)) {
    return config.map((item) => fromConfig(item, types));
  }
  if (config === null || typeof config !== "object") {
    return config;
  }
  const held = {};
  for (const [key, value] of Object.entries(config)) {
    if (key !== "type") {
      held[key] = fromConfig(value, types);
    }
  }
  if (!Object.hasOwn(config, "type")) {
    return held;
  }
  const kind = types.get(config.type);
  if (kind === undefined) {
    throw new Error(
      `The model has a part of the type "${config.type}", which a page can't compute: it knows ` +
        "clearprop's own layers, losses and recipes alone. Use the model in Python.",
    );
  }
  return new kind(held);
}

/**
 * Return classes by their names.
 *
 * @param {...Function} classes
 * @returns {Map<string, Function>}
 */
export function byClassName(...classes) {
  return new Map(classes.map((kind) => [kind.name, kind]));
}
