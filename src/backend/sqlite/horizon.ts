/**
 * What the main thread knows of the writer's progress. The file may be anywhere between what was written (answered) and
 * what was handed over.
 */
import type { Generation } from "../backend.ts";
import type { State } from "./state.ts";

export class Horizon {
  /** The newest revision that is readable for certain. */
  writtenRevision: number;
  /** The last seq of the log that is readable for certain. */
  writtenSeq: number;
  /** Rows superseded at or before this revision may be gone. */
  compactRevision: number;
  /** No row of the log has this seq or a higher one. */
  nextSeq: number;

  constructor(state: State) {
    this.writtenRevision = state.revision;
    this.writtenSeq = state.next_seq - 1;
    this.compactRevision = state.compact_revision;
    this.nextSeq = state.next_seq;
  }

  handed(generation: Generation): void {
    this.compactRevision = Math.max(this.compactRevision, generation.compactRevision);
    this.nextSeq += generation.versions.length;
  }

  written(state: State): void {
    this.writtenRevision = state.revision;
    this.writtenSeq = state.next_seq - 1;
  }
}
