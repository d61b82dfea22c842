/** etcdctl's own log: zap's JSON lines on standard error, which scripts know to filter out. */
import { createLogger, type Logger } from "../lib/logger.ts";
import { localZone, preciseWallMs } from "../runtime/wall-clock.ts";
import type { CtlIo } from "./io.ts";

export function loggerTo(io: CtlIo, caller: string): Logger {
  return createLogger({
    sink: { write: (line) => io.err(line) },
    wallMs: preciseWallMs,
    zone: localZone,
    format: "json",
    caller,
  });
}
