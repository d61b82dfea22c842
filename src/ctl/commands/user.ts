/** `user add`, `delete`, `get`, `list`, `passwd`, `grant-role` and `revoke-role`. */
import * as methods from "../../client/methods/auth.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";

function onlyName({ args }: CtlCall, command: string): string {
  const [name] = args;
  if (name === undefined || args.length !== 1) {
    return badArguments(`user ${command} command requires user name as its argument`);
  }
  return name;
}

/** The first word of standard input, or what is typed twice. */
async function askPassword({ flags, io }: CtlCall, name: string): Promise<string> {
  if (!flags.bool("interactive")) {
    const line = await io.readLine();
    return line?.text.trim().split(/\s+/)[0] ?? "";
  }
  const ask = (prompt: string): Promise<string> =>
    orExit(io.askSecret(prompt), ExitCode.badArguments, (message) => `failed to ask password: ${message}`);
  const password = await ask(`Password of ${name}: `);
  if (password === "") badArguments("empty password");
  const again = await ask(`Type password of ${name} again for confirmation: `);
  if (password !== again) badArguments("given passwords are different");
  return password;
}

async function newUser(call: CtlCall, word: string): Promise<{ name: string; password: string }> {
  const { flags } = call;
  if (flags.bool("no-password")) return { name: word, password: "" };
  const given = flags.string("new-user-password");
  if (given !== "") return { name: word, password: given };
  const colon = word.indexOf(":");
  if (colon < 0) return { name: word, password: await askPassword(call, word) };
  if (colon === 0) badArguments("empty user name is not allowed");
  return { name: word.slice(0, colon), password: word.slice(colon + 1) };
}

export async function add(call: CtlCall): Promise<undefined> {
  const { name, password } = await newUser(call, onlyName(call, "add"));
  const client = await call.client();
  const options = { no_password: call.flags.bool("no-password") };
  const response = await orExit(client.unary(methods.userAdd, { name, password, options }));
  await call.display("userAdd", { user: name, response });
}

export async function remove(call: CtlCall): Promise<undefined> {
  const user = onlyName(call, "delete");
  const client = await call.client();
  const response = await orExit(client.unary(methods.userDelete, { name: user }));
  await call.display("userDelete", { user, response });
}

export async function get(call: CtlCall): Promise<undefined> {
  const user = onlyName(call, "get");
  const client = await call.client();
  const response = await orExit(client.unary(methods.userGet, { name: user }));
  if (!call.flags.bool("detail")) {
    await call.display("userGet", { user, response });
    return;
  }
  call.io.out(`User: ${user}\n`);
  for (const role of response.roles) {
    call.io.out("\n");
    await call.display("roleGet", { role, response: await orExit(client.unary(methods.roleGet, { role })) });
  }
}

export async function list(call: CtlCall): Promise<undefined> {
  if (call.args.length > 0) badArguments("user list command requires no arguments");
  const client = await call.client();
  await call.display("userList", await orExit(client.unary(methods.userList, {})));
}

export async function passwd(call: CtlCall): Promise<undefined> {
  const name = onlyName(call, "passwd");
  const password = await askPassword(call, name);
  const client = await call.client();
  await call.display(
    "userPassword",
    await orExit(client.unary(methods.userChangePassword, { name, password })),
  );
}

export async function grantRole(call: CtlCall): Promise<undefined> {
  const [user, role] = call.args;
  if (user === undefined || role === undefined || call.args.length !== 2) {
    return badArguments("user grant command requires user name and role name as its argument");
  }
  const client = await call.client();
  const response = await orExit(client.unary(methods.userGrantRole, { user, role }));
  await call.display("userGrant", { user, role, response });
}

export async function revokeRole(call: CtlCall): Promise<undefined> {
  const [user, role] = call.args;
  if (user === undefined || role === undefined || call.args.length !== 2) {
    throw new Exit(
      ExitCode.badArguments,
      "user revoke-role requires user name and role name as its argument",
    );
  }
  const client = await call.client();
  const response = await orExit(client.unary(methods.userRevokeRole, { name: user, role }));
  await call.display("userRevoke", { user, role, response });
}
