/** Goes over the rows of a bucket in the order of their keys, a leaf at a time. */
import { toBinaryKey } from "../lib/binary-key.ts";
import { compareBytes } from "./compare-bytes.ts";
import type { BucketRoot, DatabaseFile } from "./database-file.ts";
import type { Row } from "./database-source.ts";
import type { NodePage } from "./node-page.ts";

/** A tree of 2 children a page that is deeper has more pages than a file can. */
const depthMax = 64;

/** A row with the page that it stands on, for messages. */
export interface PlacedRow extends Row {
  readonly isBucket: boolean;
}

export interface LeafRows {
  readonly page: number;
  readonly rows: readonly PlacedRow[];
}

/**
 * The leaves of a tree in order. Keys and values are views of pages that are never overwritten; who keeps a small one
 * for long should copy it. Rejects with a BboltCorruptError: keys that do not ascend and pages that are referred to
 * twice end it, whatever the file says.
 */
export async function* readLeaves(
  file: DatabaseFile,
  root: BucketRoot,
): AsyncGenerator<LeafRows, void, undefined> {
  if ("inline" in root) {
    yield { page: root.inline.id, rows: rowsOf(root.inline) };
    return;
  }
  const stack: { node: NodePage; next: number }[] = [];
  let budget = file.meta.pageCount;
  let lastKey: Uint8Array | undefined;
  let id = root.page;
  for (;;) {
    if (budget-- <= 0) file.fail(id, "is referred to more than once");
    if (stack.length >= depthMax) file.fail(id, `lies more than ${depthMax} levels deep`);
    const found = file.node(id);
    const node = found instanceof Promise ? await found : found;
    if (!node.isLeaf) stack.push({ node, next: 0 });
    else {
      const rows = rowsOf(node);
      const first = rows[0]?.key;
      if (lastKey !== undefined && first !== undefined && compareBytes(lastKey, first) >= 0) {
        file.fail(id, "its first key is not after the last one of the page before");
      }
      lastKey = rows.at(-1)?.key ?? lastKey;
      if (rows.length > 0) yield { page: id, rows };
    }
    while (stack.length > 0 && stack.at(-1)!.next === stack.at(-1)!.node.count) stack.pop();
    const top = stack.at(-1);
    if (top === undefined) return;
    id = top.node.child(top.next++);
  }
}

function rowsOf(node: NodePage): PlacedRow[] {
  const rows: PlacedRow[] = [];
  for (let i = 0; i < node.count; i++) {
    rows.push({ key: node.key(i), value: node.value(i), isBucket: node.isBucket(i) });
  }
  return rows;
}

/** The buckets of a file in order of their names. */
export async function readBuckets(file: DatabaseFile): Promise<Map<string, BucketRoot>> {
  const buckets = new Map<string, BucketRoot>();
  for await (const { page, rows } of readLeaves(file, { page: file.meta.rootPage })) {
    for (const { key, value, isBucket } of rows) {
      if (!isBucket) file.fail(page, "has a row that is not in a bucket");
      if (buckets.size >= bucketsMax) file.fail(page, `is one of more than ${bucketsMax} buckets`);
      buckets.set(toBinaryKey(key), file.bucketRoot(page, value));
    }
  }
  return buckets;
}

/** etcd has ten. */
const bucketsMax = 10_000;
