/** What is known of a watched program: its state, and what came since. */

/**
 * @typedef {object} SeenArray
 * @property {string} name
 * @property {"parameter"|"gradient"|"activation"|"array"} role
 * @property {?string} of - The parameter that it is the gradient of.
 * @property {number[]} shape
 * @property {number} rows - What is drawn of it; of a large one only every so manieth row and column.
 * @property {number} columns
 * @property {number} bad - The number of entries that are not finite.
 * @property {number[]} counts - Its histogram, from `low` to `high`.
 * @property {string} data - What is drawn, as float32, base64.
 *
 * @typedef {{seconds: number, cost: ?number, ratios: Object, norms: Object, zeros: Object}} ProgramRow
 */
export class ProgramData {
  /** @param {object} program - The page's `program`, whole or but a name. */
  constructor(program) {
    this.start(program);
  }

  /** Begin anew with all that is known. */
  start(program) {
    this.name = program.name;
    this.state = "waiting";
    /** @type {ProgramRow[]} */
    this.rows = [];
    /** @type {Map<string, Array<number|null>>} */
    this.lists = new Map();
    /** @type {SeenArray[]} */
    this.arrays = [];
    this.findings = [];
    this.counters = {};
    this.verdict = null;
    this.why = "";
    this.note = "";
    this.printed = "";
    this.add(program);
  }

  /** Take what is new; rows and values that are known already may come twice. */
  add(news) {
    const { rows = [], lists = {}, ...latest } = news;
    Object.assign(this, latest);
    const last = this.rows.at(-1)?.seconds ?? -Infinity;
    this.rows.push(...rows.filter(({ seconds }) => seconds > last));
    for (const [name, { first, values }] of Object.entries(lists)) {
      const known = this.lists.get(name) ?? [];
      this.lists.set(name, known);
      values.forEach((value, n) => {
        known[first + n] = value;
      });
    }
  }

  /** Return the arrays of a role. */
  arraysOf(...roles) {
    return this.arrays.filter(({ role }) => roles.includes(role));
  }

  /** Return a line for each name that a column of the rows has values of. */
  linesOf(column, most) {
    const names = new Set(this.rows.flatMap((row) => Object.keys(row[column])));
    return [...names]
      .slice(0, most)
      .map((name) => ({ name, values: this.rows.map((row) => row[column][name] ?? null) }));
  }
}

/** Hears what a program's server tells. */
export class ProgramClient {
  /**
   * @param {ProgramData} data - What is heard is put there.
   * @param {object} told - `changed()`, `lost(isLost)`, and `refused(sentence)`.
   */
  constructor(data, told) {
    this.data = data;
    this.told = told;
    /** @type {object[]|null} */
    this.waiting = null; // what is heard while the state is fetched, which may know it or not
  }

  start() {
    const events = new EventSource("events");
    events.addEventListener("open", () => this.told.lost(false));
    events.addEventListener("error", () => this.told.lost(true));
    events.addEventListener("state", () => this.fetchState());
    events.addEventListener("program", (event) => {
      const news = JSON.parse(event.data);
      if (this.waiting !== null) return this.waiting.push(news);
      this.data.add(news);
      this.told.changed();
    });
  }

  async fetchState() {
    this.waiting = [];
    try {
      const answer = await fetch("state");
      if (!answer.ok) throw new Error(await answer.text());
      this.data.start((await answer.json()).program);
      this.waiting.forEach((news) => this.data.add(news));
      this.waiting = null;
      this.told.changed();
    } catch {
      this.told.lost(true); // when the events come back, they ask for it again
    }
  }

  /** @param {"stop"|"close"} action */
  async ask(action) {
    const answer = await fetch("control", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ do: action }),
    });
    if (!answer.ok) this.told.refused(await answer.text());
  }
}
