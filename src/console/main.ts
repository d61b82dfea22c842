/** The frame: navigation, login, light and dark, and one view at a time. */
import { call, loginWanted, session } from "./api.ts";
import { ask, h, messageOf, notify, replace, svg } from "./dom.ts";
import { ownPermissions, type Permission } from "./store.ts";
import { nextTheme, showTheme, theme } from "./theme.ts";
import type { MakeView, View } from "./view.ts";
import { keysView } from "./views/keys-view.ts";
import { leasesView } from "./views/leases-view.ts";
import { membersView } from "./views/members-view.ts";
import { metricsView } from "./views/metrics-view.ts";
import { usersView } from "./views/users-view.ts";
import { watchView } from "./views/watch-view.ts";

interface Tab {
  readonly title: string;
  /** Lines of a 24 by 24 picture. */
  readonly icon: string;
  readonly make: MakeView;
}

const tabs: Readonly<Record<string, Tab>> = {
  keys: { title: "Keys", icon: "M5 5h6v5H5zM13 14h6v5h-6zM8 10v6.5h5", make: keysView },
  watch: {
    title: "Watch",
    icon: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
    make: watchView,
  },
  leases: { title: "Leases", icon: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4.5l3 2", make: leasesView },
  members: { title: "Members", icon: "M5 4h14v6H5zM5 14h14v6H5zM8 7h.1M8 17h.1", make: membersView },
  users: {
    title: "Users",
    icon: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4.5 20c.8-4 3.8-5.5 7.500-5.500s6.700 1.500 7.500 5.500",
    make: usersView,
  },
  metrics: { title: "Metrics", icon: "M4 19h16M5 15l4-5 4 3 6-8", make: metricsView },
};

let current: { name: string; view: View } | undefined;
let permissions: readonly Permission[] | undefined;
let isAuthEnabled = false;

const main = h("main", { id: "main", tabindex: "-1" });
const links = Object.entries(tabs).map(([name, { title, icon }]) => {
  const picture = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: icon }));
  const link = h("a", { href: `#/${name}` }, picture as never, h("span", {}, title));
  return [name, link] as const;
});
const account = h("div", { class: "row" });

function frame(): void {
  const themeButton = h("button", { class: "quiet" }, `Theme: ${theme()}`);
  themeButton.addEventListener("click", () => {
    themeButton.textContent = `Theme: ${nextTheme()}`;
  });
  document.body.append(
    h("a", { class: "skip", href: "#main", onclick: skipToMain }, "Skip to the content"),
    h(
      "header",
      { class: "bar" },
      h("a", { class: "brand", href: "#/keys" }, "etclite"),
      h(
        "nav",
        { "aria-label": "Views" },
        links.map(([, link]) => link),
      ),
      h("div", { class: "row end grow" }, themeButton, account),
    ),
    main,
  );
}

function skipToMain(event: Event): void {
  event.preventDefault();
  main.focus();
}

function route(): void {
  const [, name = "keys", path = ""] = /^#\/(\w+)(?:\/(.*))?$/.exec(location.hash) ?? [];
  const tab = tabs[name] ?? tabs["keys"]!;
  const known = tabs[name] ? name : "keys";
  for (const [other, link] of links) {
    if (other === known) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${tab.title} · etclite`;
  if (current?.name !== known) {
    current?.view.leave();
    const view = tab.make({ permissions, isAuthEnabled });
    current = { name: known, view };
    replace(main, view.element);
  }
  current.view.show(path);
}

/** Makes the view anew: somebody else is logged in. */
function again(): void {
  current?.view.leave();
  current = undefined;
  route();
}

let isAsking = false;

async function logIn(): Promise<void> {
  if (isAsking) return;
  isAsking = true;
  session.end();
  await ask({
    title: "Log in",
    fields: [
      { name: "name", label: "User", required: true },
      { name: "password", label: "Password", type: "password", required: true },
    ],
    button: "Log in",
    mandatory: true,
    submit: async ({ name = "", password = "" }) => {
      const { token = "" } = await call<{ token?: string }>("Auth/Authenticate", { name, password });
      session.begin(name, token);
    },
  });
  isAsking = false;
  await begin();
}

function showAccount(): void {
  const out = () => {
    session.end();
    void begin();
  };
  replace(
    account,
    session.user !== null && [
      h("span", { class: "user" }, session.user),
      h("button", { class: "quiet", onclick: out }, "Log out"),
    ],
  );
}

async function begin(): Promise<void> {
  permissions = undefined;
  try {
    isAuthEnabled = (await call<{ enabled?: boolean }>("Auth/AuthStatus")).enabled ?? false;
  } catch {
    // A server that does not know, or does not tell: whoever has to log in will be told by the first read.
    isAuthEnabled = false;
  }
  if (isAuthEnabled && session.token === null) {
    showAccount();
    await logIn();
    return;
  }
  if (!isAuthEnabled) session.end();
  try {
    permissions = await ownPermissions();
  } catch (error) {
    if (isAsking) return;
    notify(messageOf(error), "bad");
  }
  showAccount();
  again();
}

loginWanted.handle = () => void logIn();
showTheme();
frame();
window.addEventListener("hashchange", route);
void begin();
