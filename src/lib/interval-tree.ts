/**
 * Spans of strings, each with a value, and the question which of them contain a point. An AVL tree ordered by where the
 * spans begin, in which every node knows how far the spans under it reach at most: finding k of n spans costs
 * O(log n + k).
 *
 * A span holds `from` and goes up to, but without, `to`; without a `to` it has no end. Spans that hold nothing are
 * allowed in and never found.
 */

class Node<V> {
  readonly from: string;
  readonly to: string | undefined;
  value: V;
  left: Node<V> | undefined = undefined;
  right: Node<V> | undefined = undefined;
  height = 1;
  /** The farthest `to` under this node; undefined is no end. */
  reach: string | undefined;

  constructor(from: string, to: string | undefined, value: V) {
    this.from = from;
    this.to = to;
    this.value = value;
    this.reach = to;
  }
}

function isBefore(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && (b === undefined || a < b);
}

/** Negative when the span (from, to) comes before the node's, 0 when it is the node's. */
function order<V>(from: string, to: string | undefined, node: Node<V>): number {
  if (from !== node.from) return from < node.from ? -1 : 1;
  if (to === node.to) return 0;
  return isBefore(to, node.to) ? -1 : 1;
}

function heightOf<V>(node: Node<V> | undefined): number {
  return node === undefined ? 0 : node.height;
}

function update<V>(node: Node<V>): void {
  const { left, right } = node;
  node.height = 1 + Math.max(heightOf(left), heightOf(right));
  let reach = node.to;
  if (left !== undefined && isBefore(reach, left.reach)) reach = left.reach;
  if (right !== undefined && isBefore(reach, right.reach)) reach = right.reach;
  node.reach = reach;
}

function rotateRight<V>(node: Node<V>): Node<V> {
  const top = node.left!;
  node.left = top.right;
  top.right = node;
  update(node);
  update(top);
  return top;
}

function rotateLeft<V>(node: Node<V>): Node<V> {
  const top = node.right!;
  node.right = top.left;
  top.left = node;
  update(node);
  update(top);
  return top;
}

/** Brings a node right whose children are balanced and differ in height by 2 at most. Returns the new top. */
function balance<V>(node: Node<V>): Node<V> {
  const lean = heightOf(node.left) - heightOf(node.right);
  if (lean > 1) {
    const left = node.left!;
    if (heightOf(left.left) < heightOf(left.right)) node.left = rotateLeft(left);
    return rotateRight(node);
  }
  if (lean < -1) {
    const right = node.right!;
    if (heightOf(right.right) < heightOf(right.left)) node.right = rotateRight(right);
    return rotateLeft(node);
  }
  update(node);
  return node;
}

export class IntervalTree<V> {
  #root: Node<V> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(from: string, to: string | undefined): V | undefined {
    let node = this.#root;
    while (node !== undefined) {
      const side = order(from, to, node);
      if (side === 0) return node.value;
      node = side < 0 ? node.left : node.right;
    }
    return undefined;
  }

  /** Replaces the value of the same span. */
  set(from: string, to: string | undefined, value: V): void {
    this.#root = this.#insert(this.#root, from, to, value);
  }

  /** Whether the span was there. */
  delete(from: string, to: string | undefined): boolean {
    const before = this.#size;
    this.#root = this.#remove(this.#root, from, to);
    return this.#size < before;
  }

  /** Calls `visit` with the value of each span that contains `point`, in the order of where the spans begin. The tree
   * must not be changed meanwhile. */
  stab(point: string, visit: (value: V) => void): void {
    if (this.#root !== undefined) visitContaining(this.#root, point, visit);
  }

  /** Whether some span contains `point`. */
  contains(point: string): boolean {
    let node = this.#root;
    // Spans to the left begin earliest: if one of them reaches far enough, either it contains the point, or all to the
    // right begin after the point (Cormen et al., Introduction to Algorithms, interval trees).
    while (node !== undefined && !(node.from <= point && isBefore(point, node.to))) {
      const { left } = node;
      node = left !== undefined && isBefore(point, left.reach) ? left : node.right;
    }
    return node !== undefined;
  }

  /** The values in the order of where their spans begin. The tree must not be changed meanwhile. */
  *values(): Generator<V, void, undefined> {
    const above: Node<V>[] = [];
    let node = this.#root;
    while (node !== undefined || above.length > 0) {
      for (; node !== undefined; node = node.left) above.push(node);
      const next = above.pop()!;
      yield next.value;
      node = next.right;
    }
  }

  /** Throws if the tree breaks one of its rules. For tests. */
  check(): void {
    let count = 0;
    let before: Node<V> | undefined;
    const walk = (node: Node<V> | undefined): void => {
      if (node === undefined) return;
      walk(node.left);
      if (before !== undefined && order(before.from, before.to, node) >= 0) throw new Error("out of order");
      before = node;
      count++;
      walk(node.right);
      const { height, reach } = node;
      update(node);
      if (node.height !== height || node.reach !== reach) throw new Error("wrong sums in a node");
      if (Math.abs(heightOf(node.left) - heightOf(node.right)) > 1) throw new Error("out of balance");
    };
    walk(this.#root);
    if (count !== this.#size) throw new Error(`${count} spans, but size says ${this.#size}`);
  }

  #insert(node: Node<V> | undefined, from: string, to: string | undefined, value: V): Node<V> {
    if (node === undefined) {
      this.#size++;
      return new Node(from, to, value);
    }
    const side = order(from, to, node);
    if (side === 0) {
      node.value = value;
      return node;
    }
    if (side < 0) node.left = this.#insert(node.left, from, to, value);
    else node.right = this.#insert(node.right, from, to, value);
    return balance(node);
  }

  #remove(node: Node<V> | undefined, from: string, to: string | undefined): Node<V> | undefined {
    if (node === undefined) return undefined;
    const side = order(from, to, node);
    if (side < 0) node.left = this.#remove(node.left, from, to);
    else if (side > 0) node.right = this.#remove(node.right, from, to);
    else {
      this.#size--;
      if (node.left === undefined) return node.right;
      if (node.right === undefined) return node.left;
      const { first, rest } = takeFirst(node.right);
      first.left = node.left;
      first.right = rest;
      node = first;
    }
    return balance(node);
  }
}

function takeFirst<V>(node: Node<V>): { first: Node<V>; rest: Node<V> | undefined } {
  if (node.left === undefined) return { first: node, rest: node.right };
  const { first, rest } = takeFirst(node.left);
  node.left = rest;
  return { first, rest: balance(node) };
}

function visitContaining<V>(node: Node<V>, point: string, visit: (value: V) => void): void {
  const { left, right } = node;
  if (left !== undefined && isBefore(point, left.reach)) visitContaining(left, point, visit);
  if (point < node.from) return;
  if (isBefore(point, node.to)) visit(node.value);
  if (right !== undefined && isBefore(point, right.reach)) visitContaining(right, point, visit);
}
