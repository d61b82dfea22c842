/**
 * The tree of keys: a level is read when it is opened, a page of it at a time, and the next page when its end comes into
 * view. The browser lays out only what is in view (style.css).
 */
import { displayKey, prefixEnd } from "./bytes.ts";
import { h, messageOf, notify } from "./dom.ts";
import { type Entry, type Level, type LevelRange, nameOf, readLevel } from "./level.ts";
import type { Permission } from "./store.ts";

/** Entries of a level that are read at a time. */
const pageEntries = 200;

interface TreeRange extends Omit<LevelRange, "limit"> {
  readonly depth: number;
  /** The range begins somewhere in the tree: its entries are shown with all of their names. */
  readonly isRoot?: boolean;
}

const folderOf = (key: string): string => key.slice(0, key.lastIndexOf("/") + 1);

export class KeyTree {
  readonly element = h("ul", { class: "tree", role: "tree", "aria-label": "Keys" });
  readonly #onSelect: (key: string) => void;
  /** Who scrolls to the end of a page gets the next. */
  readonly #ends = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (isIntersecting) target.querySelector("button")?.click();
    }
  });

  constructor(onSelect: (key: string) => void) {
    this.#onSelect = onSelect;
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Shows what begins with `prefix`; or, for a user who may not see everything, what that user may see of it. */
  async show(prefix: string, permissions: readonly Permission[] | undefined): Promise<void> {
    this.element.replaceChildren();
    if (prefix !== "") {
      // It may end within a name: what is shown begins before that.
      const range = { prefix: folderOf(prefix), from: prefix, end: prefixEnd(prefix), depth: 1 };
      await this.#fill(this.element, { ...range, isRoot: true });
    } else if (permissions === undefined) {
      await this.#fill(this.element, { prefix, from: prefix, end: prefixEnd(prefix), depth: 1 });
    } else {
      for (const { key, rangeEnd, mayRead } of permissions) {
        if (!mayRead) continue;
        if (rangeEnd === "") this.element.append(this.#item({ key, isFolder: false, count: 1 }, "", 1));
        else {
          await this.#fill(this.element, {
            prefix: folderOf(key),
            from: key,
            end: rangeEnd,
            depth: 1,
            isRoot: true,
          });
        }
      }
    }
    if (this.element.childElementCount === 0) {
      this.element.append(
        h(
          "li",
          { class: "empty", role: "none" },
          prefix === "" ? "There are no keys yet." : "No key begins so.",
        ),
      );
    }
    const items = this.element.querySelectorAll<HTMLElement>("[role=treeitem]");
    if (items[0]) items[0].tabIndex = 0;
    // A folder alone, as the "/" that all keys begin with, is in the way.
    if (items.length === 1 && items[0]?.hasAttribute("aria-expanded"))
      this.#open(items[0], items[0].dataset["key"]!, 1);
  }

  select(key: string | undefined): void {
    for (const item of this.element.querySelectorAll<HTMLElement>("[role=treeitem]")) {
      item.setAttribute("aria-selected", String(item.dataset["key"] === key));
    }
  }

  async #fill(list: HTMLElement, range: TreeRange): Promise<void> {
    const { prefix, depth } = range;
    const asked: LevelRange = { ...range, limit: pageEntries };
    let level: Level;
    try {
      level = await readLevel(asked);
    } catch (error) {
      list.append(h("li", { class: "problem", role: "none" }, messageOf(error)));
      return;
    }
    const shownPrefix = range.isRoot ? "" : prefix;
    const items = level.entries.map((entry) => this.#item(entry, shownPrefix, depth));
    list.append(...items);
    if (level.entries.some(({ isFolder }) => isFolder)) this.#countLater(asked, items);
    const { next } = level;
    if (next === undefined) return;
    const more = h(
      "li",
      { class: "more", role: "none" },
      h(
        "button",
        { class: "quiet", onclick: () => this.#more(more, list, { ...range, from: next }) },
        "Show more",
      ),
    );
    list.append(more);
    this.#ends.observe(more);
  }

  #more(more: Element, list: HTMLElement, range: TreeRange): void {
    this.#ends.unobserve(more);
    more.remove();
    this.#fill(list, range).catch((error: unknown) => notify(messageOf(error), "bad"));
  }

  #item(entry: Entry, prefix: string, depth: number): HTMLElement {
    const name = displayKey(nameOf(entry, prefix));
    const item = h("li", {
      role: "treeitem",
      tabindex: "-1",
      "aria-level": depth,
      "aria-selected": "false",
      "aria-label": name,
      "aria-expanded": entry.isFolder ? "false" : undefined,
    });
    item.dataset["key"] = entry.key;
    item.style.setProperty("--depth", String(depth));
    const row = h(
      "div",
      { class: "node", onclick: () => this.#activate(item, entry, depth) },
      h("span", { class: entry.isFolder ? "twist" : "leaf", "aria-hidden": "true" }),
      h("span", { class: "name" }, name),
      h("span", { class: "count" }),
    );
    item.append(row);
    return item;
  }

  #counting: Promise<void> = Promise.resolve();

  /** Counts follow what people wait for, one page after the other. */
  #countLater(range: LevelRange, items: readonly HTMLElement[]): void {
    this.#counting = this.#counting.then(async () => {
      if (!items.some(({ isConnected }) => isConnected)) return;
      const { entries } = await readLevel(range, true).catch((): Level => ({ entries: [], next: undefined }));
      const counts = new Map(entries.map(({ key, isFolder, count }) => [key, isFolder ? count : undefined]));
      for (const item of items) {
        const count = counts.get(item.dataset["key"]!);
        if (count !== undefined) item.querySelector(".count")!.textContent = count.toLocaleString("en");
      }
    });
  }

  #activate(item: HTMLElement, entry: Entry, depth: number): void {
    this.#focus(item);
    if (!entry.isFolder) this.#onSelect(entry.key);
    else if (item.getAttribute("aria-expanded") === "true") this.#close(item);
    else this.#open(item, entry.key, depth);
  }

  #open(item: HTMLElement, prefix: string, depth: number): void {
    item.setAttribute("aria-expanded", "true");
    const group = h("ul", { role: "group" });
    item.append(group);
    const range = { prefix, from: prefix, end: prefixEnd(prefix), depth: depth + 1 };
    this.#fill(group, range).catch((error: unknown) => notify(messageOf(error), "bad"));
  }

  #close(item: HTMLElement): void {
    item.setAttribute("aria-expanded", "false");
    item.querySelector("ul")?.remove();
  }

  #focus(item: HTMLElement): void {
    for (const other of this.element.querySelectorAll<HTMLElement>('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    item.focus();
  }

  /** The keys of the ARIA pattern for trees. */
  #onKey(event: KeyboardEvent): void {
    const item = (event.target as HTMLElement).closest<HTMLElement>("[role=treeitem]");
    if (!item || event.target instanceof HTMLButtonElement) return;
    const items = [...this.element.querySelectorAll<HTMLElement>("[role=treeitem]")];
    const at = items.indexOf(item);
    const isOpen = item.getAttribute("aria-expanded") === "true";
    const row = item.querySelector<HTMLElement>(".node");
    const moves: Readonly<Record<string, () => void>> = {
      ArrowDown: () => items[at + 1] && this.#focus(items[at + 1]!),
      ArrowUp: () => items[at - 1] && this.#focus(items[at - 1]!),
      Home: () => items[0] && this.#focus(items[0]),
      End: () => this.#focus(items.at(-1)!),
      ArrowRight: () => {
        if (item.getAttribute("aria-expanded") === "false") row?.click();
        else if (isOpen && items[at + 1]) this.#focus(items[at + 1]!);
      },
      ArrowLeft: () => {
        const parent = item.parentElement?.closest<HTMLElement>("[role=treeitem]");
        if (isOpen) this.#close(item);
        else if (parent) this.#focus(parent);
      },
      Enter: () => row?.click(),
      " ": () => row?.click(),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  }
}
