/** Watchers by what they watch: single keys in a Map, ranges in an interval tree. */
import type { BinaryKey } from "../../backend/backend.ts";
import { IntervalTree } from "../../lib/interval-tree.ts";
import type { Watcher } from "./watcher.ts";
import { WatcherGroup } from "./watcher.ts";

export class WatcherIndex {
  readonly #keys = new Map<BinaryKey, WatcherGroup>();
  readonly #ranges = new IntervalTree<WatcherGroup>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    const { from, to } = watcher.span;
    let group = watcher.single ? this.#keys.get(from) : this.#ranges.get(from, to);
    if (group === undefined) {
      group = new WatcherGroup();
      if (watcher.single) this.#keys.set(from, group);
      else this.#ranges.set(from, to, group);
    }
    group.watchers.add(watcher);
    this.#size++;
  }

  remove(watcher: Watcher): void {
    const { from, to } = watcher.span;
    const group = watcher.single ? this.#keys.get(from) : this.#ranges.get(from, to);
    if (group === undefined || !group.watchers.delete(watcher)) {
      throw new Error("mvcc: a watcher is missing from its index");
    }
    this.#size--;
    if (group.watchers.size > 0) return;
    if (watcher.single) this.#keys.delete(from);
    else this.#ranges.delete(from, to);
  }

  /** Calls `visit` with each group that watches `key`. */
  match(key: BinaryKey, visit: (group: WatcherGroup) => void): void {
    const group = this.#keys.get(key);
    if (group !== undefined) visit(group);
    if (this.#ranges.size > 0) this.#ranges.stab(key, visit);
  }

  /** All watchers there are now. */
  all(): Watcher[] {
    const watchers: Watcher[] = [];
    for (const group of this.#keys.values()) for (const watcher of group.watchers) watchers.push(watcher);
    for (const group of this.#ranges.values()) for (const watcher of group.watchers) watchers.push(watcher);
    return watchers;
  }
}
