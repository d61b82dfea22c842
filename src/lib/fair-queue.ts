/**
 * A queue in which everybody has a turn: items carry a path of names (who asks, about what), and `take` goes round the
 * names of each level. Whoever puts in a thousand items waits for them; somebody with one item waits for one turn.
 */
export class FairQueue<Item> {
  readonly #root: Node<Item> = { size: 0, items: [], children: new Map() };

  get size(): number {
    return this.#root.size;
  }

  /** How many items wait under the first name of a path. */
  sizeUnder(name: string): number {
    return this.#root.children.get(name)?.size ?? 0;
  }

  put(path: readonly string[], item: Item): void {
    let node = this.#root;
    node.size++;
    for (const name of path) {
      let child = node.children.get(name);
      if (!child) {
        child = { size: 0, items: [], children: new Map() };
        node.children.set(name, child);
      }
      child.size++;
      node = child;
    }
    node.items.push(item);
  }

  /** The next item, or undefined if there is none. */
  take(): Item | undefined {
    return this.#root.size === 0 ? undefined : takeFrom(this.#root);
  }

  /** Takes one item out of turn. False if it is not there. */
  remove(path: readonly string[], item: Item): boolean {
    const nodes = [this.#root];
    for (const name of path) {
      const child = nodes.at(-1)!.children.get(name);
      if (!child) return false;
      nodes.push(child);
    }
    const { items } = nodes.at(-1)!;
    const at = items.indexOf(item);
    if (at < 0) return false;
    items.splice(at, 1);
    for (const node of nodes) node.size--;
    path.forEach((name, depth) => {
      if (nodes[depth + 1]!.size === 0) nodes[depth]!.children.delete(name);
    });
    return true;
  }
}

interface Node<Item> {
  /** Of this node and all under it. */
  size: number;
  readonly items: Item[];
  /** In the order of their turns: a map keeps the order in which names came. */
  readonly children: Map<string, Node<Item>>;
}

/** `node` is not empty. */
function takeFrom<Item>(node: Node<Item>): Item {
  node.size--;
  if (node.items.length > 0) return node.items.shift()!;
  const [name, child] = node.children.entries().next().value!;
  const item = takeFrom(child);
  node.children.delete(name);
  if (child.size > 0) node.children.set(name, child);
  return item;
}
