/** One key: its value, what can be done with it, and its past. */
import { displayKey, fromText, textOf, toUrl } from "../bytes.ts";
import { guessFormat, indentJson } from "../decode-value.ts";
import { diffLines, foldLines } from "../diff-lines.ts";
import { action, ask, h, messageOf, notify, replace } from "../dom.ts";
import { deleteIfUnchanged, getKey, historyOf, mayWrite, putIfUnchanged, type Version } from "../store.ts";
import type { Shared } from "../view.ts";
import { valuePane } from "./value-pane.ts";

/** More versions than these are not listed. */
const versionsMax = 200;

interface Options {
  readonly shared: Shared;
  /** A key has come or gone. */
  readonly onChanged: () => void;
}

export async function showKey(pane: HTMLElement, key: string, options: Options): Promise<void> {
  replace(pane, h("p", { class: "dim" }, "Reading…"));
  let version: Version | undefined;
  try {
    version = await getKey(key);
  } catch (error) {
    replace(pane, heading(key), h("p", { class: "problem", role: "alert" }, messageOf(error)));
    return;
  }
  const history = h("section", { "aria-label": "History" });
  const actions = buttonsFor(key, version, { ...options, pane, history });
  if (version === undefined) {
    replace(pane, heading(key), h("p", {}, "There is no such key now."), actions, history);
    return;
  }
  replace(pane, heading(key), facts(version), actions, valuePane(version.value), history);
}

function heading(key: string): HTMLElement {
  const copy = h(
    "button",
    { class: "quiet", "aria-label": "Copy the key", onclick: () => copyText(displayKey(key)) },
    "Copy",
  );
  return h(
    "header",
    { class: "key-head" },
    h("a", { class: "back", href: "#/keys" }, "‹ Keys"),
    h("h2", { class: "mono" }, displayKey(key)),
    copy,
  );
}

function copyText(text: string): void {
  navigator.clipboard.writeText(text).then(
    () => notify("Copied."),
    () => notify("The browser did not allow it.", "bad"),
  );
}

export function facts(version: Version): HTMLElement {
  const rows: [string, string | HTMLElement][] = [
    ["Version", String(version.version)],
    ["Changed at", `revision ${version.modRevision}`],
    ["Created at", `revision ${version.createRevision}`],
  ];
  if (version.lease !== "0") {
    rows.push(["Lease", h("a", { href: "#/leases", class: "mono" }, BigInt(version.lease).toString(16))]);
  }
  return h(
    "dl",
    { class: "facts" },
    rows.map(([name, content]) => h("div", {}, h("dt", {}, name), h("dd", {}, content))),
  );
}

interface ButtonOptions extends Options {
  readonly pane: HTMLElement;
  readonly history: HTMLElement;
}

function buttonsFor(key: string, version: Version | undefined, options: ButtonOptions): HTMLElement {
  const { shared, onChanged, pane, history } = options;
  const again = () => showKey(pane, key, options);
  const canWrite = mayWrite(shared.permissions, key);
  const edit = action(async () => {
    await editKey(key, version);
    await again();
    if (version === undefined) onChanged();
  });
  const remove = action(() =>
    ask({
      title: "Delete this key?",
      text: displayKey(key),
      button: "Delete",
      danger: true,
      submit: async () => {
        await deleteIfUnchanged(key, version!.modRevision);
        notify("Deleted.");
        await again();
        onChanged();
      },
    }),
  );
  const showHistory = action(() => fillHistory(history, key, version?.modRevision ?? 0));
  return h(
    "div",
    { class: "row wrap" },
    canWrite && h("button", { class: "primary", onclick: edit }, version ? "Edit" : "Put"),
    canWrite && version && h("button", { class: "danger", onclick: remove }, "Delete"),
    h("button", { onclick: showHistory }, "History"),
    h("a", { class: "button", href: `#/watch/${toUrl(key)}` }, "Watch"),
    h("button", { onclick: action(again) }, "Reload"),
  );
}

function editKey(key: string, version: Version | undefined): Promise<void> {
  const text = version && textOf(version.value);
  if (version && !isSafeToType(version.value)) {
    return ask({
      title: "Edit the bytes",
      text: displayKey(key),
      fields: [
        { name: "hex", label: "Value, in hexadecimal", type: "textarea", value: toHex(version.value) },
      ],
      button: "Save",
      submit: async ({ hex = "" }) => save(key, fromHex(hex), version),
    });
  }
  return ask({
    title: version ? "Edit the value" : "Put the key",
    text: displayKey(key),
    fields: [{ name: "value", label: "Value", type: "textarea", value: text ?? "" }],
    button: "Save",
    submit: async ({ value = "" }) => save(key, fromText(value), version),
  });
}

/** A text field would change what is no plain text, and turn line ends of Windows into others. */
function isSafeToType(value: string): boolean {
  return ["text", "json"].includes(guessFormat(value)) && !value.includes("\r");
}

async function save(key: string, value: string, version: Version | undefined): Promise<void> {
  await putIfUnchanged(key, value, version?.modRevision ?? 0, version !== undefined && version.lease !== "0");
  notify("Saved.");
}

const toHex = (value: string): string =>
  [...value].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join(" ");

function fromHex(text: string): string {
  const digits = text.replaceAll(/\s/g, "");
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new Error("a byte is two digits from 0 to f");
  return digits.replaceAll(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}

async function fillHistory(section: HTMLElement, key: string, newestRevision: number): Promise<void> {
  replace(section, h("h3", {}, "History"), h("p", { class: "dim" }, "Reading…"));
  const versions = (await historyOf(key, newestRevision)).slice(0, versionsMax);
  const comparison = h("div", {});
  const chosen = new Set<Version>(versions.slice(0, 2));
  const compare = () => replace(comparison, comparisonOf([...chosen]));
  const boxes = new Map<Version, HTMLInputElement>();
  const rows = versions.map((version) => {
    const box = h("input", {
      type: "checkbox",
      checked: chosen.has(version),
      "aria-label": `Compare revision ${version.modRevision}`,
    });
    boxes.set(version, box);
    box.addEventListener("change", () => {
      if (!box.checked) chosen.delete(version);
      else {
        chosen.add(version);
        // Two are compared: the one chosen first makes room.
        const [oldest] = chosen;
        if (chosen.size > 2 && oldest) {
          chosen.delete(oldest);
          boxes.get(oldest)!.checked = false;
        }
      }
      compare();
    });
    const what = version.isDeleted ? h("em", {}, "deleted") : preview(version.value);
    return h(
      "tr",
      {},
      h("td", {}, box),
      h("td", { class: "num" }, version.modRevision),
      h("td", { class: "num" }, version.isDeleted ? "" : version.version),
      h("td", { class: "mono clip" }, what),
    );
  });
  const head = h(
    "tr",
    {},
    ["Compare", "Revision", "Version", "Value"].map((name) => h("th", { scope: "col" }, name)),
  );
  replace(
    section,
    h("h3", {}, "History"),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), h("tbody", {}, rows))),
    comparison,
  );
  compare();
  section.scrollIntoView({ block: "nearest" });
}

export function preview(value: string): string {
  const text = textOf(value);
  return text === undefined ? `${value.length} bytes` : text.slice(0, 200);
}

function comparisonOf(chosen: readonly Version[]): HTMLElement {
  const [before, after] = [...chosen].sort((a, b) => a.modRevision - b.modRevision);
  if (!before || !after) return h("p", { class: "dim" }, "Choose two revisions to compare them.");
  const lines = foldLines(diffLines(comparable(before), comparable(after)));
  const signs = { same: " ", added: "+", removed: "−", folded: " " } as const;
  return h(
    "section",
    { "aria-label": "Comparison" },
    h("h3", {}, `Revision ${before.modRevision} to ${after.modRevision}`),
    h(
      "pre",
      { class: "diff", tabindex: "0" },
      lines.map(({ kind, text }) => h("span", { class: kind }, `${signs[kind]} ${text}\n`)),
    ),
  );
}

function comparable(version: Version): string {
  if (version.isDeleted) return "";
  const text = textOf(version.value);
  return text === undefined
    ? toHex(version.value).replaceAll(/(.{48})/g, "$1\n")
    : (indentJson(text) ?? text);
}
