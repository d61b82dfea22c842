/** Events as they happen. */
import { displayKey, fromUrl, parseKey, toUrl } from "../bytes.ts";
import { h, messageOf, replace } from "../dom.ts";
import { type Version, watch } from "../store.ts";
import type { MakeView, View } from "../view.ts";
import { preview } from "./key-pane.ts";

/** The newest so many are kept. */
const rowsMax = 500;
/** After a connection is lost, so long until the next try. */
const retryMs = 1_000;

export const watchView: MakeView = () => new WatchView();

const plain = { spellcheck: "false", autocapitalize: "off" };

class WatchView implements View {
  readonly element: HTMLElement;
  readonly #prefix = h("input", { type: "text", placeholder: "all keys", ...plain });
  readonly #exact = h("input", { type: "checkbox" });
  readonly #from = h("input", { type: "number", min: "0", placeholder: "now" });
  readonly #button = h("button", { class: "primary" }, "Watch");
  readonly #state = h("span", { class: "dim", role: "status" }, "Not watching.");
  readonly #body = h("tbody", {});
  #controller: AbortController | undefined;
  #seen = 0;

  constructor() {
    const toggle = (event: Event): void => {
      event.preventDefault();
      if (this.#controller) this.#stop();
      else void this.#start();
    };
    const names = ["Time", "Revision", "Event", "Key", "Value"].map((name) =>
      h("th", { scope: "col" }, name),
    );
    const form = h(
      "form",
      { class: "card row wrap", onsubmit: toggle },
      h("label", { class: "inline grow" }, h("span", {}, "Prefix"), this.#prefix),
      h("label", { class: "inline" }, h("span", {}, "From revision"), this.#from),
      h("label", { class: "check" }, this.#exact, h("span", {}, "this key only")),
      this.#button,
    );
    const table = h("table", { class: "events" }, h("thead", {}, h("tr", {}, names)), this.#body);
    this.element = h(
      "div",
      { class: "page" },
      form,
      h("p", {}, this.#state),
      h("div", { class: "card scroll" }, table),
    );
  }

  show(path: string): void {
    if (path === "") return;
    this.#prefix.value = displayKey(fromUrl(path));
    this.#exact.checked = true;
    this.#stop();
    void this.#start();
  }

  leave(): void {
    this.#controller?.abort();
  }

  #stop(): void {
    this.#controller?.abort();
    this.#controller = undefined;
    this.#button.textContent = "Watch";
    this.#state.textContent = `Stopped after ${this.#eventsSeen}.`;
  }

  async #start(): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    this.#controller = controller;
    this.#button.textContent = "Stop";
    replace(this.#body);
    this.#seen = 0;
    let startRevision = Number(this.#from.value || 0);
    const what = { key: parseKey(this.#prefix.value), isPrefix: !this.#exact.checked, signal };
    while (!signal.aborted) {
      try {
        this.#state.textContent = "Watching…";
        for await (const { events, header } of watch({ ...what, startRevision })) {
          this.#add(events);
          // The header may be ahead of events that are still on their way.
          const last = events.at(-1)?.modRevision;
          if (last !== undefined) startRevision = last + 1;
          else if (startRevision === 0) startRevision = Number(header.revision ?? 0) + 1;
          this.#state.textContent = `Watching: ${this.#eventsSeen}, revision ${header.revision ?? 0}.`;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#state.textContent = `${messageOf(error)}. Trying again…`;
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  get #eventsSeen(): string {
    return this.#seen === 1 ? "1 event" : `${this.#seen} events`;
  }

  #add(events: readonly Version[]): void {
    this.#seen += events.length;
    const time = new Date().toLocaleTimeString();
    this.#body.prepend(...events.map((event) => rowOf(event, time)).reverse());
    while (this.#body.childElementCount > rowsMax) this.#body.lastElementChild?.remove();
  }
}

function rowOf(event: Version, time: string): HTMLElement {
  const kind = event.isDeleted ? "delete" : event.version === 1 ? "create" : "put";
  return h(
    "tr",
    {},
    h("td", { class: "dim num" }, time),
    h("td", { class: "num" }, event.modRevision),
    h("td", {}, h("span", { class: `tag ${kind}` }, kind)),
    h("td", { class: "mono" }, h("a", { href: `#/keys/${toUrl(event.key)}` }, displayKey(event.key))),
    h("td", { class: "mono clip" }, event.isDeleted ? "" : preview(event.value)),
  );
}
