/**
 * A map from strings to values that keeps its keys in order: a B+ tree whose leaves are linked both ways. Strings
 * compare by UTF-16 unit, which for binary keys (binary-key.ts) is the order of the bytes.
 *
 * Why not a sorted array or a balanced binary tree: an insert into an array of a million keys moves megabytes, and a
 * binary tree pays a cache miss for each of its twenty levels; this has three levels at a million keys.
 *
 * Cursors may be held while the map changes: a move first finds its place again if keys came or went meanwhile. A key
 * that is there during the whole of an iteration is met exactly once.
 */

/** Keys in a leaf, and children of an inner node, before it splits. */
const maxWidth = 64;
/** Below this a node is filled up from, or merged with, a neighbour. Well under half of maxWidth, so that a
 * deletion and an insertion at the same place do not merge and split by turns. */
const minWidth = 20;

class Leaf<V> {
  keys: string[] = [];
  values: V[] = [];
  next: Leaf<V> | undefined = undefined;
  previous: Leaf<V> | undefined = undefined;
}

class Inner<V> {
  /** separators[i] is above every key of children[i] and at or below every key of children[i + 1]. */
  separators: string[] = [];
  children: Node<V>[] = [];
}

type Node<V> = Leaf<V> | Inner<V>;

/** The first position whose key is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first position whose key is above `key`: the child to descend into. */
function upperBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `splice(at, 0, item)` without the array that splice returns. */
function insertAt<T>(array: T[], at: number, item: T): void {
  const { length } = array;
  array.push(item);
  for (let i = length; i > at; i--) array[i] = array[i - 1]!;
  array[at] = item;
}

function removeAt<T>(array: T[], at: number): void {
  const last = array.length - 1;
  for (let i = at; i < last; i++) array[i] = array[i + 1]!;
  array.pop();
}

export class OrderedMap<V> {
  #root: Node<V> = new Leaf<V>();
  #first: Leaf<V> = this.#root as Leaf<V>;
  #last: Leaf<V> = this.#root as Leaf<V>;
  #size = 0;
  /** Counts insertions and deletions, so that cursors know when to find their place again. */
  #changes = 0;
  /** The separator that goes with the node that #insert just returned. */
  #splitKey = "";
  /** The key just inserted is the last of all: nodes then split at their end and not in the middle, so that keys
   * that come in order leave full nodes behind. */
  #appended = false;
  #replaced: V | undefined = undefined;

  get size(): number {
    return this.#size;
  }

  /** How often a key was inserted or deleted; replacing a value does not count. */
  get changes(): number {
    return this.#changes;
  }

  get(key: string): V | undefined {
    const leaf = this.leafOf(key);
    const at = lowerBound(leaf.keys, key);
    return leaf.keys[at] === key ? leaf.values[at] : undefined;
  }

  has(key: string): boolean {
    const leaf = this.leafOf(key);
    return leaf.keys[lowerBound(leaf.keys, key)] === key;
  }

  /** Returns the value that `value` replaced, if the key was there. */
  set(key: string, value: V): V | undefined {
    this.#replaced = undefined;
    const right = this.#insert(this.#root, key, value);
    if (right !== undefined) {
      const root = new Inner<V>();
      root.separators.push(this.#splitKey);
      root.children.push(this.#root, right);
      this.#root = root;
    }
    const replaced = this.#replaced;
    this.#replaced = undefined;
    return replaced;
  }

  /** Returns the value that was removed, if the key was there. */
  delete(key: string): V | undefined {
    this.#replaced = undefined;
    this.#remove(this.#root, key);
    if (this.#root instanceof Inner && this.#root.children.length === 1) this.#root = this.#root.children[0]!;
    const removed = this.#replaced;
    this.#replaced = undefined;
    return removed;
  }

  clear(): void {
    const leaf = new Leaf<V>();
    this.#root = leaf;
    this.#first = leaf;
    this.#last = leaf;
    this.#size = 0;
    this.#changes++;
  }

  /** A cursor that stands nowhere: seek first. */
  cursor(): Cursor<V> {
    return new Cursor(this);
  }

  /** Keys from `from` (included) to `to` (left out; undefined: the end), in order or in reverse order. */
  *entries(from = "", to?: string, descending = false): Generator<[string, V], void, undefined> {
    const cursor = this.cursor();
    if (descending) {
      for (
        let more = to === undefined ? cursor.seekLast() : cursor.seekBelow(to);
        more;
        more = cursor.previous()
      ) {
        if (cursor.key < from) return;
        yield [cursor.key, cursor.value];
      }
      return;
    }
    for (let more = cursor.seek(from); more; more = cursor.next()) {
      if (to !== undefined && cursor.key >= to) return;
      yield [cursor.key, cursor.value];
    }
  }

  /** For Cursor: the leaf where `key` is, or would be. */
  leafOf(key: string): Leaf<V> {
    let node = this.#root;
    while (node instanceof Inner) node = node.children[upperBound(node.separators, key)]!;
    return node;
  }

  /** For Cursor. */
  get lastLeaf(): Leaf<V> {
    return this.#last;
  }

  /** Throws if the tree breaks one of its rules. For tests. */
  check(): void {
    let count = 0;
    let before: Leaf<V> | undefined;
    const visit = (node: Node<V>, low: string | undefined, high: string | undefined): number => {
      const keys = node instanceof Inner ? node.separators : node.keys;
      const width = node instanceof Inner ? node.children.length : node.keys.length;
      const fits = node === this.#root || width >= minWidth || this.#isEdge(node);
      if (width > maxWidth || !fits) throw new Error(`a node ${width} wide`);
      keys.forEach((key, i) => {
        if (i > 0 && keys[i - 1]! >= key) throw new Error("keys out of order");
        if ((low !== undefined && key < low) || (high !== undefined && key >= high))
          throw new Error("astray");
      });
      if (node instanceof Inner) {
        if (node.separators.length !== width - 1) throw new Error("separators and children do not match");
        const depths = node.children.map((c, i) => visit(c, keys[i - 1] ?? low, keys[i] ?? high));
        if (depths.some((depth) => depth !== depths[0])) throw new Error("leaves at different depths");
        return depths[0]! + 1;
      }
      if (node.previous !== before || (before ?? node).next !== (before ? node : node.next)) {
        throw new Error("leaves linked wrongly");
      }
      if (before === undefined && node !== this.#first) throw new Error("another leaf is first");
      before = node;
      count += width;
      return 0;
    };
    visit(this.#root, undefined, undefined);
    if (before !== this.#last || this.#last.next !== undefined) throw new Error("another leaf is last");
    if (count !== this.#size) throw new Error(`${count} keys, but size says ${this.#size}`);
  }

  /** Nodes at the right edge may be narrow: keys that come in order split at the very end. */
  #isEdge(wanted: Node<V>): boolean {
    let node = this.#root;
    while (node !== wanted && node instanceof Inner) node = node.children[node.children.length - 1]!;
    return node === wanted;
  }

  /** Returns the new right neighbour if `node` had to split. */
  #insert(node: Node<V>, key: string, value: V): Node<V> | undefined {
    if (!(node instanceof Inner)) return this.#insertIntoLeaf(node, key, value);
    const at = upperBound(node.separators, key);
    const right = this.#insert(node.children[at]!, key, value);
    if (right === undefined) return undefined;
    insertAt(node.separators, at, this.#splitKey);
    insertAt(node.children, at + 1, right);
    if (node.children.length <= maxWidth) return undefined;
    const keep = this.#appended ? maxWidth - 1 : (maxWidth + 1) >>> 1;
    const sibling = new Inner<V>();
    sibling.children = node.children.splice(keep);
    sibling.separators = node.separators.splice(keep);
    this.#splitKey = node.separators.pop()!;
    return sibling;
  }

  #insertIntoLeaf(leaf: Leaf<V>, key: string, value: V): Leaf<V> | undefined {
    const at = lowerBound(leaf.keys, key);
    if (leaf.keys[at] === key) {
      this.#replaced = leaf.values[at];
      leaf.values[at] = value;
      return undefined;
    }
    this.#size++;
    this.#changes++;
    insertAt(leaf.keys, at, key);
    insertAt(leaf.values, at, value);
    if (leaf.keys.length <= maxWidth) return undefined;
    this.#appended = leaf.next === undefined && at === maxWidth;
    const keep = this.#appended ? maxWidth : (maxWidth + 1) >>> 1;
    const sibling = new Leaf<V>();
    sibling.keys = leaf.keys.splice(keep);
    sibling.values = leaf.values.splice(keep);
    sibling.next = leaf.next;
    sibling.previous = leaf;
    if (leaf.next === undefined) this.#last = sibling;
    else leaf.next.previous = sibling;
    leaf.next = sibling;
    this.#splitKey = sibling.keys[0]!;
    return sibling;
  }

  #remove(node: Node<V>, key: string): void {
    if (node instanceof Inner) {
      const at = upperBound(node.separators, key);
      const child = node.children[at]!;
      this.#remove(child, key);
      const width = child instanceof Inner ? child.children.length : child.keys.length;
      if (width < minWidth) this.#widen(node, at);
      return;
    }
    const at = lowerBound(node.keys, key);
    if (node.keys[at] !== key) return;
    this.#replaced = node.values[at];
    removeAt(node.keys, at);
    removeAt(node.values, at);
    this.#size--;
    this.#changes++;
  }

  /** Merges the child at `at` with a neighbour, or shares the neighbour's items evenly if both together are too
   * wide. */
  #widen(parent: Inner<V>, at: number): void {
    if (parent.children.length < 2) return;
    const leftAt = at > 0 ? at - 1 : at;
    const left = parent.children[leftAt]!;
    const right = parent.children[leftAt + 1]!;
    if (left instanceof Inner && right instanceof Inner) {
      left.separators.push(parent.separators[leftAt]!, ...right.separators);
      left.children.push(...right.children);
      if (left.children.length > maxWidth) {
        const keep = left.children.length >>> 1;
        right.children = left.children.splice(keep);
        right.separators = left.separators.splice(keep);
        parent.separators[leftAt] = left.separators.pop()!;
        return;
      }
    } else if (left instanceof Leaf && right instanceof Leaf) {
      left.keys.push(...right.keys);
      left.values.push(...right.values);
      if (left.keys.length > maxWidth) {
        const keep = left.keys.length >>> 1;
        right.keys = left.keys.splice(keep);
        right.values = left.values.splice(keep);
        parent.separators[leftAt] = right.keys[0]!;
        return;
      }
      left.next = right.next;
      if (right.next === undefined) this.#last = left;
      else right.next.previous = left;
    }
    removeAt(parent.separators, leftAt);
    removeAt(parent.children, leftAt + 1);
  }
}

/** A place in the map. `key` is only meaningful after a seek or a move that returned true. */
export class Cursor<V> {
  readonly #map: OrderedMap<V>;
  #leaf: Leaf<V> | undefined = undefined;
  #at = 0;
  #changes = 0;
  key = "";

  constructor(map: OrderedMap<V>) {
    this.#map = map;
  }

  /** The value of the key under the cursor as it is now. The key must not have been deleted meanwhile. */
  get value(): V {
    if (this.#changes === this.#map.changes && this.#leaf !== undefined) return this.#leaf.values[this.#at]!;
    return this.#map.get(this.key) as V;
  }

  /** To the first key that is not below `key`. */
  seek(key: string): boolean {
    const leaf = this.#map.leafOf(key);
    return this.#settleForward(leaf, lowerBound(leaf.keys, key));
  }

  /** To the first key above `key`. */
  seekAbove(key: string): boolean {
    const leaf = this.#map.leafOf(key);
    return this.#settleForward(leaf, upperBound(leaf.keys, key));
  }

  /** To the last key below `key`. */
  seekBelow(key: string): boolean {
    const leaf = this.#map.leafOf(key);
    return this.#settleBackward(leaf, lowerBound(leaf.keys, key) - 1);
  }

  /** To the last key that is not above `key`. */
  seekAtOrBelow(key: string): boolean {
    const leaf = this.#map.leafOf(key);
    return this.#settleBackward(leaf, upperBound(leaf.keys, key) - 1);
  }

  seekLast(): boolean {
    const leaf = this.#map.lastLeaf;
    return this.#settleBackward(leaf, leaf.keys.length - 1);
  }

  next(): boolean {
    if (this.#leaf === undefined) return false;
    if (this.#changes !== this.#map.changes) return this.seekAbove(this.key);
    return this.#settleForward(this.#leaf, this.#at + 1);
  }

  previous(): boolean {
    if (this.#leaf === undefined) return false;
    if (this.#changes !== this.#map.changes) return this.seekBelow(this.key);
    return this.#settleBackward(this.#leaf, this.#at - 1);
  }

  #settleForward(leaf: Leaf<V> | undefined, at: number): boolean {
    while (leaf !== undefined && at >= leaf.keys.length) {
      leaf = leaf.next;
      at = 0;
    }
    return this.#settle(leaf, at);
  }

  #settleBackward(leaf: Leaf<V> | undefined, at: number): boolean {
    while (leaf !== undefined && at < 0) {
      leaf = leaf.previous;
      if (leaf !== undefined) at = leaf.keys.length - 1;
    }
    return this.#settle(leaf, at);
  }

  #settle(leaf: Leaf<V> | undefined, at: number): boolean {
    this.#leaf = leaf;
    this.#at = at;
    this.#changes = this.#map.changes;
    if (leaf === undefined) return false;
    this.key = leaf.keys[at]!;
    return true;
  }
}
