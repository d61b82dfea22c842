/** Users, roles and what they may do. */
import { call } from "../api.ts";
import { displayKey, fromBase64, parseKey, prefixEnd, toBase64 } from "../bytes.ts";
import { action, ask, h, messageOf, notify, replace } from "../dom.ts";
import type { MakeView } from "../view.ts";

interface PermissionMessage {
  readonly permType?: "WRITE" | "READWRITE";
  readonly key?: string;
  readonly rangeEnd?: string;
}
interface Role {
  readonly name: string;
  readonly permissions: readonly PermissionMessage[];
}
interface User {
  readonly name: string;
  readonly roles: readonly string[];
}

async function read(): Promise<{ isEnabled: boolean; users: User[]; roles: Role[] }> {
  const { enabled = false } = await call<{ enabled?: boolean }>("Auth/AuthStatus");
  const [{ users = [] }, { roles = [] }] = await Promise.all([
    call<{ users?: string[] }>("Auth/UserList"),
    call<{ roles?: string[] }>("Auth/RoleList"),
  ]);
  const [details, permissions] = await Promise.all([
    Promise.all(users.map((name) => call<{ roles?: string[] }>("Auth/UserGet", { name }))),
    Promise.all(roles.map((role) => call<{ perm?: PermissionMessage[] }>("Auth/RoleGet", { role }))),
  ]);
  return {
    isEnabled: enabled,
    users: users.map((name, i) => ({ name, roles: details[i]!.roles ?? [] })),
    roles: roles.map((name, i) => ({ name, permissions: permissions[i]!.perm ?? [] })),
  };
}

export const usersView: MakeView = () => {
  const body = h("div", {}, h("p", { class: "dim" }, "Reading…"));
  const load = async (): Promise<void> => {
    const { isEnabled, users, roles } = await read();
    replace(body, switchCard(isEnabled, change), usersCard(users, roles, change), rolesCard(roles, change));
  };
  const quietly = () => {
    load().catch((error: unknown) =>
      replace(body, h("p", { class: "problem", role: "alert" }, messageOf(error))),
    );
  };
  /** Does something, says so, and shows how things are then. */
  const change: Change = async (method, request, done) => {
    await call(method, request);
    notify(done);
    quietly();
  };
  quietly();
  return { element: h("div", { class: "page" }, body), show() {}, leave() {} };
};

type Change = (method: string, request: unknown, done: string) => Promise<void>;

function switchCard(isEnabled: boolean, change: Change): HTMLElement {
  const turn = action(() =>
    ask({
      title: isEnabled ? "Turn authentication off?" : "Turn authentication on?",
      text: isEnabled
        ? "Everybody may do everything then."
        : "There must be a user root with the role root. Then everybody has to log in.",
      button: isEnabled ? "Turn off" : "Turn on",
      danger: isEnabled,
      submit: () =>
        change(
          isEnabled ? "Auth/AuthDisable" : "Auth/AuthEnable",
          {},
          isEnabled ? "Authentication is off." : "Authentication is on.",
        ),
    }),
  );
  return h(
    "div",
    { class: "card row" },
    h("span", { class: "grow" }, "Authentication is ", h("strong", {}, isEnabled ? "on" : "off"), "."),
    h("button", { onclick: turn }, isEnabled ? "Turn off" : "Turn on"),
  );
}

function usersCard(users: readonly User[], roles: readonly Role[], change: Change): HTMLElement {
  const add = action(() =>
    ask({
      title: "New user",
      fields: [
        { name: "name", label: "Name", required: true },
        {
          name: "password",
          label: "Password",
          type: "password",
          hint: "None: the user can only log in by a certificate.",
        },
      ],
      button: "Add",
      submit: ({ name = "", password = "" }) =>
        change(
          "Auth/UserAdd",
          password === "" ? { name, options: { noPassword: true } } : { name, password },
          "Added.",
        ),
    }),
  );
  const rows = users.map((user) => userRow(user, roles, change));
  return h(
    "section",
    { class: "card" },
    h(
      "header",
      { class: "row" },
      h("h2", { class: "grow" }, "Users"),
      h("button", { class: "primary", onclick: add }, "New user"),
    ),
    rows.length === 0 ? h("p", { class: "empty" }, "There are no users.") : h("ul", { class: "plain" }, rows),
  );
}

function userRow({ name, roles: own }: User, roles: readonly Role[], change: Change): HTMLElement {
  const others = roles.map((role) => role.name).filter((role) => !own.includes(role));
  const grant = action(() =>
    ask({
      title: `A role for ${name}`,
      fields: [{ name: "role", label: "Role", choices: others }],
      button: "Grant",
      submit: ({ role = "" }) => change("Auth/UserGrantRole", { user: name, role }, "Granted."),
    }),
  );
  const password = action(() =>
    ask({
      title: `A new password for ${name}`,
      fields: [{ name: "password", label: "Password", type: "password", required: true }],
      button: "Change",
      submit: ({ password = "" }) => change("Auth/UserChangePassword", { name, password }, "Changed."),
    }),
  );
  const remove = action(() =>
    ask({
      title: `Delete the user ${name}?`,
      button: "Delete",
      danger: true,
      submit: () => change("Auth/UserDelete", { name }, "Deleted."),
    }),
  );
  const tags = own.map((role) =>
    removableTag(role, `Take the role ${role} from ${name}`, () =>
      change("Auth/UserRevokeRole", { name, role }, "Revoked."),
    ),
  );
  return h(
    "li",
    { class: "row wrap" },
    h("strong", {}, name),
    h("span", { class: "row wrap grow" }, tags),
    others.length > 0 && h("button", { class: "small", onclick: grant }, "Grant a role"),
    h("button", { class: "small", onclick: password }, "Password"),
    h("button", { class: "small danger", onclick: remove }, "Delete"),
  );
}

function removableTag(text: string, label: string, remove: () => Promise<void>): HTMLElement {
  return h(
    "span",
    { class: "tag" },
    text,
    h("button", { class: "cross", "aria-label": label, onclick: action(remove) }, "×"),
  );
}

function rolesCard(roles: readonly Role[], change: Change): HTMLElement {
  const add = action(() =>
    ask({
      title: "New role",
      fields: [{ name: "name", label: "Name", required: true }],
      button: "Add",
      submit: ({ name = "" }) => change("Auth/RoleAdd", { name }, "Added."),
    }),
  );
  const rows = roles.map((role) => roleRow(role, change));
  return h(
    "section",
    { class: "card" },
    h(
      "header",
      { class: "row" },
      h("h2", { class: "grow" }, "Roles"),
      h("button", { class: "primary", onclick: add }, "New role"),
    ),
    rows.length === 0 ? h("p", { class: "empty" }, "There are no roles.") : h("ul", { class: "plain" }, rows),
  );
}

function roleRow({ name, permissions }: Role, change: Change): HTMLElement {
  const grant = action(() =>
    ask({
      title: `What may ${name} do?`,
      fields: [
        { name: "permType", label: "Permission", choices: ["READ", "WRITE", "READWRITE"] },
        { name: "key", label: "Key or prefix", hint: "Empty, with the box below: all keys." },
        { name: "isPrefix", label: "all keys that begin so", type: "checkbox", value: "true" },
      ],
      button: "Grant",
      submit: ({ permType = "READ", key = "", isPrefix }) => {
        const bytes = parseKey(key);
        const range =
          isPrefix === "true"
            ? { key: toBase64(bytes === "" ? "\0" : bytes), rangeEnd: toBase64(prefixEnd(bytes)) }
            : { key: toBase64(bytes) };
        return change("Auth/RoleGrantPermission", { name, perm: { permType, ...range } }, "Granted.");
      },
    }),
  );
  const remove = action(() =>
    ask({
      title: `Delete the role ${name}?`,
      button: "Delete",
      danger: true,
      submit: () => change("Auth/RoleDelete", { role: name }, "Deleted."),
    }),
  );
  const tags = permissions.map((permission) => {
    const { key, rangeEnd, permType = "READ" } = permission;
    const text = `${permType.toLowerCase()} ${rangeText(fromBase64(key), fromBase64(rangeEnd))}`;
    return removableTag(text, `Revoke ${text}`, () =>
      change("Auth/RoleRevokePermission", { role: name, key, rangeEnd }, "Revoked."),
    );
  });
  const isRoot = name === "root";
  return h(
    "li",
    { class: "row wrap" },
    h("strong", {}, name),
    h("span", { class: "row wrap grow mono" }, isRoot ? h("span", { class: "dim" }, "everything") : tags),
    !isRoot && h("button", { class: "small", onclick: grant }, "Grant"),
    h("button", { class: "small danger", onclick: remove }, "Delete"),
  );
}

function rangeText(key: string, end: string): string {
  if (end === "") return displayKey(key);
  if (end === "\0") return key === "\0" ? "all keys" : `from ${displayKey(key)} on`;
  return end === prefixEnd(key) ? `${displayKey(key)}*` : `${displayKey(key)} to ${displayKey(end)}`;
}
