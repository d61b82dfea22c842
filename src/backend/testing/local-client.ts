/** The SQLite backend with its writer in the same thread: for tests that open thousands of stores. */
import { join } from "node:path";
import { type SqliteDriver, sqliteDriver } from "../../runtime/sqlite.ts";
import type { Generation } from "../backend.ts";
import { answer, standingOf } from "../sqlite/answer.ts";
import { openReader } from "../sqlite/connection.ts";
import { toBackendError } from "../sqlite/failures.ts";
import { encodeGeneration } from "../sqlite/generation-buffer.ts";
import type { Request, Standing } from "../sqlite/protocol.ts";
import { fileName } from "../sqlite/schema.ts";
import { SqliteBackend } from "../sqlite/sqlite-backend.ts";
import type { Answer, WriterClient } from "../sqlite/worker-client.ts";
import { SqliteWriter, type WriterOptions } from "../sqlite/writer.ts";

class LocalClient implements WriterClient {
  readonly #writer: SqliteWriter;
  standing: Standing;

  constructor(writer: SqliteWriter) {
    this.#writer = writer;
    this.standing = standingOf(writer);
  }

  write(generation: Generation): Promise<Answer> {
    return this.request({ kind: "write", buffer: encodeGeneration(generation) });
  }

  async request(request: Request): Promise<Answer> {
    const reply = answer(this.#writer, request);
    this.standing = reply.standing;
    return reply;
  }

  async close(): Promise<void> {
    await this.request({ kind: "close" });
  }
}

/** `wrap` stands between the store and SQLite, so that it can fail as a test wants. */
export async function openLocally(
  dir: string,
  options: Partial<WriterOptions> = {},
  wrap: (driver: SqliteDriver) => SqliteDriver = (driver) => driver,
): Promise<SqliteBackend> {
  const file = join(dir, fileName);
  const driver = wrap(await sqliteDriver());
  const defaults = {
    pageSize: 4096,
    cacheBytes: 1e6,
    walBytesMax: 1e6,
    sync: false,
    pagesMax: 0,
    isFilling: false,
  };
  const writer = new SqliteWriter(driver, file, { ...defaults, ...options });
  try {
    return new SqliteBackend(file, openReader(driver, file, 1e6), new LocalClient(writer));
  } catch (error) {
    writer.close();
    throw toBackendError(error, file);
  }
}
