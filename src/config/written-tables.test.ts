/** docs/configuration.md and etcd-config.example.yml say what the tables say. WRITE_TABLES=1 writes them anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { entries } from "./config.ts";
import { helpText } from "./help.ts";
import { exampleFile, settingsTables } from "./written-tables.ts";

const example = new URL("../../etcd-config.example.yml", import.meta.url);
const docs = new URL("../../docs/configuration.md", import.meta.url);
const begin = "<!-- tables: begin -->\n";
const end = "<!-- tables: end -->\n";
const rewrite = process.env["WRITE_TABLES"] === "1";

describe("etcd-config.example.yml", () => {
  it("is what the tables say", () => {
    if (rewrite) writeFileSync(example, exampleFile());
    assert.equal(readFileSync(example, "utf8"), exampleFile());
  });
});

describe("docs/configuration.md", () => {
  it("has the tables", () => {
    const text = readFileSync(docs, "utf8");
    const from = text.indexOf(begin) + begin.length;
    const to = text.indexOf(end);
    assert.ok(from >= begin.length && to >= from, "the marks are missing");
    if (rewrite) writeFileSync(docs, text.slice(0, from) + settingsTables() + text.slice(to));
    else assert.equal(text.slice(from, to), settingsTables());
  });
});

describe("--help", () => {
  it("has every flag with its default, in lines of its own", () => {
    const lines = helpText().split("\n");
    for (const [, { flag, defaultText }] of entries) {
      assert.equal(lines.filter((line) => line === `  --${flag} '${defaultText}'`).length, 1, flag);
    }
  });
});
