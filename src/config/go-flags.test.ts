import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readGoFlags } from "./go-flags.ts";

function read(...args: string[]) {
  const set: [string, string][] = [];
  const flag = (name: string, isBool: boolean) => ({
    name,
    isBool,
    set(value: string) {
      if (value === "bad") throw new Error("parse error");
      set.push([name, value]);
    },
  });
  const flags = new Map(
    [flag("name", false), flag("n", false), flag("on", true)].map((one) => [one.name, one]),
  );
  const { rest, help } = readGoFlags(args, (name) => flags.get(name));
  return { set, rest, help };
}

describe("readGoFlags", () => {
  it("takes one dash or two, a space or an equals sign", () => {
    const { set, rest } = read("-name", "a", "--name", "b", "-name=c", "--name=d=e", "-n", "-x", "--n=");
    assert.deepEqual(set, [
      ["name", "a"],
      ["name", "b"],
      ["name", "c"],
      ["name", "d=e"],
      ["n", "-x"],
      ["n", ""],
    ]);
    assert.deepEqual(rest, []);
  });

  it("gives a boolean no word of its own", () => {
    assert.deepEqual(read("--on", "-on=false", "--on=T"), {
      set: [
        ["on", "true"],
        ["on", "false"],
        ["on", "T"],
      ],
      rest: [],
      help: false,
    });
    assert.deepEqual(read("--on", "false", "--name", "a").rest, ["false", "--name", "a"]);
  });

  it("stops at two dashes, at one, and at a word", () => {
    assert.deepEqual(read("--name", "a", "--", "--name", "b").rest, ["--name", "b"]);
    assert.deepEqual(read("-", "--name", "b").rest, ["-", "--name", "b"]);
    assert.deepEqual(read("word", "--name", "b").rest, ["word", "--name", "b"]);
    assert.deepEqual(read("--").rest, []);
    assert.deepEqual(read("--name", "--").set, [["name", "--"]]);
  });

  it("knows when help is wanted", () => {
    for (const word of ["-h", "--h", "-help", "--help", "--help=1"]) {
      assert.deepEqual(read("--name", "a", word, "--nonsense").help, true, word);
    }
  });

  // The texts are those of Go's flag package.
  const faults: [string[], string][] = [
    [["--nope"], "flag provided but not defined: -nope"],
    [["-nope=1"], "flag provided but not defined: -nope"],
    [["--name"], "flag needs an argument: -name"],
    [["---name"], "bad flag syntax: ---name"],
    [["--=x"], "bad flag syntax: --=x"],
    [["-=x"], "bad flag syntax: -=x"],
    [["--name", "bad"], 'invalid value "bad" for flag -name: parse error'],
    [["--name=bad"], 'invalid value "bad" for flag -name: parse error'],
    [["--on=bad"], 'invalid boolean value "bad" for -on: parse error'],
  ];
  for (const [args, message] of faults) {
    it(`refuses ${args.join(" ")}`, () => {
      assert.throws(() => read(...args), { name: "UsageError", message });
    });
  }

  it("sets what stands before a fault", () => {
    const seen: string[] = [];
    const find = (name: string) =>
      name === "name" ? { name, isBool: false, set: (value: string) => seen.push(value) } : undefined;
    assert.throws(() => readGoFlags(["--name", "a", "--nope"], find));
    assert.deepEqual(seen, ["a"]);
  });
});
