/** The checkers must find what they are for: each gets a small repository with one mistake. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cycles, wrongArrows, wrongEndings } from "./arrows.ts";
import { broken, emptyNames } from "./bans.ts";
import { longFiles, longFunctions } from "./sizes.ts";
import type { Source } from "./sources.ts";

const repo = (files: Record<string, string>): Source[] =>
  Object.entries(files).map(([path, text]) => ({ path, text }));
const found = (problems: readonly string[], pattern: RegExp): void => {
  assert.equal(problems.length, 1, problems.join("\n"));
  assert.match(problems[0] as string, pattern);
};

describe("arrows", () => {
  const to = (specifier: string) => `import { x } from "${specifier}";\n`;

  it("may point down", () => {
    const down = {
      "src/server/a.ts": to("../raft/b.ts") + to("../lib/c.ts"),
      "src/codec/k.ts": to("../lib/c.ts"),
    };
    assert.deepEqual(wrongArrows(repo(down)), []);
  });
  it("must not point up", () => {
    found(
      wrongArrows(repo({ "src/raft/a.ts": `\n${to("../server/b.ts")}` })),
      /src\/raft\/a\.ts:2: .*points up/,
    );
    found(wrongArrows(repo({ "src/raft/a.ts": `export * from "../mvcc/b.ts";` })), /points up/);
    found(wrongArrows(repo({ "src/raft/a.ts": `import type {\n  X,\n} from "../mvcc/b.ts";` })), /points up/);
    found(wrongArrows(repo({ "src/raft/a.ts": `const x = await import("../rpc/b.ts");` })), /points up/);
    found(wrongArrows(repo({ "src/wal/a.ts": `new URL("../rpc/w.ts", import.meta.url)` })), /points up/);
  });
  it("must not point along a line, except from a test", () => {
    found(wrongArrows(repo({ "src/raft/a.ts": to("../wal/b.ts") })), /on one line/);
    assert.deepEqual(wrongArrows(repo({ "src/raft/a.test.ts": to("../wal/b.ts") })), []);
  });
  it("must not leave src, except from a test", () => {
    found(wrongArrows(repo({ "src/cmd/a.ts": to("../../test/support/b.ts") })), /must not import/);
    assert.deepEqual(wrongArrows(repo({ "src/cmd/a.test.ts": to("../../test/support/b.ts") })), []);
  });
  it("know every folder", () =>
    found(wrongArrows(repo({ "src/odd/a.ts": "" })), /do not know the folder odd/));
  it("in a comment are none", () => {
    assert.deepEqual(wrongArrows(repo({ "src/raft/a.ts": `// import { x } from "../rpc/b.ts";` })), []);
  });
  it("end in .ts", () => found(wrongEndings(repo({ "src/raft/a.ts": to("./b") })), /without its ending/));
  it("make no cycle", () => {
    const files = {
      "src/raft/a.ts": to("./b.ts"),
      "src/raft/b.ts": to("./c.ts"),
      "src/raft/c.ts": to("./a.ts"),
    };
    found(cycles(repo(files)), /a\.ts -> .*b\.ts -> .*c\.ts -> .*a\.ts/);
    assert.deepEqual(cycles(repo({ ...files, "src/raft/c.ts": "" })), []);
  });
});

describe("sizes", () => {
  const lines = (n: number) => "  x();\n".repeat(n);

  it("of files", () => {
    found(longFiles(repo({ "src/raft/a.ts": lines(501) })), /501 lines/);
    assert.deepEqual(longFiles(repo({ "src/raft/a.ts": lines(500) })), []);
    const reason = "/**\n * Tables.\n *\n * Long because it is one table.\n */\n";
    assert.deepEqual(longFiles(repo({ "src/raft/a.ts": reason + lines(501) })), []);
  });
  it("of functions", () => {
    const heads = [
      "function f() {",
      "export async function f(a: number): Promise<{ a: number }> {",
      "export const f = (a: number) => {",
      "const f: Handler = async (a) => {",
      "method(a: number): void {",
      "static async *method(a: number) {",
      "#method(\n  a: number,\n): void {",
      "function f({\n  a,\n}: {\n  a: number;\n}): void {",
    ];
    for (const head of heads) {
      found(longFunctions(repo({ "src/raft/a.ts": `${head}\n${lines(70)}}\n` })), /a function of/);
      const rest = 68 - head.split("\n").length + 1;
      assert.deepEqual(longFunctions(repo({ "src/raft/a.ts": `${head}\n${lines(rest)}}\n` })), [], head);
    }
  });
  it("not of classes, conditions or tests", () => {
    for (const head of ["class A {", "if (x) {", "for (const x of y()) {", "export const table = {"]) {
      assert.deepEqual(longFunctions(repo({ "src/raft/a.ts": `${head}\n${lines(100)}}\n` })), [], head);
    }
    assert.deepEqual(longFunctions(repo({ "src/raft/a.test.ts": `function f() {\n${lines(100)}}\n` })), []);
  });
});

describe("bans", () => {
  const bad: [string, string][] = [
    ["src/raft/a.ts", "const t = Date.now();"],
    ["src/mvcc/a.ts", "const t = new Date();"],
    ["src/lease/a.ts", "Math.random()"],
    ["src/codec/a.ts", 'import fs from "node:fs";'],
    ["src/mvcc/a.ts", "async function f() {}"],
    ["src/rpc/a.ts", "console.log(1)"],
    ["src/rpc/a.ts", "export default 1;"],
    ["src/rpc/a.ts", "export enum E { a }"],
    ["src/rpc/a.ts", "const enum E { a }"],
    ["test/x/a.ts", "namespace N {}"],
    ["src/rpc/a.test.ts", "it.only(1)"],
    ["src/rpc/a.test.ts", "it(x, { skip: true }, f)"],
    ["src/rpc/a.ts", "Bun.file(x)"],
    ["docs/a.md", `see ${"/ro"}${"ot"}/x`],
    ["docs/a.md", `in ${"/wo"}${"rk"}/main`],
    ["package.json", `https://registry.npm${"js"}.org/x`],
  ];
  for (const [path, text] of bad) {
    it(`find ${text} in ${path}`, () => found(broken(repo({ [path]: `\n${text}\n` })), /:2: /));
  }
  const good: [string, string][] = [
    ["src/server/a.ts", "const t = Date.now();"],
    ["src/raft/a.ts", "// Date.now() would be wrong\nconst x = 'Math.random()';"],
    ["src/raft/a.test.ts", 'import fs from "node:fs"; await x; Math.random()'],
    ["src/runtime/a.ts", "Bun.file(x)"],
    ["docs/a.md", "tests/network/x and https://etcd.io/"],
  ];
  for (const [path, text] of good) {
    it(`let ${text} stand in ${path}`, () => assert.deepEqual(broken(repo({ [path]: text })), []));
  }
  it("find folders for odds and ends", () =>
    found(emptyNames(repo({ "src/util/a.ts": "" })), /does not say/));
});
