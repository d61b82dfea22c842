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
  for (const [argv0, args, name, rest] of cases) {
    const isNamed = /etc(?:d|dctl|dutl)(?:\.exe)?$/i.test(argv0);
    assert.deepEqual(pickProgram(argv0, args), { name, args: rest, isNamed });
  }
});

it("goes by the first word", () => {
  assert.deepEqual(pickProgram("etclite", ["ctl", "get", "a"]), {
    name: "ctl",
    args: ["get", "a"],
    isNamed: false,
  });
  assert.deepEqual(pickProgram("etclite", ["utl"]), { name: "utl", args: [], isNamed: false });
  assert.deepEqual(pickProgram("etcd", ["gateway", "start"]), {
    name: "gateway",
    args: ["start"],
    isNamed: false,
  });
  assert.deepEqual(pickProgram("etcd", ["--name", "ctl"]), {
    name: "server",
    args: ["--name", "ctl"],
    isNamed: true,
  });
});
