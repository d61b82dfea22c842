/** Users, roles and permissions by chance, and who calls: somebody with a token that may be good, old, or none at all. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as rpc from "../../src/gen/etcdserverpb/rpc_pb.ts";
import type { Random } from "../support/random.ts";
import type { Outcome, Pair, Two } from "./pair.ts";
import { bytes, type Call, call, numbered, type RandomRequests } from "./requests.ts";

const userNames = ["root", "u1", "u2", "u3", ""];
const roleNames = ["root", "r1", "r2", ""];
const passwords = ["p", "q", ""];

export class RandomAuth {
  readonly #random: Random;
  readonly #requests: RandomRequests;
  readonly #tokens: Two<string>[] = [["nobody.1", "nobody.1"]];

  constructor(random: Random, requests: RandomRequests) {
    this.#random = random;
    this.#requests = requests;
    requests.shortLeases = [];
  }

  /** What makes a root, who may switch authentication on. */
  static readonly beginning: readonly Call[] = [
    call("Auth/UserAdd", rpc.AuthUserAddRequestSchema, { name: "root", password: "p" }),
    call("Auth/RoleAdd", rpc.AuthRoleAddRequestSchema, { name: "root" }),
    call("Auth/UserGrantRole", rpc.AuthUserGrantRoleRequestSchema, { user: "root", role: "root" }),
    call("Auth/AuthEnable", rpc.AuthEnableRequestSchema, {}),
  ];

  /** Whose call it is: mostly one of the last to have a token. */
  token(): Two<string> | undefined {
    if (this.#random.chance(0.08)) return undefined;
    return this.#random.pick(this.#random.chance(0.7) ? this.#tokens.slice(-4) : this.#tokens);
  }

  get newest(): Two<string> {
    return this.#tokens.at(-1)!;
  }

  async authenticate(pair: Pair, name: string, password: string): Promise<Two<Outcome>> {
    const request = create(rpc.AuthenticateRequestSchema, { name, password });
    const answers = await pair.ask("/etcdserverpb.Auth/Authenticate", [
      toBinary(rpc.AuthenticateRequestSchema, request),
    ]);
    const [etcd, ours] = answers.map(({ answers: [message] }) =>
      message === undefined ? undefined : fromBinary(rpc.AuthenticateResponseSchema, message).token,
    );
    if (etcd !== undefined && ours !== undefined) this.#tokens.push([etcd, ours]);
    return answers;
  }

  /** A name and a password to authenticate with. */
  login(): [name: string, password: string] {
    const random = this.#random;
    return [random.chance(0.4) ? "root" : random.pick(userNames), random.pick(["p", "p", ...passwords])];
  }

  next(): Call {
    const sent = this.#random.chance(0.55) ? this.#requests.next() : this.#change();
    // Whether URLs can be read is looked at by etcd before it asks who calls.
    return sent.path.endsWith("/MemberAdd") ? this.next() : sent;
  }

  #change(): Call {
    const random = this.#random;
    const name = random.pick(userNames.slice(1));
    const role = random.pick(roleNames);
    const password = random.pick(passwords);
    const key = this.#requests.key();
    const rangeEnd = this.#requests.rangeEnd(key, 0.4);
    const permType = numbered<0 | 1 | 2>(random.chance(0.03) ? 7 : random.below(3));
    const all = [
      () =>
        call("Auth/UserAdd", rpc.AuthUserAddRequestSchema, {
          name,
          password,
          options: { noPassword: random.chance(0.1) },
        }),
      () =>
        call("Auth/UserDelete", rpc.AuthUserDeleteRequestSchema, {
          name: random.chance(0.1) ? "root" : name,
        }),
      () => call("Auth/UserGet", rpc.AuthUserGetRequestSchema, { name }),
      () => call("Auth/UserList", rpc.AuthUserListRequestSchema, {}),
      () => call("Auth/UserChangePassword", rpc.AuthUserChangePasswordRequestSchema, { name, password }),
      () => call("Auth/UserGrantRole", rpc.AuthUserGrantRoleRequestSchema, { user: name, role }),
      () =>
        call("Auth/UserRevokeRole", rpc.AuthUserRevokeRoleRequestSchema, {
          name: random.chance(0.1) ? "root" : name,
          role,
        }),
      () => call("Auth/RoleAdd", rpc.AuthRoleAddRequestSchema, { name: role }),
      () => call("Auth/RoleDelete", rpc.AuthRoleDeleteRequestSchema, { role }),
      () => call("Auth/RoleGet", rpc.AuthRoleGetRequestSchema, { role }),
      () => call("Auth/RoleList", rpc.AuthRoleListRequestSchema, {}),
      () =>
        call("Auth/RoleGrantPermission", rpc.AuthRoleGrantPermissionRequestSchema, {
          name: role,
          ...(random.chance(0.04) ? {} : { perm: { permType, key, rangeEnd } }),
        }),
      () =>
        call("Auth/RoleRevokePermission", rpc.AuthRoleRevokePermissionRequestSchema, { role, key, rangeEnd }),
      () => call("Auth/AuthStatus", rpc.AuthStatusRequestSchema, {}),
      () => call("Auth/AuthEnable", rpc.AuthEnableRequestSchema, {}),
      () =>
        random.chance(0.1)
          ? call("Auth/AuthDisable", rpc.AuthDisableRequestSchema, {})
          : call("Auth/RoleGrantPermission", rpc.AuthRoleGrantPermissionRequestSchema, {
              name: "r1",
              perm: { permType: 2, key: bytes("a"), rangeEnd: bytes("c") },
            }),
    ];
    return random.pick(all)();
  }
}
