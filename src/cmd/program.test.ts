import assert from "node:assert/strict";
import { it } from "node:test";
import { pickProgram } from "./program.ts";

it("goes by the name the program was started under", () => {
  const cases: [string, string[], string, string[]][] = [
    ["/usr/bin/etclite", ["--name", "a"], "server", ["--name", "a"]],
    ["etcd", ["--name", "a"], "server", ["--name", "a"]],
    ["./bin/etcdctl", ["get", "a"], "ctl", ["get", "a"]],
    ["C:\\bin\\etcdutl.EXE", ["snapshot"], "utl", ["snapshot"]],
    ["etcdctl", ["utl"], "ctl", ["utl"]],
    ["bun", [], "server", []],
    ["constructor", ["toString"], "server", ["toString"]],
  ];
  for (const [argv0, args, name, rest] of cases)
    assert.deepEqual(pickProgram(argv0, args), { name, args: rest });
});

it("goes by the first word", () => {
  assert.deepEqual(pickProgram("etclite", ["ctl", "get", "a"]), { name: "ctl", args: ["get", "a"] });
  assert.deepEqual(pickProgram("etclite", ["utl"]), { name: "utl", args: [] });
  assert.deepEqual(pickProgram("etcd", ["gateway", "start"]), { name: "gateway", args: ["start"] });
  assert.deepEqual(pickProgram("etcd", ["--name", "ctl"]), { name: "server", args: ["--name", "ctl"] });
});
