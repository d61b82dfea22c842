import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  AuthEnableRequestSchema,
  LeaseGrantRequestSchema,
  LeaseGrantResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
} from "../../src/gen/etcdserverpb/rpc_pb.ts";
import type { LeaseId } from "../../src/lib/ids.ts";
import { connectDoor, type Door, grpcDoor, grpcWebDoor, jsonDoor, pathOf } from "./doors.ts";
import { type CallerKind, callers, matrix, servicesInMatrix } from "./matrix.ts";
import { bytes, SecuredServer } from "./secured-server.ts";

/** A key of each lease. */
const leases = [
  [7n as LeaseId, "x"],
  [8n as LeaseId, "k8"],
] as const;

const doors: readonly ((server: SecuredServer) => Door)[] = [grpcDoor, jsonDoor, grpcWebDoor, connectDoor];

describe("who may call what", () => {
  let server: SecuredServer;
  let tokens: Readonly<Record<CallerKind, string | undefined>>;

  async function put(key: string, lease = 0n): Promise<void> {
    const metadata = { token: tokens.root! };
    const request = { key: bytes(key), lease };
    await server.call("/etcdserverpb.KV/Put", PutRequestSchema, PutResponseSchema, request, metadata);
  }

  before(async () => {
    server = await SecuredServer.start();
    await server.addUser("stranger");
    await server.addUser("permitted");
    await server.addRole("k");
    await server.addRole("other");
    await server.grant("k", 2, "k", "l");
    await server.grantRole("permitted", "k");
    await server.enable();
    await login();
  });

  async function login(): Promise<void> {
    const [stranger, permitted, root] = await Promise.all(
      ["stranger", "permitted", "root"].map((name) => server.login(name)),
    );
    tokens = { anonymous: undefined, stranger, permitted, root, impostor: "made.1" };
  }

  /** Rows change some of it, and each begins with the same. */
  async function restore(): Promise<void> {
    if (!server.server.auth.enabled) {
      await server.auth("AuthEnable", AuthEnableRequestSchema, {});
      await login();
    }
    for (const [id, key] of leases) {
      if (!server.server.lessor.has(id)) await grantLease(id);
      if (server.server.store.get(bytes(key))?.lease !== id) await put(key, id);
    }
  }

  async function grantLease(ID: bigint): Promise<void> {
    const path = "/etcdserverpb.Lease/LeaseGrant";
    const metadata = { token: tokens.root! };
    await server.call(path, LeaseGrantRequestSchema, LeaseGrantResponseSchema, { ID, TTL: 1000n }, metadata);
  }

  after(() => server.stop());

  it("is told for every method", () => {
    const told = new Set(matrix.map(({ method }) => pathOf(method)));
    const all = servicesInMatrix.flatMap((service) => service.methods.map(pathOf));
    assert.deepEqual([...told].sort(), all.sort());
  });

  for (const slow of [false, true]) {
    for (const makeDoor of doors) {
      const { name } = makeDoor({} as SecuredServer);
      describe(`over ${name}${slow ? ", with tokens that have to be verified" : ""}`, () => {
        for (const { method, what = "", request, endings } of matrix) {
          it(`${method.parent.name}.${method.name} ${what}`, async () => {
            const door = makeDoor(server);
            // What is not served yet is refused to everybody.
            const isServed = server.routes.has(pathOf(method));
            server.tokens.isSlow = slow;
            for (const caller of callers) {
              await restore();
              const ending = await door.call(method, request, tokens[caller]);
              if (isServed) assert.equal(ending, endings[caller], caller);
              else assert.match(ending, /unknown method|not served|not implemented/i, caller);
            }
          });
        }
      });
    }
  }
});
