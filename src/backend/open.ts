/** Opens the backend that a configuration asks for. */
import type { Backend } from "./backend.ts";
import { MemoryBackend, type MemoryBackendOptions } from "./memory/memory-backend.ts";
import { openSqliteBackend, type SqliteBackendOptions } from "./sqlite/sqlite-backend.ts";

export type BackendOptions =
  | ({ readonly kind: "sqlite" } & SqliteBackendOptions)
  | ({ readonly kind: "memory" } & MemoryBackendOptions);

/** Rejects with the errors of errors.ts. */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  return options.kind === "sqlite" ? await openSqliteBackend(options) : new MemoryBackend(options);
}
