/** One log line as bytes-to-be: zap's JSON and console encodings, with etcd's settings for them. */

export type LogValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Error
  | readonly LogValue[]
  | { readonly [key: string]: LogValue };

/** Fields of a line, in order. `undefined` is left out; an `Error` becomes its message. */
export interface LogFields {
  readonly [key: string]: LogValue;
}

export interface LogRecord {
  readonly level: string;
  /** Empty: left out. */
  readonly logger: string;
  /** Empty: left out. */
  readonly caller: string;
  readonly message: string;
  /** Written one after the other. */
  readonly fields: readonly LogFields[];
}

/** Minutes east of Greenwich at that moment (milliseconds since 1970). */
export type LogZone = (atMs: number) => number;

type Encode = (record: LogRecord, atMs: number) => string;

export function lineEncoder(format: "json" | "console", zone: LogZone = () => 0): Encode {
  const time = timeFormatter(zone);
  return format === "json"
    ? (record, atMs) => jsonLine(record, time(atMs))
    : (record, atMs) => consoleLine(record, time(atMs));
}

function jsonLine(record: LogRecord, time: string): string {
  let line = `{"level":"${record.level}","ts":"${time}"`;
  if (record.logger !== "") line += `,"logger":${JSON.stringify(record.logger)}`;
  if (record.caller !== "") line += `,"caller":${JSON.stringify(record.caller)}`;
  line += `,"msg":${JSON.stringify(record.message)}${fieldsOf(record, false)}`;
  const stack = stackOf(record);
  if (stack !== undefined) line += `,"stacktrace":${JSON.stringify(stack)}`;
  return `${line}}\n`;
}

function consoleLine(record: LogRecord, time: string): string {
  const head = [time, record.level, record.logger, record.caller, record.message].filter(
    (part) => part !== "",
  );
  const fields = fieldsOf(record, true);
  if (fields !== "") head.push(`{${fields.slice(2)}}`);
  const stack = stackOf(record);
  return `${head.join("\t")}\n${stack === undefined ? "" : `${stack}\n`}`;
}

/** `,"key":value` for each field, or `, "key": value` when `spaced`. */
function fieldsOf(record: LogRecord, spaced: boolean): string {
  let text = "";
  for (const fields of record.fields) {
    for (const key in fields) {
      const value = fields[key];
      if (value === undefined) continue;
      text += `${spaced ? ", " : ","}${JSON.stringify(key)}${spaced ? ": " : ":"}${encode(value, spaced)}`;
    }
  }
  return text;
}

function encode(value: LogValue, spaced: boolean): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Number.isFinite(value) ? String(value) : zapFloat(value);
    case "bigint":
    case "boolean":
      return String(value);
    case "object":
      return encodeObject(value, spaced);
    default:
      return "null";
  }
}

function encodeObject(
  value: Exclude<LogValue, string | number | bigint | boolean | undefined>,
  spaced: boolean,
) {
  if (value === null) return "null";
  if (value instanceof Error) return JSON.stringify(value.message);
  const comma = spaced ? ", " : ",";
  if (Array.isArray(value)) return `[${value.map((item: LogValue) => encode(item, spaced)).join(comma)}]`;
  const colon = spaced ? ": " : ":";
  const pairs = Object.entries(value as LogFields).filter(([, item]) => item !== undefined);
  return `{${pairs.map(([key, item]) => `${JSON.stringify(key)}${colon}${encode(item, spaced)}`).join(comma)}}`;
}

function zapFloat(value: number): string {
  if (Number.isNaN(value)) return '"NaN"';
  return value > 0 ? '"+Inf"' : '"-Inf"';
}

/** zap adds a stack from "error" upward. Ours is the stack of the error that is reported, if one is. */
function stackOf(record: LogRecord): string | undefined {
  if (record.level !== "error" && record.level !== "fatal") return undefined;
  for (const fields of record.fields) {
    for (const key in fields) {
      const value = fields[key];
      if (value instanceof Error && value.stack) return value.stack;
    }
  }
  return undefined;
}

/**
 * Go's layout 2006-01-02T15:04:05.000000Z0700: microseconds, then "Z" or an offset without a colon. All but the
 * fraction is kept for the second, because most lines come many to a second.
 */
function timeFormatter(zone: LogZone): (atMs: number) => string {
  let second = Number.NaN;
  let head = "";
  let tail = "Z";
  return (atMs) => {
    const atSecond = Math.floor(atMs / 1000);
    if (atSecond !== second) {
      second = atSecond;
      const offsetMinutes = zone(atMs);
      head = new Date((atSecond + offsetMinutes * 60) * 1000).toISOString().slice(0, 20);
      tail = offsetMinutes === 0 ? "Z" : offset(offsetMinutes);
    }
    const micros = Math.round((atMs - atSecond * 1000) * 1000);
    return `${head}${String(Math.min(micros, 999_999)).padStart(6, "0")}${tail}`;
  };
}

function offset(minutes: number): string {
  const absolute = Math.abs(minutes);
  const digits = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${digits(absolute / 60)}${digits(absolute % 60)}`;
}
