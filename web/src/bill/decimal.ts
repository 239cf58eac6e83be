// Exact figures as people read them: decimals stay text and are never made into floats; bytes are worked
// on as BigInt. Grouping of digits is work on strings. Pure.

/** Units of bytes to choose from. GB is 1000³ bytes, GiB 1024³: which one is meant is always said. */
export const UNITS = ["B", "MB", "GB", "TB", "GiB", "TiB"] as const;
export type Unit = (typeof UNITS)[number];

const SIZE: Record<Unit, bigint> = { B: 1n, MB: 1000n ** 2n, GB: 1000n ** 3n, TB: 1000n ** 4n, GiB: 1024n ** 3n, TiB: 1024n ** 4n };
/** Digits after the point in a unit larger than a byte. */
const DIGITS = 3n;
const MINUS = "\u2212";
const NOTHING = "–";

export function isUnit(text: string | null): text is Unit {
  return UNITS.includes(text as Unit);
}

/** What a unit is in bytes, as it is written beside it. */
export const inBytes: Record<Unit, string> = { B: "1", MB: "1000²", GB: "1000³", TB: "1000⁴", GiB: "1024³", TiB: "1024⁴" };

/** `-1234567.80` as `−1,234,567.80`; every digit stays. A unit behind it too; what is no decimal is left alone. */
export function grouped(decimal: string, signed = false): string {
  const parts = /^([+-]?)(\d+)(\.\d+)?( \D.*)?$/.exec(decimal.trim());
  if (!parts) return decimal;
  const [, sign, whole = "", rest = "", unit = ""] = parts;
  const zero = !/[1-9]/.test(whole + rest);
  const before = sign === "-" ? MINUS : signed && !zero ? "+" : "";
  return `${before}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest}${unit}`;
}

/** Money: every digit as given, with its currency. */
export function money(decimal: string | null | undefined, currency: string, signed = false): string {
  return decimal === null || decimal === undefined ? NOTHING : `${grouped(decimal, signed)}\u00a0${currency}`;
}

/** A quantity with its unit. */
export function quantity(decimal: string | null | undefined, unit: string | null | undefined): string {
  return decimal === null || decimal === undefined ? NOTHING : [grouped(decimal), unit].filter(Boolean).join("\u00a0");
}

/** Decimals of a quantity that are read; the rest is there on hover. */
const READ = 6;

/** A quantity as it is read, in a column: to six decimals, half away from zero. */
export function readable(decimal: string | null | undefined, unit: string | null | undefined): string {
  const known = decimal === null || decimal === undefined ? null : scaled(decimal);
  if (!known || known.digits <= READ) return quantity(decimal, unit);
  const size = 10n ** BigInt(known.digits - READ);
  const positive = known.value < 0n ? -known.value : known.value;
  const text = ((positive * 2n + size) / (size * 2n)).toString().padStart(READ + 1, "0");
  return quantity(`${known.value < 0n ? "-" : ""}${text.slice(0, -READ)}.${text.slice(-READ)}`, unit);
}

/** Whether a decimal is zero, below or above it. */
export function sign(decimal: string): -1 | 0 | 1 {
  if (!/[1-9]/.test(decimal)) return 0;
  return decimal.trim().startsWith("-") ? -1 : 1;
}

/** Bytes as a decimal of a unit, rounded half away from zero to three digits; exact in `B`. */
export function inUnit(bytes: number | bigint, unit: Unit): string {
  const whole = BigInt(bytes);
  if (unit === "B") return whole.toString();
  const [size, scale] = [SIZE[unit], 10n ** DIGITS];
  const positive = whole < 0n ? -whole : whole;
  const rounded = (positive * scale * 2n + size) / (size * 2n);
  const text = `${rounded / scale}.${(rounded % scale).toString().padStart(Number(DIGITS), "0")}`;
  return whole < 0n && rounded > 0n ? `-${text}` : text;
}

export function bytes(value: number | bigint | null | undefined, unit: Unit, signed = false): string {
  return value === null || value === undefined ? NOTHING : `${grouped(inUnit(value, unit), signed)}\u00a0${unit}`;
}

/** Every byte. */
export function exactBytes(value: number | bigint | null | undefined): string {
  return value === null || value === undefined ? "" : `${grouped(BigInt(value).toString())}\u00a0B`;
}

/** The unit in which the largest of some sizes has two digits before the point or more, so that small
 *  differences beside it still show. */
export function fitting(sizes: (number | bigint | null | undefined)[]): Unit {
  const largest = sizes.map((size) => BigInt(size ?? 0)).reduce((most, size) => (size > most ? size : most), 0n);
  if (largest >= SIZE.TB * 1000n) return "TB";
  return (["GB", "MB"] as const).find((unit) => largest >= SIZE[unit] * 10n) ?? "B";
}

export function sizeOf(unit: Unit): bigint {
  return SIZE[unit];
}

/** `a − b` of two decimals, to the last digit; null where one is no decimal. */
export function minus(a: string, b: string): string | null {
  const [left, right] = [scaled(a), scaled(b)];
  if (!left || !right) return null;
  const digits = Math.max(left.digits, right.digits);
  const difference = left.value * 10n ** BigInt(digits - left.digits) - right.value * 10n ** BigInt(digits - right.digits);
  const text = (difference < 0n ? -difference : difference).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  return `${difference < 0n ? "-" : ""}${whole}${digits === 0 ? "" : `.${text.slice(-digits)}`}`;
}

function scaled(decimal: string): { value: bigint; digits: number } | null {
  const parts = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(decimal.trim());
  if (!parts) return null;
  const [, before, whole = "", rest = ""] = parts;
  const value = BigInt(whole + rest);
  return { value: before === "-" ? -value : value, digits: rest.length };
}
