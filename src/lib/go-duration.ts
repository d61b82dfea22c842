/**
 * Durations as Go writes them ("1h30m", "100ms", "-1.5s"), because that is what etcd's flags take and its logs show.
 * Ours are milliseconds: whole ones are exact, and nanoseconds are a fraction.
 */
import { goQuote } from "./go-quote.ts";

const nanosPer: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, the micro sign
  μs: 1_000n, // U+03BC, the Greek letter
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const nanosMax = 2n ** 63n - 1n;

/** Go's `time.ParseDuration`, in milliseconds. Throws an `Error` with Go's text. */
export function parseGoDuration(text: string): number {
  const negative = text.startsWith("-");
  let rest = /^[-+]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return 0;
  if (rest === "") throw invalid(text);
  let nanos = 0n;
  while (rest !== "") {
    const number = /^([0-9]*)(?:\.([0-9]*))?/.exec(rest) as RegExpExecArray;
    const [digits, whole = "", fraction = ""] = number;
    if (whole === "" && fraction === "") throw invalid(text);
    rest = rest.slice(digits.length);
    const unit = (/^[^.0-9]*/.exec(rest) as RegExpExecArray)[0];
    if (unit === "") throw new Error(`time: missing unit in duration ${goQuote(text)}`);
    const scale = Object.hasOwn(nanosPer, unit) ? nanosPer[unit] : undefined;
    if (scale === undefined) {
      throw new Error(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`);
    }
    rest = rest.slice(unit.length);
    nanos += BigInt(whole === "" ? "0" : whole) * scale;
    // In floating point as in Go, so that a third written with enough digits is a third.
    const part = fraction === "" ? 0 : Number(fraction) * (Number(scale) / 10 ** fraction.length);
    nanos += BigInt(Math.trunc(part));
    if (nanos > nanosMax + (negative ? 1n : 0n)) throw invalid(text);
  }
  return nanosToMs(negative ? -nanos : nanos);
}

/** Nanoseconds, as etcd's YAML and protobuf have them, in milliseconds. */
export function nanosToMs(nanos: bigint): number {
  // Divided in two parts, so that a whole number of milliseconds never picks up a rounding error.
  return Number(nanos / 1_000_000n) + Number(nanos % 1_000_000n) / 1e6;
}

/** Go's `Duration.String`: "0s", "1.5s", "1m0s", "1h30m0s", "2.156073ms", "1µs", "20ns". */
export function formatGoDuration(ms: number): string {
  const nanos = BigInt(Math.trunc(ms)) * 1_000_000n + BigInt(Math.round((ms - Math.trunc(ms)) * 1e6));
  if (nanos === 0n) return "0s";
  if (nanos < 0n) return `-${positive(-nanos)}`;
  return positive(nanos);
}

function positive(nanos: bigint): string {
  if (nanos < 1_000n) return `${nanos}ns`;
  if (nanos < 1_000_000n) return `${decimal(nanos, 3)}µs`;
  if (nanos < 1_000_000_000n) return `${decimal(nanos, 6)}ms`;
  const minutes = nanos / 60_000_000_000n;
  const seconds = `${decimal(nanos % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return seconds;
  if (minutes < 60n) return `${minutes}m${seconds}`;
  return `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** `nanos` / 10^places without trailing zeros. */
function decimal(nanos: bigint, places: number): string {
  const scale = 10n ** BigInt(places);
  const fraction = String(nanos % scale)
    .padStart(places, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(nanos / scale) : `${nanos / scale}.${fraction}`;
}

const invalid = (text: string): Error => new Error(`time: invalid duration ${goQuote(text)}`);
