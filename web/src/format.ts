// Numbers and times as people read them. Units are decimal everywhere: 1 GB = 1000³ bytes,
// 1 Mbit/s = 1000² bit/s. The exact figure is always kept beside the short one (`exact…`).

export type Locale = "en" | "zh";

const TAGS: Record<Locale, string> = { en: "en-GB", zh: "zh-CN" };
const NOTHING = "–";

/** The BCP 47 tag used for numbers and dates. */
export function tag(locale: Locale): string {
  return TAGS[locale];
}

function number(value: number, locale: Locale, digits: number, fixed = true): string {
  return value.toLocaleString(tag(locale), { minimumFractionDigits: fixed ? digits : 0, maximumFractionDigits: digits });
}

/** Four significant digits with the largest decimal prefix that leaves at least 1; on an axis (`trim`)
 *  without the zeros at the end. */
function scaled(value: number, units: readonly string[], locale: Locale, trim = false): string {
  let power = 0;
  let rest = value;
  // 999,950 would read "1,000.0 kB": step up as soon as rounding gets there.
  while (Math.abs(rest) >= 999.95 && power < units.length - 1) {
    rest /= 1000;
    power += 1;
  }
  const size = Math.abs(rest);
  const digits = power === 0 ? 0 : size < 9.995 ? 3 : size < 99.95 ? 2 : 1;
  return `${number(rest, locale, digits, !trim)}\u00a0${units[power]}`;
}

export function bytes(value: number, locale: Locale): string {
  return scaled(value, ["B", "kB", "MB", "GB", "TB", "PB"], locale);
}

export function exactBytes(value: number, locale: Locale): string {
  return `${number(value, locale, 0)}\u00a0B`;
}

export function bitsPerSecond(value: number, locale: Locale, trim = false): string {
  return scaled(value, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"], locale, trim);
}

export function count(value: number, locale: Locale): string {
  return number(value, locale, 0);
}

/** A ratio as a percentage; small ones keep two digits that mean something. */
export function percent(ratio: number | null | undefined, locale: Locale, trim = false): string {
  if (ratio === null || ratio === undefined) return NOTHING;
  const size = Math.abs(ratio * 100);
  const digits = size === 0 || size >= 0.995 ? 2 : size >= 0.0995 ? 3 : 4;
  return ratio.toLocaleString(tag(locale), { style: "percent", minimumFractionDigits: trim ? 0 : digits, maximumFractionDigits: digits });
}

export function decimal(value: number | null | undefined, digits: number, locale: Locale): string {
  return value === null || value === undefined ? NOTHING : number(value, locale, digits);
}

/** A length of time with its two largest units: `3 h 12 min`, `1 min 5 s`, `8 s`. */
export function duration(ms: number, locale: Locale): string {
  const units = locale === "zh" ? ["天", "小时", "分", "秒"] : ["d", "h", "min", "s"];
  const sizes = [86_400, 3_600, 60, 1];
  let rest = Math.max(0, Math.round(ms / 1000));
  const parts = sizes.map((size) => {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    return whole;
  });
  const first = parts.findIndex((part) => part > 0);
  if (first === -1) return `0\u00a0${units[3]}`;
  return parts
    .map((part, i) => (i === first || (i === first + 1 && part > 0) ? `${number(part, locale, 0)}\u00a0${units[i]}` : ""))
    .filter(Boolean)
    .join(" ");
}

export function milliseconds(ms: number | null | undefined, locale: Locale): string {
  return ms === null || ms === undefined ? NOTHING : `${number(ms, locale, 0)}\u00a0ms`;
}

/** Hours, minutes and seconds in `tz`. */
export function clock(at: number, tz: string, locale: Locale, seconds = true): string {
  return new Intl.DateTimeFormat(tag(locale), {
    timeZone: tz,
    hourCycle: "h23",
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
  }).format(at);
}

/** Date and time to the minute in `tz`. */
export function moment(at: number, tz: string, locale: Locale): string {
  return new Intl.DateTimeFormat(tag(locale), {
    timeZone: tz,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).format(at);
}
