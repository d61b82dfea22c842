import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Backend } from "../../backend/backend.ts";
import { openBackend } from "../../backend/open.ts";
import type { RaftIndex, Revision, Term } from "../../lib/ids.ts";
import { openStoreSlots } from "./store-slots.ts";

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "store-slots-"));
});
after(() => rm(dir, { recursive: true, force: true }));

let folders = 0;
const freshFolder = async () => join(await mkdtemp(join(dir, `${++folders}-`)));
const open = (storeDir: string, isFilling: boolean) =>
  openBackend({
    kind: "sqlite",
    dir: storeDir,
    cacheBytes: 100_000,
    writerCacheBytes: 100_000,
    isFilling,
    // No machine fails here, and syncs take long when many tests do them.
    sync: false,
  });

async function fill(backend: Backend, index: number): Promise<void> {
  await backend.write({
    versions: [],
    meta: [{ bucket: "test", key: "index", value: Uint8Array.of(index) }],
    appliedIndex: index as RaftIndex,
    appliedTerm: 1 as Term,
    revision: 1 as Revision,
    compactRevision: 0 as Revision,
  });
  await backend.sync();
}

const indexOf = (backend: Backend | undefined) => backend?.position.appliedIndex;

/** Leaves a folder as a process that was killed leaves it, as far as a test in the same process can. */
async function closeAll(slots: { current: Backend; next: Backend | undefined }): Promise<void> {
  await slots.next?.close();
  await slots.current.close();
}

/** Each opens and closes stores a dozen times, with a thread each. */
const slow = { timeout: 60_000 };

describe("the stores of a data folder", () => {
  it("are one, and the same after a restart", slow, async () => {
    const folder = await freshFolder();
    const slots = await openStoreSlots(folder, open);
    assert.equal(slots.next, undefined);
    await fill(slots.current, 5);
    await slots.dropNext();
    await closeAll(slots);
    assert.deepEqual(await readdir(folder), ["store"]);
    const again = await openStoreSlots(folder, open);
    assert.equal(indexOf(again.current), 5);
    await closeAll(again);
  });

  it("are exchanged, over and over, and the old one is removed", slow, async () => {
    const folder = await freshFolder();
    let slots = await openStoreSlots(folder, open);
    await fill(slots.current, 5);
    for (const index of [20, 30, 40]) {
      const next = await slots.makeNext();
      assert.equal(slots.next, undefined, "not before it is complete");
      await fill(next, index);
      await slots.completeNext();
      assert.equal(slots.next, next);
      const old = slots.useNext();
      assert.equal(slots.current, next);
      await old.close();
      await slots.removeOld();
      assert.equal((await readdir(folder)).length, 1);
      await closeAll(slots);
      slots = await openStoreSlots(folder, open);
      assert.equal(indexOf(slots.current), index);
    }
    await closeAll(slots);
  });

  it("that were not filled to their end are gone after a crash", slow, async () => {
    const folder = await freshFolder();
    const slots = await openStoreSlots(folder, open);
    await fill(slots.current, 5);
    const next = await slots.makeNext();
    await fill(next, 20);
    await next.close();
    await slots.current.close();
    const again = await openStoreSlots(folder, open);
    assert.equal(indexOf(again.current), 5);
    assert.equal(again.next, undefined);
    assert.deepEqual(await readdir(folder), ["store"]);
    await closeAll(again);
  });

  it("that are both complete are told apart by how far they are", slow, async () => {
    const folder = await freshFolder();
    const slots = await openStoreSlots(folder, open);
    await fill(slots.current, 5);
    await fill(await slots.makeNext(), 20);
    await slots.completeNext();
    await closeAll(slots);
    const again = await openStoreSlots(folder, open);
    assert.deepEqual([indexOf(again.current), indexOf(again.next)], [5, 20]);
    const old = again.useNext();
    await old.close();
    await again.removeOld();
    // Another one takes the place of the first.
    await fill(await again.makeNext(), 30);
    await again.completeNext();
    await closeAll(again);
    const last = await openStoreSlots(folder, open);
    assert.deepEqual([indexOf(last.current), indexOf(last.next)], [20, 30]);
    await last.dropNext();
    assert.deepEqual(await readdir(folder), ["store.2"]);
    await closeAll(last);
    await closeAll(await openStoreSlots(folder, open));
    assert.deepEqual(await readdir(folder), ["store"]);
  });

  it("that were being removed are removed", slow, async () => {
    const folder = await freshFolder();
    const slots = await openStoreSlots(folder, open);
    await fill(slots.current, 5);
    await fill(await slots.makeNext(), 20);
    await slots.completeNext();
    await closeAll(slots);
    // A crash came when the mark was there and the files were going.
    await writeFile(join(folder, "store.unfinished"), "");
    await rm(join(folder, "store"), { recursive: true });
    const again = await openStoreSlots(folder, open);
    assert.equal(indexOf(again.current), 20);
    assert.deepEqual(await readdir(folder), ["store"]);
    await closeAll(again);
  });
});
