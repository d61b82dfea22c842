/** Does what a request asks of the writer. */
import type { Reply, Request, Standing } from "./protocol.ts";
import type { SqliteWriter } from "./writer.ts";

export function standingOf(writer: SqliteWriter): Standing {
  return { state: writer.state, durable: writer.durable, sizes: writer.sizes() };
}

export function answer(writer: SqliteWriter, request: Request): Extract<Reply, { ok: true }> {
  let removed = 0;
  let looked = 0;
  let done = true;
  switch (request.kind) {
    case "write":
      writer.write(request.buffer);
      return { ok: true, standing: standingOf(writer), removed, looked, done, buffer: request.buffer };
    case "compact":
      ({ removed, looked, done } = writer.compact(request));
      break;
    case "vacuum":
      done = writer.vacuum(request.budgetMs);
      break;
    case "checkpoint":
      writer.checkpoint();
      break;
    case "sync":
      writer.sync();
      break;
    case "close": {
      const last = standingOf(writer);
      writer.close();
      return { ok: true, standing: last, removed, looked, done };
    }
  }
  return { ok: true, standing: standingOf(writer), removed, looked, done };
}
