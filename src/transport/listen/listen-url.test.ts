import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseListenUrl } from "./listen-url.ts";

describe("parseListenUrl", () => {
  it("reads etcd's four schemes", () => {
    assert.deepEqual(parseListenUrl("http://127.0.0.1:2379"), {
      secure: false,
      target: { kind: "tcp", host: "127.0.0.1", port: 2379 },
      key: "tcp:127.0.0.1:2379",
    });
    assert.equal(parseListenUrl("https://[::1]:2379").secure, true);
    assert.deepEqual(parseListenUrl("https://[::1]:2379").target, { kind: "tcp", host: "::1", port: 2379 });
    assert.deepEqual(parseListenUrl("unix://localhost:20001").target, {
      kind: "unix",
      path: "localhost:20001",
    });
    assert.deepEqual(parseListenUrl("unixs:///run/etcd.sock"), {
      secure: true,
      target: { kind: "unix", path: "/run/etcd.sock" },
      key: "unix:/run/etcd.sock",
    });
  });

  it("gives http and https on one address the same key", () => {
    assert.equal(parseListenUrl("http://0.0.0.0:1").key, parseListenUrl("https://0.0.0.0:1").key);
  });

  it("refuses what cannot be listened on", () => {
    for (const url of ["ftp://127.0.0.1:1", "http://127.0.0.1", "unix://"]) {
      assert.throws(() => parseListenUrl(url), Error);
    }
  });
});
