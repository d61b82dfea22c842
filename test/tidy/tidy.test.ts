/** STYLE as a test: the repository's own sources against the checkers of this folder. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { repository } from "../support/paths.ts";
import { cycles, wrongArrows, wrongEndings } from "./arrows.ts";
import { broken, emptyNames } from "./bans.ts";
import { layers, pureFolders } from "./layers.ts";
import { longFiles, longFunctions } from "./sizes.ts";
import { allSources } from "./sources.ts";

const sources = allSources();
const none = (problems: readonly string[]): void => assert.equal(problems.join("\n"), "");

describe("tidy", () => {
  it("finds the sources", () => {
    assert.ok(sources.some((s) => s.path === "src/lib/ids.ts"));
    assert.ok(!sources.some((s) => s.path.startsWith("node_modules/")));
  });
  it("lets imports only point down", () => none(wrongArrows(sources)));
  it("has no import cycles", () => none(cycles(sources)));
  it("names imported files with their ending", () => none(wrongEndings(sources)));
  it("keeps files short, or says why not", () => none(longFiles(sources)));
  it("keeps functions short", () => none(longFunctions(sources)));
  it("keeps the bans", () => none(broken(sources)));
  it("has no folders for odds and ends", () => none(emptyNames(sources)));

  it("type-checks as pure what the tests call pure", () => {
    const config = readFileSync(join(repository, "tsconfig.pure.json"), "utf8");
    const included = /"include": \[([^\]]*)\]/.exec(config)?.[1] ?? "";
    const folders = [...included.matchAll(/"src\/(\w+)"/g)].map((match) => match[1]);
    assert.deepEqual(folders.toSorted(), [...pureFolders].toSorted());
  });

  it("draws in docs/architecture.md the layers that it checks", () => {
    const text = readFileSync(join(repository, "docs", "architecture.md"), "utf8");
    const blocks = [...text.matchAll(/```\w*\n([\s\S]*?)```/g)].map((match) => match[1] as string);
    const block = blocks.find((b) => /^library\b/.test(b.trim()));
    assert.ok(block, "no code block that starts with library");
    const drawn = block
      .trim()
      .split("\n")
      .map((line) => line.split(/ {3,}/)[0]?.trim().split(/\s+/).toSorted());
    assert.deepEqual(
      drawn,
      layers.map((line) => line.toSorted()),
    );
  });
});
