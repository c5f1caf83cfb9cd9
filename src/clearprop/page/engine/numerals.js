/** How cells spell numbers, dates and what is missing. */

/** The cells, in small letters, that stand for a missing value among numbers or dates. */
const MISSING_CELLS = new Set([
  ...["", "\\n", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil", "nat"],
  ...["#null!", "#div/0!", "#value!", "#ref!", "#name?"],
  ...["missing", "unknown", "n.a.", "not available", "\u2013", "\u2014"],
]);

const LONGEST_CELL = 400; // letters: the largest number has 309 digits

// No two parts of a pattern here may match the same letters: a long cell would take its square.
const CURRENCY_SIGNS = "$€£¥₹₽₩₺₴₪฿¢";
const CURRENCY_CODES =
  "AED|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KES|KRW|MXN|MYR" +
  "|NGN|NOK|NZD|PEN|PHP|PKR|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR";
const BEFORE_NUMBER = `[${CURRENCY_SIGNS}]|(?:${CURRENCY_CODES})(?=[ \\d])`;
const BEHIND_NUMBER = `[${CURRENCY_SIGNS}%‰]|${CURRENCY_CODES}`;
const AROUND_NUMBER = new RegExp(`^(?:${BEFORE_NUMBER})|(?:${BEHIND_NUMBER})$`, "g");
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?$/;
const SPACES_OF_THOUSANDS = /(?<=\d)[\s'’\u00a0\u202f](?=\d{3}(?!\d))/g;
const NUMBER_SHAPES = {
  ".": /^[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?$/,
  ",": /^[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d*)?([eE][+-]?\d+)?$/,
};
// What can only be a fraction: no three digits behind one sign, or both signs.
const TELLS_OF_DECIMAL = {
  ".": /\d\.(\d{1,2}|\d{4,})(?!\d)|\d,\d{3}\.\d|(?<!\d)0?\.\d|\d,\d{3},\d{3}/,
  ",": /\d,(\d{1,2}|\d{4,})(?!\d)|\d\.\d{3},\d|(?<!\d)0?,\d|\d\.\d{3}\.\d{3}/,
};

/** Whether a cell stands for a missing value where numbers or dates are expected. */
export function isMarker(cell) {
  return MISSING_CELLS.has(cell.toLowerCase()) || /^[*?\-._# ]*$/.test(cell);
}

/** Whether a cell is a time of day, which is read as hours. */
export function isTime(cell) {
  return cell.length <= LONGEST_CELL && CLOCK.test(cell);
}

/** Return the decimal sign of a number, if its spelling leaves no doubt; else null. */
export function tellsDecimal(cell) {
  const bare = bareNumber(cell.slice(0, LONGEST_CELL));
  const signs = Object.keys(TELLS_OF_DECIMAL).filter((sign) => TELLS_OF_DECIMAL[sign].test(bare));
  return signs.length === 1 && NUMBER_SHAPES[signs[0]].test(bare) ? signs[0] : null;
}

/**
 * Read a number as people write it; NaN where it is none.
 *
 * Signs of currency and per cent around it, the code of a currency, and what groups thousands don't
 * count; parentheses mean that it is negative. A time of day is its hours.
 *
 * @param {string} cell
 * @param {string} [decimal] - The sign before the fraction; the other one groups thousands.
 */
export function readNumber(cell, decimal = ".") {
  if (cell.length > LONGEST_CELL) {
    return NaN;
  }
  const clock = CLOCK.exec(cell);
  if (clock !== null) {
    const [hour, minute, second] = [1, 2, 3].map((part) => Number(clock[part] ?? 0));
    return hourOf(hour, clock[4]) + minute / 60 + second / 3600;
  }
  const bare = bareNumber(cell);
  if (!/\d/.test(bare) || !NUMBER_SHAPES[decimal].test(bare)) {
    return NaN;
  }
  const value = Number(bare.replaceAll(decimal === "." ? "," : ".", "").replace(",", "."));
  return Number.isFinite(value) ? value : NaN;
}

function bareNumber(cell) {
  let text = cell.replace(/[\u2212\u2013]/g, "-").trim();
  const isNegative = text.startsWith("(") && text.endsWith(")");
  text = isNegative ? text.slice(1, -1) : text;
  let sign = /^[+-]/.test(text) ? text[0] : "";
  text = text.slice(sign.length).trim().replace(AROUND_NUMBER, "").trim();
  if (sign === "" && /^[+-]/.test(text)) {
    sign = text[0]; // $-5
    text = text.slice(1);
  }
  return (isNegative ? "-" : sign) + text.replace(SPACES_OF_THOUSANDS, "");
}

/** Return the hour of 24, of one of 12 with a.m. or p.m. */
function hourOf(hour, half) {
  return half ? (hour % 12) + (/^p/i.test(half) ? 12 : 0) : hour;
}

const TIME_OF_DAY =
  "(?:[T ]\\s*(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:[.,]\\d+)?)?" +
  "(?:\\s*(?<half>[AaPp]\\.?[Mm]\\.?))?(?:\\s*(?<zone>Z|UTC|GMT|[+-]\\d{2}:?\\d{2}))?)?";
const MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const DATE_PARTS_WRITTEN = {
  word: "(?<word>[A-Za-z]{3,9})\\.?",
  day: "(?<day>\\d{1,2})",
  month: "(?<month>\\d{1,2})",
  year: "(?<year>\\d{4})",
  anyYear: "(?<year>\\d{4}|\\d{2})",
};

/** The ways of writing dates, by name. */
const DATE_FORMS = dateForms(DATE_PARTS_WRITTEN);

function dateForms({ word, day, month, year, anyYear }) {
  const forms = {
    "year-month-day": `${year}(?<sep>[-/.])${month}\\k<sep>${day}`,
    "year-month": `${year}-(?<month>0[1-9]|1[0-2])`,
    "day.month.year": `${day}\\.${month}\\.${anyYear}`,
    "month/day/year": `${month}(?<sep>[-/])${day}\\k<sep>${anyYear}`,
    "day/month/year": `${day}(?<sep>[-/])${month}\\k<sep>${anyYear}`,
    "day month year": `${day}(?:st|nd|rd|th)?[ -]?${word}[ ,-]*${anyYear}`,
    "month day, year": `${word} ?${day}(?:st|nd|rd|th)?,? ${year}`,
  };
  const whole = (date) => new RegExp(`^(?:[A-Z][a-z]{2,8},? )?${date}${TIME_OF_DAY}$`);
  return new Map(Object.entries(forms).map(([name, date]) => [name, whole(date)]));
}

/**
 * Read dates that are all written in one way: the one in which the most of them are dates.
 *
 * @param {string[]} cells - None of them is missing.
 * @param {boolean} dayFirst - Whether 1/2/2020 is the first of February, where both are as good.
 * @returns {Float64Array} Seconds since 1970, in UTC where a zone is written; NaN for none.
 */
export function readDates(cells, dayFirst) {
  const texts = cells.map((cell) => cell.replace(/^(\d{4})(\d{2})(\d{2})(?:\.0)?$/, "$1-$2-$3"));
  let best = { count: -1, dates: new Float64Array() };
  const names = [...DATE_FORMS.keys()];
  const isPreferred = (name) => name.startsWith("day") === dayFirst;
  for (const name of [...names.filter(isPreferred), ...names.filter((one) => !isPreferred(one))]) {
    const dates = Float64Array.from(texts, (text) => readDate(text, DATE_FORMS.get(name)));
    const count = dates.reduce((sum, seconds) => sum + Number(!Number.isNaN(seconds)), 0);
    if (count > best.count) {
      best = { count, dates };
    }
  }
  return best.dates;
}

function readDate(text, form) {
  const parts = text.length < LONGEST_CELL ? form.exec(text)?.groups : undefined;
  if (parts === undefined) {
    return NaN;
  }
  const month = parts.word === undefined ? Number(parts.month) : monthOf(parts.word);
  const written = Number(parts.year);
  const century = written > 68 ? 1900 : 2000; // as POSIX reads two digits
  const year = written > 99 ? written : written + century;
  const day = Number(parts.day ?? 1);
  const hour = hourOf(Number(parts.hour ?? 0), parts.half);
  const [minute, second] = [Number(parts.minute ?? 0), Number(parts.second ?? 0)];
  const when = new Date(0);
  when.setUTCFullYear(year, month - 1, day);
  when.setUTCHours(hour, minute, second);
  const isDate = when.getUTCMonth() === month - 1 && when.getUTCDate() === day;
  if (!isDate || hour > 23 || minute > 59 || second > 59) {
    return NaN; // a thirteenth month, the 30th of February
  }
  return when.getTime() / 1000 - 60 * minutesOfZone(parts.zone);
}

function minutesOfZone(zone) {
  if (!zone || !/^[+-]/.test(zone)) {
    return 0;
  }
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone[0] === "+" ? minutes : -minutes;
}

function monthOf(word) {
  return MONTH_NAMES.indexOf(word.slice(0, 3).toLowerCase()) + 1;
}
