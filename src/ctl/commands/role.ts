/** `role add`, `delete`, `get`, `list`, `grant-permission` and `revoke-permission`. */
import * as methods from "../../client/methods/auth.ts";
import { prefixEnd } from "../../client/prefix-end.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, orExit } from "../exit.ts";
import { bytesOf } from "../words.ts";

function onlyName({ args }: CtlCall, command: string): string {
  const [name] = args;
  if (name === undefined || args.length !== 1) {
    return badArguments(`role ${command} command requires role name as its argument`);
  }
  return name;
}

export async function add(call: CtlCall): Promise<undefined> {
  const role = onlyName(call, "add");
  const client = await call.client();
  await call.display("roleAdd", {
    role,
    response: await orExit(client.unary(methods.roleAdd, { name: role })),
  });
}

export async function remove(call: CtlCall): Promise<undefined> {
  const role = onlyName(call, "delete");
  const client = await call.client();
  await call.display("roleDelete", {
    role,
    response: await orExit(client.unary(methods.roleDelete, { role })),
  });
}

export async function get(call: CtlCall): Promise<undefined> {
  const role = onlyName(call, "get");
  const client = await call.client();
  await call.display("roleGet", { role, response: await orExit(client.unary(methods.roleGet, { role })) });
}

export async function list(call: CtlCall): Promise<undefined> {
  if (call.args.length > 0) badArguments("role list command requires no arguments");
  const client = await call.client();
  await call.display("roleList", await orExit(client.unary(methods.roleList, {})));
}

const permissions: Readonly<Record<string, number>> = { READ: 0, WRITE: 1, READWRITE: 2 };

export async function grantPermission(call: CtlCall): Promise<undefined> {
  const [role, kind, ...keys] = call.args;
  if (role === undefined || kind === undefined || keys.length === 0) {
    return badArguments(
      "role grant command requires role name, permission type, and key [endkey] as its argument",
    );
  }
  const permType = Object.hasOwn(permissions, kind.toUpperCase())
    ? permissions[kind.toUpperCase()]
    : undefined;
  if (permType === undefined) return badArguments(`invalid permission type: ${kind}`);
  const { key, rangeEnd } = permissionRange(call, keys);
  const client = await call.client();
  const request = { name: role, perm: { permType, key: bytesOf(key), range_end: bytesOf(rangeEnd) } };
  await call.display("roleGrant", {
    role,
    response: await orExit(client.unary(methods.roleGrantPermission, request)),
  });
}

export async function revokePermission(call: CtlCall): Promise<undefined> {
  const [role, ...keys] = call.args;
  if (role === undefined || keys.length === 0) {
    return badArguments("role revoke-permission command requires role name and key [endkey] as its argument");
  }
  const { key, rangeEnd } = permissionRange(call, keys);
  const client = await call.client();
  const request = { role, key: bytesOf(key), range_end: bytesOf(rangeEnd) };
  const response = await orExit(client.unary(methods.roleRevokePermission, request));
  await call.display("roleRevoke", { role, key: keys[0]!, rangeEnd, response });
}

/** The empty prefix, and all from the empty key on, are all keys. */
function permissionRange(
  { flags }: CtlCall,
  [key = "", end]: readonly string[],
): { key: string; rangeEnd: string } {
  const isPrefix = flags.bool("prefix");
  const isFromKey = flags.bool("from-key");
  const exclusive = "--from-key and --prefix flags are mutually exclusive";
  if (key === "") {
    if (isPrefix && isFromKey) badArguments(exclusive);
    return { key: "\0", rangeEnd: isPrefix || isFromKey ? "\0" : "" };
  }
  if (end !== undefined) {
    if (isPrefix) badArguments("unexpected endkey argument with --prefix flag");
    if (isFromKey) badArguments("unexpected endkey argument with --from-key flag");
    return { key, rangeEnd: end };
  }
  if (isPrefix && isFromKey) badArguments(exclusive);
  if (isPrefix) return { key, rangeEnd: Buffer.from(prefixEnd(bytesOf(key))).toString("utf8") };
  return { key, rangeEnd: isFromKey ? "\0" : "" };
}
