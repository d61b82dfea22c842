/** What the main thread and the writer's thread say to each other. Requests are answered in their order. */
import type { SqliteDriverName } from "../../runtime/sqlite.ts";
import type { CompactRequest } from "./compactor.ts";
import type { Failure } from "./failures.ts";
import type { State } from "./state.ts";
import type { Sizes, WriterOptions } from "./writer.ts";

/** Given to the worker as its workerData. */
export interface WorkerStart {
  readonly file: string;
  readonly driver: SqliteDriverName | undefined;
  readonly options: WriterOptions;
}

export type Request =
  /** The buffer is handed over, and back with the answer. */
  | { readonly kind: "write"; readonly buffer: ArrayBuffer }
  | ({ readonly kind: "compact" } & CompactRequest)
  | { readonly kind: "vacuum"; readonly budgetMs: number }
  | { readonly kind: "checkpoint" }
  | { readonly kind: "sync" }
  | { readonly kind: "close" };

/** How things stand, with every answer. */
export interface Standing {
  readonly state: State;
  readonly durable: State;
  readonly sizes: Sizes;
}

export type Reply =
  | {
      readonly ok: true;
      readonly standing: Standing;
      readonly buffer?: ArrayBuffer;
      readonly removed: number;
      /** Versions that a compaction looked at. */
      readonly looked: number;
      readonly done: boolean;
    }
  | { readonly ok: false; readonly failure: Failure };
