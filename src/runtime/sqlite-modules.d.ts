/** The little that we use of SQLite drivers whose own type declarations are not installed. */

declare module "bun:sqlite" {
  export class Database {
    constructor(file: string, options: { readonly?: boolean; readwrite?: boolean; create?: boolean });
    exec(sql: string): void;
    prepare(sql: string): import("./sqlite.ts").SqliteStatement;
    close(throwOnError?: boolean): void;
  }
}
