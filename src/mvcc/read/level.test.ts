import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import { finish } from "../../lib/steps.ts";
import { storeFixture } from "../testing/fixture.ts";
import type { LevelEntry, LevelRequest } from "./level.ts";

type Asked = Partial<LevelRequest> & { readonly revision?: number };

function levelOf(fixture: ReturnType<typeof storeFixture>, prefix: string, more: Asked = {}) {
  const { revision = 0, ...rest } = more;
  const request: LevelRequest = {
    span: { from: prefix, to: prefix === "" ? undefined : `${prefix}\xff` },
    prefixLength: prefix.length,
    separator: "/",
    limit: 1000,
    count: false,
    ...rest,
  };
  return finish(fixture.store.listLevel(request, revision));
}

const words = (entries: readonly LevelEntry[]) =>
  entries.map(({ key, isBranch, count }) => `${key}${isBranch ? `(${count})` : ""}`).join(" ");

describe("a level of the keys", () => {
  it("has keys and branches, in order, a branch once", () => {
    const fixture = storeFixture();
    for (const key of ["a", "b/1", "b/2", "b/2/x"]) fixture.put(key);
    fixture.flush();
    for (const key of ["b/3", "c", "/x", "gone/1"]) fixture.put(key);
    fixture.remove("gone/1");
    assert.equal(words(levelOf(fixture, "").entries), "/(0) a b/(0) c");
    assert.equal(words(levelOf(fixture, "", { count: true }).entries), "/(1) a b/(4) c");
    assert.equal(words(levelOf(fixture, "b/", { count: true }).entries), "b/1 b/2 b/2/(1) b/3");
    assert.equal(words(levelOf(fixture, "", { revision: 3 }).entries), "a b/(0)");
  });

  it("counts what of a branch is in the span", () => {
    const fixture = storeFixture();
    for (const key of ["b/1", "b/2", "b/3"]) fixture.put(key);
    const span = { from: "b/2", to: "b/3" };
    assert.equal(words(levelOf(fixture, "", { span, count: true }).entries), "b/(1)");
  });

  it("takes separators of several bytes, and keys that end the key space", () => {
    const fixture = storeFixture();
    for (const key of ["a::1", "a::2", "a:3", "\xff\xff/1", "\xff\xff/2"]) fixture.put(key);
    assert.equal(
      words(levelOf(fixture, "", { separator: "::" }).entries),
      "a:3 a::(0) \xff\xff/1 \xff\xff/2",
    );
    const last = levelOf(fixture, "", { separator: "\xff" });
    assert.equal(words(last.entries), "a:3 a::1 a::2 \xff(0)");
    assert.equal(last.next, undefined);
  });

  it("is what going over all keys finds, in pages of any size", () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = new Prng(seed);
    const fixture = storeFixture();
    const keys = new Set<string>();
    for (let i = 0; i < 400; i++) {
      const depth = 1 + random.below(3);
      const key = Array.from({ length: depth }, () => "abcdefgh"[random.below(8)]).join("/");
      if (random.below(4) === 0) {
        fixture.remove(key);
        keys.delete(key);
      } else {
        fixture.put(key);
        keys.add(key);
      }
      if (i % 100 === 50) fixture.flush();
    }
    for (const prefix of ["", "a/", "b/c/"]) {
      const expected = new Map<string, number>();
      for (const key of [...keys].filter((each) => each.startsWith(prefix)).sort()) {
        const at = key.indexOf("/", prefix.length);
        const name = at < 0 ? key : key.slice(0, at + 1);
        expected.set(name, (expected.get(name) ?? 0) + 1);
      }
      for (const limit of [1, 3, 1000]) {
        const found = new Map<string, number>();
        let from: string | undefined = prefix;
        while (from !== undefined) {
          const span = { from, to: prefix === "" ? undefined : `${prefix}\xff` };
          const page = levelOf(fixture, prefix, { span, limit, count: true });
          for (const { key, count } of page.entries) found.set(key, count);
          assert.ok(page.entries.length <= limit);
          from = page.next;
        }
        assert.deepEqual([...found], [...expected], `seed ${seed}, prefix ${prefix}, limit ${limit}`);
      }
    }
  });
});
