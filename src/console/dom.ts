/** Elements from a few words. Everything becomes text or a property: nothing from the store is ever read as HTML. */

type Child = Node | string | number | undefined | false | null;
type Properties = Readonly<Record<string, unknown>>;

/** `h("button", { class: "quiet", onclick: f, "aria-label": "Close" }, "x")`. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  apply(element, properties);
  append(element, children);
  return element;
}

const svgSpace = "http://www.w3.org/2000/svg";

export function svg(name: string, attributes: Properties = {}, ...children: readonly Child[]): SVGElement {
  const element = document.createElementNS(svgSpace, name);
  apply(element, attributes);
  append(element, children);
  return element;
}

function apply(element: Element, properties: Properties): void {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (name === "value") (element as HTMLInputElement).value = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

function append(element: Element, children: readonly (Child | readonly Child[])[]): void {
  for (const child of children.flat()) {
    if (child === undefined || child === false || child === null) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

export function replace(parent: Element, ...children: readonly (Child | readonly Child[])[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** A line at the bottom that says what has happened, and is read aloud. */
const notices = h("div", { class: "notices", role: "status", "aria-live": "polite" });

export function notify(text: string, kind: "good" | "bad" = "good"): void {
  if (!notices.isConnected) document.body.append(notices);
  const notice = h("div", { class: `notice ${kind}` }, text);
  notices.append(notice);
  setTimeout(() => notice.remove(), kind === "good" ? 3_000 : 8_000);
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs what a button stands for; the button waits, and what goes wrong is said. */
export function action(run: () => Promise<unknown>): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    const button = event.currentTarget instanceof HTMLButtonElement ? event.currentTarget : undefined;
    if (button) button.disabled = true;
    run()
      .catch((error: unknown) => notify(messageOf(error), "bad"))
      .finally(() => {
        if (button) button.disabled = false;
      });
  };
}

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "password" | "number" | "textarea" | "checkbox";
  readonly value?: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
}

/** Asks in a dialog. Resolves to the fields' values once `submit` has done its work, to undefined if nothing is wanted. */
export function ask(options: {
  readonly title: string;
  readonly text?: string;
  readonly fields?: readonly Field[];
  readonly button: string;
  readonly danger?: boolean;
  /** There is no way around it. */
  readonly mandatory?: boolean;
  readonly submit: (values: Readonly<Record<string, string>>) => Promise<void>;
}): Promise<void> {
  return new Promise((resolve) => {
    const problem = h("p", { class: "problem", role: "alert" });
    const inputs = (options.fields ?? []).map((field) => [field, inputFor(field)] as const);
    const submit = h("button", { class: options.danger ? "danger" : "primary" }, options.button);
    const form = h(
      "form",
      {
        onsubmit: (event: Event) => {
          event.preventDefault();
          submit.disabled = true;
          const values = Object.fromEntries(inputs.map(([field, input]) => [field.name, valueIn(input)]));
          options.submit(values).then(
            () => dialog.close(),
            (error: unknown) => {
              problem.textContent = messageOf(error);
              submit.disabled = false;
            },
          );
        },
      },
      h("h2", {}, options.title),
      options.text !== undefined && h("p", {}, options.text),
      inputs.map(([field, input]) =>
        h(
          "label",
          { class: field.type === "checkbox" ? "check" : "" },
          h("span", {}, field.label),
          input,
          field.hint && h("small", {}, field.hint),
        ),
      ),
      problem,
      h(
        "div",
        { class: "row end" },
        !options.mandatory && h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
        submit,
      ),
    );
    const dialog = h("dialog", { "aria-label": options.title }, form);
    dialog.addEventListener("cancel", (event) => options.mandatory && event.preventDefault());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

type Input = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

function inputFor(field: Field): Input {
  const { name, type = "text", value = "", required } = field;
  if (field.choices) {
    return h(
      "select",
      { name },
      field.choices.map((choice) => h("option", { selected: choice === value }, choice)),
    );
  }
  if (type === "textarea") return h("textarea", { name, value, rows: 8, spellcheck: "false", required });
  if (type === "checkbox") return h("input", { name, type, checked: value === "true" });
  const secret = type === "password" ? { autocomplete: "current-password" } : { autocomplete: "off" };
  return h("input", { name, type, value, required, spellcheck: "false", autocapitalize: "off", ...secret });
}

const valueIn = (input: Input): string =>
  input instanceof HTMLInputElement && input.type === "checkbox" ? String(input.checked) : input.value;
