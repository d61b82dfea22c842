import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeFlags, type Flag, FlagError, parseWords } from "./flags.ts";

const flags: readonly Flag[] = [
  { name: "write-out", short: "w", kind: "string", default: "simple", usage: "set the output format" },
  { name: "debug", short: "d", kind: "bool", default: false, usage: "say more" },
  { name: "limit", kind: "uint", default: 0n, usage: "how many" },
  { name: "timeout", kind: "duration", default: 5000, usage: "how long" },
];

function parsed(...words: string[]) {
  const { values, args } = parseWords(words, flags);
  return {
    args,
    format: values.string("write-out"),
    debug: values.bool("debug"),
    limit: values.uint("limit"),
    timeoutMs: values.durationMs("timeout"),
  };
}

const nothing = { args: [], format: "simple", debug: false, limit: 0n, timeoutMs: 5000 };

describe("flags", () => {
  it("have defaults", () => assert.deepEqual(parsed(), nothing));

  it("are written in several ways", () => {
    for (const words of [
      ["-w", "json"],
      ["-wjson"],
      ["-w=json"],
      ["--write-out", "json"],
      ["--write-out=json"],
    ]) {
      assert.deepEqual(parsed(...words), { ...nothing, format: "json" }, words.join(" "));
    }
    assert.deepEqual(parsed("-dw", "json"), { ...nothing, debug: true, format: "json" });
    assert.deepEqual(parsed("--write-out="), { ...nothing, format: "" });
  });

  it("may stand between arguments, until two dashes end them", () => {
    const words = ["a", "--debug", "b", "-w", "json", "--", "--limit", "-x"];
    assert.deepEqual(parsed(...words), {
      ...nothing,
      args: ["a", "b", "--limit", "-x"],
      debug: true,
      format: "json",
    });
    assert.deepEqual(parsed("-", "x").args, ["-", "x"]);
  });

  it("that are switches do not take the next word", () => {
    assert.deepEqual(parsed("--debug", "false"), { ...nothing, debug: true, args: ["false"] });
    assert.deepEqual(parsed("--debug=false"), nothing);
  });

  it("have numbers and durations as Go writes them", () => {
    assert.equal(parsed("--limit", "18446744073709551615").limit, 2n ** 64n - 1n);
    assert.equal(parsed("--limit=0x10").limit, 16n);
    assert.equal(parsed("--timeout", "1m30s").timeoutMs, 90_000);
  });

  it("are refused in pflag's words", () => {
    const refusals: [string[], string][] = [
      [["--nope"], "unknown flag: --nope"],
      [["--nope=1"], "unknown flag: --nope"],
      [["-x"], "unknown shorthand flag: 'x' in -x"],
      [["-dx"], "unknown shorthand flag: 'x' in -x"],
      [["--limit"], "flag needs an argument: --limit"],
      [["-w"], "flag needs an argument: 'w' in -w"],
      [["---limit"], "bad flag syntax: ---limit"],
      [["--=1"], "bad flag syntax: --=1"],
      [
        ["--limit", "-1"],
        'invalid argument "-1" for "--limit" flag: strconv.ParseUint: parsing "-1": invalid syntax',
      ],
      [
        ["--limit", "99999999999999999999"],
        'invalid argument "99999999999999999999" for "--limit" flag: strconv.ParseUint: parsing "99999999999999999999": value out of range',
      ],
      [
        ["-d=7"],
        'invalid argument "7" for "-d, --debug" flag: strconv.ParseBool: parsing "7": invalid syntax',
      ],
      [["--timeout", "5"], 'invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"'],
    ];
    for (const [words, message] of refusals) {
      assert.throws(() => parsed(...words), new FlagError(message), words.join(" "));
    }
  });

  it("are described in order, with the defaults that say something", () => {
    assert.equal(
      describeFlags(flags),
      [
        "  -d, --debug              say more",
        "      --limit uint         how many",
        "      --timeout duration   how long (default 5s)",
        '  -w, --write-out string   set the output format (default "simple")',
        "",
      ].join("\n"),
    );
  });
});
