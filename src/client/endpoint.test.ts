import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEndpoint } from "./endpoint.ts";

/** Endpoint; where it leads; server's name; `:authority`; target; TLS: as clientv3 3.7.3 reads them. */
const table = [
  ["10.0.0.1:2379", "tcp 10.0.0.1:2379", "10.0.0.1", "10.0.0.1:2379", "10.0.0.1:2379", "if-configured"],
  ["http://a:1", "tcp a:1", "a", "a:1", "a:1", "never"],
  ["https://[::1]:1/x", "tcp [::1]:1", "::1", "[::1]:1", "[::1]:1/x", "always"],
  ["unix:a.sock", "unix a.sock", "a.sock", "a.sock", "a.sock", "if-configured"],
  ["unix:///run/e/a.sock", "unix /run/e/a.sock", "a.sock", "a.sock", "/run/e/a.sock", "if-configured"],
  ["unixs://localhost:23", "unix localhost:23", "localhost", "localhost:23", "localhost:23", "always"],
  [
    "unixs:/run/localhost:23",
    "unix /run/localhost:23",
    "localhost",
    "localhost:23",
    "/run/localhost:23",
    "always",
  ],
] as const;

describe("an endpoint", () => {
  for (const [text, ...expected] of table) {
    it(`is read from ${text}`, () => {
      const { place, serverName, authority, target, tls } = parseEndpoint(text);
      assert.deepEqual([place, serverName, authority, target, tls], expected);
    });
  }
});
