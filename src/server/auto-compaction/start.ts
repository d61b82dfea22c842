/** Starts the kind of automatic compaction that the configuration asks for. */

import type { AutoCompaction } from "../../config/config.ts";
import {
  type AutoCompactor,
  type AutoCompactorOptions,
  startPeriodicCompactor,
  startRevisionCompactor,
} from "./auto-compactor.ts";

export function startAutoCompaction(
  wanted: AutoCompaction | undefined,
  options: AutoCompactorOptions,
): AutoCompactor | undefined {
  if (!wanted) return undefined;
  return wanted.mode === "periodic"
    ? startPeriodicCompactor(options, wanted.retentionMs)
    : startRevisionCompactor(options, wanted.retentionRevisions);
}
