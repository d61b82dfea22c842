/** What is logged, how, and where to. `Config.logging` is what these mean. */
import { bool, duration, type OptionTable, set, text } from "../option.ts";

export const loggingOptions = {
  logger: text("logger", {
    default: "zap",
    help: "The form of the log. There is only 'zap'.",
  }),
  logOutputs: set("log-outputs", {
    default: "default",
    help: "Where the log goes: stderr ('default' too), stdout, systemd/journal, files.",
  }),
  logLevel: text("log-level", {
    default: "info",
    help: "The least important lines to log: debug, info, warn, error, panic or fatal.",
  }),
  logFormat: text("log-format", {
    default: "json",
    help: "json, or console: for people.",
  }),
  enableLogRotation: bool("enable-log-rotation", {
    default: false,
    help: "Begin a new log file when the old one is full.",
  }),
  logRotationConfigJson: text("log-rotation-config-json", {
    default: '{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false}',
    help: "When a log file is full (maxsize, MB), and how long old ones stay (maxage, days; maxbackups).",
  }),
  warningUnaryRequestDurationMs: duration("warning-unary-request-duration", {
    default: 300,
    defaultText: "300ms",
    zeroIsDefault: true,
    help: "A call that takes longer is logged as a warning.",
  }),
} satisfies OptionTable;
