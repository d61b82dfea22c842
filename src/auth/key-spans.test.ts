import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type KeyPermission, PermissionType } from "../codec/auth-row.ts";
import { fromBinaryKey, toBinaryKey } from "../lib/binary-key.ts";
import { Prng } from "../lib/prng.ts";
import { isValidPermissionRange, KeySpans } from "./key-spans.ts";

const bytes = (text: string) => fromBinaryKey(text);
const permission = (key: string, rangeEnd = "", type: number = PermissionType.readWrite): KeyPermission => ({
  type,
  key: bytes(key),
  rangeEnd: bytes(rangeEnd),
});

/** All keys of up to three letters of a small alphabet: enough to tell ranges over it apart. */
const letters = ["\0", "a", "b", "c"];
const words = ["", ...letters, ...letters.flatMap((a) => letters.map((b) => a + b))];
const keys = [...words, ...words.flatMap((word) => letters.map((letter) => word + letter))].filter(
  (key) => key !== "",
);

const inRange = (key: string, from: string, end: string) =>
  end === "" ? key === from : key >= from && (end === "\0" || key < end);

describe("spans of keys", () => {
  it("cover what permissions allow together, and nothing else", () => {
    const seed = 7;
    const random = new Prng(seed);
    for (let round = 0; round < 300; round++) {
      const permissions = Array.from({ length: random.below(5) }, () =>
        permission(random.pick(words.slice(1)), random.pick(words), random.below(3)),
      ).filter(({ key, rangeEnd }) => isValidPermissionRange(key, rangeEnd));
      const spans = new KeySpans(permissions, "read");
      const allowed = (key: string) =>
        permissions.some(
          ({ type, key: from, rangeEnd }) =>
            type !== PermissionType.write && inRange(key, toBinaryKey(from), toBinaryKey(rangeEnd)),
        );
      for (let ask = 0; ask < 30; ask++) {
        const [from, end] = [random.pick(words.slice(1)), random.pick(words)];
        const asked = keys.filter((key) => inRange(key, from, end));
        if (asked.length === 0) continue;
        const covered = spans.covers(bytes(from), bytes(end));
        const why = `seed ${seed}: [${JSON.stringify(from)}, ${JSON.stringify(end)}) of ${JSON.stringify(
          permissions.map(({ type, key, rangeEnd }) => [type, toBinaryKey(key), toBinaryKey(rangeEnd)]),
        )}`;
        // What is covered is allowed; what is allowed is covered unless it lies between keys of the small alphabet.
        if (covered) assert.ok(asked.every(allowed), why);
        else if (end !== "\0" && asked.every(allowed))
          assert.ok(!isCoveredByWhole(permissions, from, end), why);
      }
    }
  });

  /** Whether one readable permission alone holds the range. */
  function isCoveredByWhole(permissions: KeyPermission[], from: string, end: string): boolean {
    return permissions.some(({ type, key, rangeEnd }) => {
      if (type === PermissionType.write) return false;
      const [first, last] = [toBinaryKey(key), toBinaryKey(rangeEnd)];
      if (end === "") return inRange(from, first, last);
      if (last === "") return false;
      return first <= from && (last === "\0" || end <= last);
    });
  }

  it("join neighbours", () => {
    const spans = new KeySpans([permission("b", "c"), permission("a", "b"), permission("c")], "write");
    assert.equal(spans.covers(bytes("a"), bytes("c")), true);
    assert.equal(spans.covers(bytes("a"), bytes("c\0")), true);
    assert.equal(spans.covers(bytes("a"), bytes("ca")), false);
    assert.equal(spans.covers(bytes("c"), bytes("")), true);
  });

  it("tell one key from all keys that follow it", () => {
    const one = new KeySpans([permission("k")], "read");
    assert.equal(one.covers(bytes("k"), bytes("")), true);
    assert.equal(one.covers(bytes("k"), bytes("\0")), false);
    assert.equal(one.covers(bytes("k"), bytes("l")), false);
    const all = new KeySpans([permission("\0", "\0")], "read");
    assert.equal(all.covers(bytes("k"), bytes("\0")), true);
    assert.equal(all.covers(bytes("\0"), bytes("\0")), true);
  });

  it("keep reading and writing apart", () => {
    const permissions = [
      permission("r", "s", PermissionType.read),
      permission("w", "x", PermissionType.write),
    ];
    assert.equal(new KeySpans(permissions, "read").covers(bytes("r"), bytes("")), true);
    assert.equal(new KeySpans(permissions, "write").covers(bytes("r"), bytes("")), false);
    assert.equal(new KeySpans(permissions, "write").covers(bytes("w"), bytes("wa")), true);
    assert.equal(new KeySpans([permission("a", "b", 9)], "read").covers(bytes("a"), bytes("")), false);
  });

  it("refuse permissions for no range", () => {
    assert.equal(isValidPermissionRange(bytes(""), bytes("")), false);
    assert.equal(isValidPermissionRange(bytes("b"), bytes("a")), false);
    assert.equal(isValidPermissionRange(bytes("b"), bytes("b")), false);
    assert.equal(isValidPermissionRange(bytes("b"), bytes("\0")), true);
    assert.equal(isValidPermissionRange(bytes("b"), bytes("")), true);
  });
});
