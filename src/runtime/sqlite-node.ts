/** The driver of Node (22.13 and newer) and Deno. Bun has it too. */
import type { SqliteDatabase, SqliteDriver, SqliteStatement } from "./sqlite.ts";

export async function openDriver(): Promise<SqliteDriver> {
  const { DatabaseSync } = await import("node:sqlite");
  return {
    name: "node:sqlite",
    open: (file, { readOnly }): SqliteDatabase => {
      const db = new DatabaseSync(file, { readOnly });
      return {
        exec: (sql) => db.exec(sql),
        prepare: <Row>(sql: string) => db.prepare(sql) as unknown as SqliteStatement<Row>,
        close: () => db.close(),
      };
    },
  };
}
