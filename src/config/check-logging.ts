/** What the settings of the log mean together. The first thing to be checked, so that the rest can be logged. */
import { goQuote, goQuoteList } from "../lib/go-quote.ts";
import { parseLogLevel } from "../lib/logger.ts";
import type { LogRotation } from "../runtime/rotating-file.ts";
import { ConfigError, type FieldName, type LoggingSettings, type Notice, type Settings } from "./config.ts";

const caller = "config/check-logging.ts";
const journal = "systemd/journal";
const streams = ["default", "stderr", "stdout"];

export function checkLogging(settings: Settings): { logging: LoggingSettings; notices: Notice[] } {
  if (settings.logger === "capnslog") throw wrong("logger", "--logger=capnslog is removed in v3.5");
  if (settings.logger !== "zap") throw wrong("logger", `unknown logger option ${goQuote(settings.logger)}`);
  const outputs = settings.logOutputs.length === 0 ? ["default"] : settings.logOutputs;
  if (outputs.length > 1 && outputs.includes("default")) {
    throw wrong("logOutputs", 'multi logoutput for "default" is not supported yet');
  }
  const rotation = settings.enableLogRotation
    ? { rotation: readRotation(outputs, settings.logRotationConfigJson) }
    : {};
  const level = parseLogLevel(settings.logLevel);
  // etcd panics here; the status is a panic's.
  if (!level) throw wrong("logLevel", `unrecognized level: ${goQuote(settings.logLevel)}`, 2);
  const format = settings.logFormat === "" ? "json" : settings.logFormat;
  if (format !== "json" && format !== "console") {
    throw wrong("logFormat", `unknown log format: ${format}, supported values json, console`);
  }
  const notices = outputs.includes(journal) ? [journalNotice(outputs)] : [];
  return { logging: { level, format, outputs: destinations(outputs), ...rotation }, notices };
}

const wrong = (field: FieldName, message: string, exitStatus = 1): ConfigError =>
  new ConfigError(message, { exitStatus, settings: [field] });

function destinations(outputs: readonly string[]): readonly string[] {
  if (outputs.includes("/dev/null")) return Object.freeze(["/dev/null"]);
  const places = outputs.map((output) => (output === "default" || output === journal ? "stderr" : output));
  return Object.freeze([...new Set(places)].sort());
}

function journalNotice(outputs: readonly string[]): Notice {
  if (outputs.length > 1) {
    throw wrong(
      "logOutputs",
      `running with systemd/journal but other '--log-outputs' values (${goQuoteList(outputs)}) are configured ` +
        "with 'default'; override 'default' value with something else",
    );
  }
  const message =
    "the log goes to stderr: systemd passes it on to the journal when the unit says so, as by default";
  return { level: "warn", caller, message, fields: { "log-outputs": [journal] } };
}

function readRotation(outputs: readonly string[], json: string): LogRotation {
  const files = outputs.filter((output) => !streams.includes(output));
  if (files.length > 1 || (outputs.length === 1 && files.length === 0)) {
    throw wrong(
      "logOutputs",
      "--log-outputs requires a single file path when --log-rotate-config-json is defined",
    );
  }
  let rotation: unknown;
  try {
    rotation = JSON.parse(json);
  } catch (cause) {
    throw wrong(
      "logRotationConfigJson",
      `improperly formatted log rotation config: ${(cause as Error).message}`,
    );
  }
  const why = wrongRotation(rotation);
  if (why) throw wrong("logRotationConfigJson", `invalid log rotation config: ${why}`);
  const fields: Readonly<Record<string, unknown>> = Object.fromEntries(
    Object.entries(rotation as object).map(([key, value]) => [key.toLowerCase(), value]),
  );
  const count = (name: string) => Math.max(0, (fields[name] as number | undefined) ?? 0);
  return Object.freeze({
    maxBytes: (count("maxsize") || defaultMaxMegabytes) * 1024 * 1024,
    maxAgeDays: count("maxage"),
    maxBackups: count("maxbackups"),
    localTime: fields["localtime"] === true,
    compress: fields["compress"] === true,
  });
}

/** When `maxsize` is 0 or left out. */
const defaultMaxMegabytes = 100;

const rotationTypes: Readonly<Record<string, "number" | "boolean">> = {
  maxsize: "number",
  maxage: "number",
  maxbackups: "number",
  localtime: "boolean",
  compress: "boolean",
};

function wrongRotation(rotation: unknown): string | undefined {
  if (typeof rotation !== "object" || rotation === null || Array.isArray(rotation))
    return "expected an object";
  for (const [key, value] of Object.entries(rotation)) {
    const type = rotationTypes[key.toLowerCase()];
    const right = type === undefined || typeof value === type;
    if (!right || (type === "number" && !Number.isInteger(value))) {
      return `${key}: expected ${type === "number" ? "a whole number" : "true or false"}`;
    }
  }
  return undefined;
}
