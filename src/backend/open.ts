/** Opens the backend that a configuration asks for. */
import type { Backend } from "./backend.ts";
import type { MemoryBackendOptions } from "./memory/memory-backend.ts";
import type { SqliteBackendOptions } from "./sqlite/sqlite-backend.ts";

export type BackendOptions =
  | ({ readonly kind: "sqlite" } & SqliteBackendOptions)
  | ({ readonly kind: "memory" } & MemoryBackendOptions);

/** Loads only the one that is asked for. Rejects with the errors of errors.ts. */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  if (options.kind === "sqlite") {
    const { openSqliteBackend } = await import("./sqlite/sqlite-backend.ts");
    return openSqliteBackend(options);
  }
  const { MemoryBackend } = await import("./memory/memory-backend.ts");
  return new MemoryBackend(options);
}
