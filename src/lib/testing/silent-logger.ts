/** A logger that says nothing. */
import type { Logger } from "../logger.ts";

export const silentLogger: Logger = {
  enabled: () => false,
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  with: () => silentLogger,
  at: () => silentLogger,
  named: () => silentLogger,
};
