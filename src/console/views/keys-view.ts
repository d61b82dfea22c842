/** What is stored: the tree beside one key. */
import { displayKey, fromText, fromUrl, parseKey, toUrl } from "../bytes.ts";
import { action, ask, h, messageOf, notify, replace } from "../dom.ts";
import { putIfUnchanged } from "../store.ts";
import { KeyTree } from "../tree.ts";
import type { MakeView } from "../view.ts";
import { showKey } from "./key-pane.ts";

export const keysView: MakeView = (shared) => {
  const pane = h("section", { class: "pane detail", "aria-label": "Key" });
  const tree = new KeyTree((key) => {
    location.hash = `#/keys/${toUrl(key)}`;
  });
  const search = h("input", {
    type: "search",
    placeholder: "Keys that begin with…",
    "aria-label": "Prefix of keys",
    spellcheck: "false",
    autocapitalize: "off",
  });
  const reload = () => tree.show(parseKey(search.value), shared.permissions);
  const find = (event: Event) => {
    event.preventDefault();
    reload().catch((error: unknown) => notify(messageOf(error), "bad"));
  };
  const add = action(() =>
    ask({
      title: "New key",
      fields: [
        { name: "key", label: "Key", value: search.value, required: true },
        { name: "value", label: "Value", type: "textarea" },
      ],
      button: "Put",
      submit: async ({ key = "", value = "" }) => {
        await putIfUnchanged(parseKey(key), fromText(value), 0, false);
        notify("Saved.");
        location.hash = `#/keys/${toUrl(parseKey(key))}`;
        await reload();
      },
    }),
  );
  const side = h(
    "section",
    { class: "pane side", "aria-label": "Keys" },
    h("form", { class: "row", role: "search", onsubmit: find }, search, h("button", {}, "Find")),
    h(
      "div",
      { class: "row" },
      h("button", { class: "primary", onclick: add }, "New key"),
      h("button", { onclick: action(reload) }, "Reload"),
    ),
    h("div", { class: "scroll grow" }, tree.element),
  );
  const element = h("div", { class: "split" }, side, pane);
  action(reload)(new Event("open"));
  return {
    element,
    show(path) {
      const key = path === "" ? undefined : fromUrl(path);
      element.classList.toggle("has-detail", key !== undefined);
      tree.select(key);
      if (key === undefined) {
        replace(
          pane,
          h("p", { class: "placeholder" }, "Choose a key to see its value, its history and its lease."),
        );
        return;
      }
      document.title = `${displayKey(key)} · etclite`;
      void showKey(pane, key, { shared, onChanged: () => action(reload)(new Event("change")) });
    },
    leave() {},
  };
};
