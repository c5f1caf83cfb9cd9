/** What the panels of a run share: which sample and epoch they look at, and what goes on live. */

export class Store {
  /** @param {Object<string, *>} values - The first values by their names. */
  constructor(values = {}) {
    this.values = new Map(Object.entries(values));
    this.watchers = new Map();
  }

  /** Return the value of a name; undefined where it has none. */
  get(name) {
    return this.values.get(name);
  }

  /** Set a value, and tell those who watch it, in the order in which they began to. */
  set(name, value) {
    if (Object.is(this.values.get(name), value)) return;
    this.values.set(name, value);
    this.tell(name);
  }

  /** Tell those who watch a name that what lies behind its value has changed. */
  tell(name) {
    const value = this.values.get(name);
    for (const told of [...(this.watchers.get(name) ?? [])]) told(value);
  }

  /**
   * Watch a name.
   *
   * @param {string} name
   * @param {function(*): void} told - Called with each new value.
   * @returns {function(): void} What ends it.
   */
  watch(name, told) {
    if (!this.watchers.has(name)) this.watchers.set(name, new Set());
    this.watchers.get(name).add(told);
    return () => this.watchers.get(name).delete(told);
  }
}
