import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  binaryOf,
  bytesOf,
  displayKey,
  fromText,
  fromUrl,
  parseKey,
  prefixEnd,
  textOf,
  toUrl,
} from "./bytes.ts";
import { decodeKubernetes, guessFormat, hexDump, indentJson } from "./decode-value.ts";
import { diffLines, foldLines } from "./diff-lines.ts";
import { parseMetrics, quantile, rate } from "./metrics-text.ts";

describe("keys as binary strings", () => {
  const keys = [
    "/a/b",
    "",
    "with\\backslash",
    fromText("grüße 👋"),
    "\x00\xff\x80",
    fromText("tab\tnewline\n"),
    "\\x41",
  ];

  it("are shown so that they can be typed", () => {
    for (const key of keys) assert.equal(parseKey(displayKey(key)), key, JSON.stringify(key));
    assert.equal(displayKey("\x00\xff"), "\\x00\\xff");
    assert.equal(displayKey(fromText("é")), "é");
  });

  it("go into addresses and bytes, and come back", () => {
    for (const key of keys) {
      assert.equal(fromUrl(toUrl(key)), key);
      assert.equal(binaryOf(bytesOf(key)), key);
    }
    assert.equal(textOf("\xff"), undefined);
  });

  it("have prefixes that end", () => {
    assert.equal(prefixEnd("a"), "b");
    assert.equal(prefixEnd("a\xff\xff"), "b");
    assert.equal(prefixEnd("\xff"), "\0");
    assert.equal(prefixEnd(""), "\0");
  });
});

describe("values", () => {
  it("are what they look like", () => {
    assert.equal(guessFormat("plain"), "text");
    assert.equal(guessFormat('{"a": 1}'), "json");
    assert.equal(guessFormat("{not json"), "text");
    assert.equal(guessFormat("\x00\x01"), "hex");
    assert.equal(guessFormat("\xff"), "hex");
    assert.equal(guessFormat("k8s\0nonsense"), "hex");
    assert.equal(guessFormat(""), "text");
  });

  it("show JSON with all digits", () => {
    assert.equal(
      indentJson('{"a":[1,{}],"n":9007199254740993}'),
      '{\n  "a": [\n    1,\n    {}\n  ],\n  "n": 9007199254740993\n}',
    );
    assert.equal(indentJson('"{,}"'), '"{,}"');
    assert.equal(indentJson("{"), undefined);
    assert.equal(indentJson('[[],{"a":{}},[1]]'), '[\n  [],\n  {\n    "a": {}\n  },\n  [\n    1\n  ]\n]');
  });

  it("show large JSON at once", () => {
    const large = JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, tags: [] })));
    const started = performance.now();
    assert.deepEqual(JSON.parse(indentJson(large)!), JSON.parse(large));
    // It takes 20 ms; looking back over all of it at each bracket took minutes.
    assert.ok(performance.now() - started < 5_000);
  });

  it("name what Kubernetes stored", () => {
    const field = (number: number, bytes: string) =>
      String.fromCharCode((number << 3) | 2, bytes.length) + bytes;
    const metadata = field(1, "web-1") + field(3, "default");
    const value = `k8s\0${field(1, field(1, "v1") + field(2, "Pod"))}${field(2, field(1, metadata))}`;
    assert.equal(guessFormat(value), "kubernetes");
    const { kind, apiVersion, name, namespace } = decodeKubernetes(value)!;
    assert.deepEqual(
      { kind, apiVersion, name, namespace },
      { kind: "Pod", apiVersion: "v1", name: "web-1", namespace: "default" },
    );
  });

  it("are dumped in hexadecimal", () => {
    assert.equal(
      hexDump("0123456789abcdef\x00\xff"),
      "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef\n" +
        "00000010  00 ff                                             ..",
    );
    assert.match(hexDump("x".repeat(100), 32), /\.\.\. 68 bytes more$/);
  });
});

describe("a comparison", () => {
  it("keeps what is the same", () => {
    const lines = diffLines("a\nb\nc\nd", "a\nx\nc\nd\ne").map(({ kind, text }) => `${kind} ${text}`);
    assert.deepEqual(lines, ["same a", "removed b", "added x", "same c", "same d", "added e"]);
  });

  it("folds what is far from a difference, and what is too much", () => {
    const many = Array.from({ length: 100 }, (_, i) => `line ${i}`);
    const changed = many.with(50, "x".repeat(5_000));
    const shown = foldLines(diffLines(many.join("\n"), changed.join("\n")));
    assert.equal(shown.length, 10);
    assert.deepEqual(shown[0], { kind: "folded", text: "… 47 lines the same" });
    assert.deepEqual(shown[4], { kind: "removed", text: "line 50" });
    assert.deepEqual(shown[5], { kind: "added", text: `${"x".repeat(2_000)}…` });
    assert.deepEqual(shown[9], { kind: "folded", text: "… 46 lines the same" });
    const all = Array.from({ length: 50_000 }, (_, i) => ({ kind: "added" as const, text: String(i) }));
    assert.deepEqual(foldLines(all).at(-1), { kind: "folded", text: "… 48000 lines more" });
  });
});

describe("metrics", () => {
  const first = parseMetrics(
    '# HELP x\nputs{a="1"} 1\nputs{a="2"} 2\nt_bucket{le="0.1"} 5\nt_bucket{le="1"} 5\nt_bucket{le="+Inf"} 5\n',
  );
  const second = parseMetrics(
    'puts{a="1"} 11\nputs{a="2"} 12\nt_bucket{le="0.1"} 10\nt_bucket{le="1"} 15\nt_bucket{le="+Inf"} 15\n',
  );

  it("give rates over all labels", () => {
    assert.equal(rate(first, second, "puts", 2), 10);
    assert.equal(rate(second, first, "puts", 2), undefined);
    assert.equal(rate(first, second, "none", 2), undefined);
  });

  it("give quantiles of what has come between", () => {
    assert.equal(quantile(first, second, "t", 0.5), 0.1);
    assert.ok(Math.abs(quantile(first, second, "t", 0.75)! - 0.55) < 1e-9);
    assert.equal(quantile(second, second, "t", 0.5), undefined);
  });
});
