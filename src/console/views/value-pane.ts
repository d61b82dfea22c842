/** A value as text, JSON, hex, or what Kubernetes stored. */
import { humanBytes, textOf } from "../bytes.ts";
import { decodeKubernetes, type Format, guessFormat, hexDump, indentJson } from "../decode-value.ts";
import { h, replace } from "../dom.ts";

const names: Readonly<Record<Format, string>> = {
  text: "Text",
  json: "JSON",
  hex: "Hex",
  kubernetes: "Kubernetes",
};

/** What is shown of a long text. */
const charactersMax = 512 * 1024;

export function valuePane(value: string): HTMLElement {
  const body = h("div", { class: "value" });
  const guessed = guessFormat(value);
  const text = textOf(value);
  const formats: Format[] = [
    ...(decodeKubernetes(value) && value.startsWith("k8s\0") ? (["kubernetes"] as const) : []),
    ...(text === undefined ? [] : (["text"] as const)),
    ...(text !== undefined && indentJson(text) !== undefined ? (["json"] as const) : []),
    "hex",
  ];
  const buttons = formats.map((format) =>
    h(
      "button",
      { type: "button", "aria-pressed": String(format === guessed), onclick: () => show(format) },
      names[format],
    ),
  );
  const show = (format: Format): void => {
    for (const [i, button] of buttons.entries()) {
      button.setAttribute("aria-pressed", String(formats[i] === format));
    }
    replace(body, render(format, value, text));
  };
  show(guessed);
  const size = h("span", { class: "dim" }, humanBytes(value.length));
  return h(
    "section",
    { "aria-label": "Value" },
    h(
      "div",
      { class: "row" },
      h("div", { class: "segments", role: "group", "aria-label": "Show the value as" }, buttons),
      size,
    ),
    body,
  );
}

function render(format: Format, value: string, text: string | undefined): HTMLElement {
  if (format === "kubernetes") {
    const object = decodeKubernetes(value)!;
    const rows = [
      ["Kind", object.kind],
      ["API version", object.apiVersion],
      ["Name", object.name],
      ["Namespace", object.namespace],
      ["UID", object.uid],
      ["Object", humanBytes(object.sizeBytes)],
    ].filter(([, content]) => content !== "");
    return h(
      "dl",
      { class: "facts" },
      rows.map(([name, content]) => h("div", {}, h("dt", {}, name), h("dd", {}, content))),
    );
  }
  let shown = hexDump(value);
  if (format === "text") shown = text ?? "";
  else if (format === "json") shown = indentJson(text ?? "") ?? "";
  const cut = shown.length > charactersMax ? `${shown.slice(0, charactersMax)}\n... cut off` : shown;
  return h(
    "pre",
    { tabindex: "0", class: format },
    cut === "" ? h("span", { class: "dim" }, "(empty)") : cut,
  );
}
