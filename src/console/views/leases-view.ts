/** Leases, with the time that each has left. */
import { call } from "../api.ts";
import { displayKey, fromBase64, toUrl } from "../bytes.ts";
import { action, ask, h, messageOf, notify, replace } from "../dom.ts";
import type { MakeView, View } from "../view.ts";

/** The time left is asked for so many leases; of others the id is shown. */
const detailedMax = 200;
const askedAtOnce = 8;
const refreshMs = 15_000;
const tickMs = 500;

interface Lease {
  readonly id: string;
  readonly grantedTtl: number;
  /** `performance.now()` at which it ends; undefined if it was not asked for. */
  readonly endsAt: number | undefined;
  readonly keys: readonly string[];
}

interface TimeToLive {
  readonly TTL?: string;
  readonly grantedTTL?: string;
  readonly keys?: string[];
}

async function readLease(id: string): Promise<Lease | undefined> {
  const {
    TTL = "0",
    grantedTTL = "0",
    keys = [],
  } = await call<TimeToLive>("Lease/LeaseTimeToLive", { ID: id, keys: true });
  if (Number(TTL) < 0) return undefined;
  const endsAt = performance.now() + Number(TTL) * 1_000;
  return { id, grantedTtl: Number(grantedTTL), endsAt, keys: keys.map(fromBase64) };
}

async function readLeases(): Promise<Lease[]> {
  const { leases = [] } = await call<{ leases?: { ID: string }[] }>("Lease/LeaseLeases");
  const ids = leases.map(({ ID }) => ID);
  const found: Lease[] = [];
  for (let at = 0; at < Math.min(ids.length, detailedMax); at += askedAtOnce) {
    const some = await Promise.all(ids.slice(at, at + askedAtOnce).map(readLease));
    found.push(...some.filter((lease) => lease !== undefined));
  }
  found.sort((a, b) => a.endsAt! - b.endsAt!);
  const rest = ids.slice(detailedMax).map((id) => ({ id, grantedTtl: 0, endsAt: undefined, keys: [] }));
  return [...found, ...rest];
}

export const leasesView: MakeView = () => new LeasesView();

class LeasesView implements View {
  readonly element: HTMLElement;
  readonly #list = h("div", { class: "card scroll" }, h("p", { class: "dim" }, "Reading…"));
  #updates: (() => void)[] = [];
  readonly #tick = setInterval(() => {
    for (const update of this.#updates) update();
  }, tickMs);
  readonly #refresh = setInterval(() => this.#loadQuietly(), refreshMs);

  constructor() {
    const grant = h("button", { class: "primary", onclick: action(() => this.#grant()) }, "Grant a lease");
    const reload = h("button", { onclick: action(() => this.#load()) }, "Reload");
    this.element = h("div", { class: "page" }, h("div", { class: "row" }, grant, reload), this.#list);
    this.#loadQuietly();
  }

  show(): void {}

  leave(): void {
    clearInterval(this.#tick);
    clearInterval(this.#refresh);
  }

  async #load(): Promise<void> {
    const leases = await readLeases();
    this.#updates = [];
    const none = h("p", { class: "empty" }, "There are no leases.");
    replace(this.#list, leases.length === 0 ? none : this.#table(leases));
  }

  #loadQuietly(): void {
    this.#load().catch((error: unknown) => {
      replace(this.#list, h("p", { class: "problem", role: "alert" }, messageOf(error)));
    });
  }

  #table(leases: readonly Lease[]): HTMLElement {
    const names = ["Lease", "Time left", "Granted", "Keys", ""].map((name) =>
      h("th", { scope: "col" }, name),
    );
    const rows = leases.map((lease) => this.#row(lease));
    return h("table", { class: "leases" }, h("thead", {}, h("tr", {}, names)), h("tbody", {}, rows));
  }

  #row(lease: Lease): HTMLElement {
    const left = h("td", { class: "left" });
    const { endsAt } = lease;
    if (endsAt !== undefined) {
      const bar = h("progress", { max: lease.grantedTtl, value: 0, "aria-label": "Time left" });
      const text = h("span", { class: "num" });
      left.append(text, bar);
      const update = () => {
        const seconds = Math.max(0, (endsAt - performance.now()) / 1_000);
        text.textContent = humanSeconds(seconds);
        bar.value = seconds;
      };
      update();
      this.#updates.push(update);
    }
    const revoke = h(
      "button",
      { class: "danger small", onclick: action(() => this.#revoke(lease)) },
      "Revoke",
    );
    return h(
      "tr",
      {},
      h("td", { class: "mono" }, BigInt(lease.id).toString(16)),
      left,
      h("td", { class: "num" }, lease.grantedTtl === 0 ? "" : humanSeconds(lease.grantedTtl)),
      h("td", { class: "mono clip" }, keyLinks(lease.keys)),
      h("td", {}, revoke),
    );
  }

  #revoke(lease: Lease): Promise<void> {
    return ask({
      title: "Revoke this lease?",
      text: `Its ${lease.keys.length === 1 ? "key goes" : `${lease.keys.length} keys go`} with it.`,
      button: "Revoke",
      danger: true,
      submit: async () => {
        await call("Lease/LeaseRevoke", { ID: lease.id });
        notify("Revoked.");
        this.#loadQuietly();
      },
    });
  }

  #grant(): Promise<void> {
    return ask({
      title: "Grant a lease",
      fields: [{ name: "ttl", label: "Seconds to live", type: "number", value: "60", required: true }],
      button: "Grant",
      submit: async ({ ttl = "60" }) => {
        const { ID } = await call<{ ID: string }>("Lease/LeaseGrant", { TTL: ttl });
        notify(`Granted ${BigInt(ID).toString(16)}.`);
        this.#loadQuietly();
      },
    });
  }
}

const linksMax = 5;

function keyLinks(keys: readonly string[]): (HTMLElement | string)[] {
  const links = keys
    .slice(0, linksMax)
    .flatMap((key) => [h("a", { href: `#/keys/${toUrl(key)}` }, displayKey(key)), " "]);
  return keys.length > linksMax ? [...links, `and ${keys.length - linksMax} more`] : links;
}

export function humanSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
