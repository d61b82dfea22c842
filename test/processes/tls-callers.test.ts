/**
 * A whole server over TLS, with authentication: users by the names in their certificates, users by JWT, and the two ways
 * around TLS that etcd had.
 *
 * GHSA-3wh4-j44w-pg92: with `--listen-client-http-urls`, etcd let clients with revoked certificates in by gRPC.
 * GHSA-6vch-q96h-7gc3: connections that never began their handshake were kept for ever, in any number. (That they end is
 * tried in src/transport/tls, where nobody has to wait for it so long.)
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Permission_Type } from "../../src/gen/authpb/auth_pb.ts";
import {
  AuthEnableRequestSchema,
  AuthenticateRequestSchema,
  AuthenticateResponseSchema,
  AuthRoleAddRequestSchema,
  AuthRoleGrantPermissionRequestSchema,
  AuthUserAddRequestSchema,
  AuthUserGrantRoleRequestSchema,
  PutRequestSchema,
} from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { type Issued, TestAuthority } from "../../src/transport/testing/make-certificates.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import { freePort } from "../support/ports.ts";
import { ServerProcess } from "../support/server-process.ts";
import { sourceProgram } from "../support/source-server.ts";

const host = { dns: ["localhost"], ips: ["127.0.0.1"] };
const bytes = (text: string) => new TextEncoder().encode(text);

/** Processes start slowly on a machine that does other things. */
const slow = { timeout: 120_000 };

describe("a server with TLS and authentication", () => {
  let folder = "";
  let authority: TestAuthority;
  let server: ServerProcess;
  let httpPort = 0;
  const people: Record<string, Issued> = {};
  const clients: GrpcClient[] = [];
  const silent: Socket[] = [];

  const write = (name: string, contents: string | Uint8Array): string => {
    writeFileSync(join(folder, name), contents);
    return join(folder, name);
  };

  // A test and not a hook, because not every runtime lets a hook take long.
  it("starts", slow, async () => {
    folder = mkdtempSync(join(tmpdir(), "etclite-callers-"));
    authority = await TestAuthority.make();
    for (const commonName of ["root", "alice", "mallory"]) {
      people[commonName] = await authority.issue({ commonName, usage: "client" });
    }
    people["nobody"] = await authority.issue({ organization: "nameless", usage: "client" });
    const own = await authority.issue({ organization: "server", ...host });
    const jwt = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = write("jwt.key", jwt.privateKey.export({ type: "pkcs8", format: "pem" }) as string);
    const pub = write("jwt.pub", jwt.publicKey.export({ type: "spki", format: "pem" }) as string);
    const [clientPort, http] = [await freePort(), await freePort()];
    httpPort = http;
    const url = `https://127.0.0.1:${clientPort}`;
    server = await ServerProcess.start({
      ...sourceProgram(),
      folder,
      clientPort,
      flags: [
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        `--listen-client-http-urls=https://127.0.0.1:${httpPort}`,
        `--cert-file=${write("server.crt", own.cert)}`,
        `--key-file=${write("server.key", own.key)}`,
        `--trusted-ca-file=${write("ca.crt", authority.cert)}`,
        "--client-cert-auth",
        `--client-crl-file=${write("revoked.crl", await authority.revoke([people["mallory"]!.serialNumber]))}`,
        `--auth-token=jwt,pub-key=${pub},priv-key=${key},sign-method=ES256,ttl=5m`,
        "--bcrypt-cost=4",
      ],
    });
    await server.logged(/ready to serve client requests/, 60_000);
  });
  after(async () => {
    for (const client of clients) client.close();
    for (const socket of silent) socket.destroy();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const tlsOf = (name: string) => ({
    ca: authority.cert,
    cert: people[name]!.cert,
    key: people[name]!.key,
  });

  /** A connection of somebody's. */
  function as(name: string, port = server.clientPort): GrpcClient {
    const client = new GrpcClient(`https://127.0.0.1:${port}`, tlsOf(name));
    clients.push(client);
    return client;
  }

  function call<Input extends DescMessage>(
    client: GrpcClient,
    path: string,
    input: Input,
    value: MessageInitShape<Input>,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<Uint8Array> {
    return client.unary(`/etcdserverpb.${path}`, toBinary(input, create(input, value)), 30_000, metadata);
  }

  const put = (client: GrpcClient, key: string, metadata?: Record<string, string>) =>
    call(client, "KV/Put", PutRequestSchema, { key: bytes(key), value: bytes("v") }, metadata);

  const refusal = (text: string) => (error: unknown) => {
    assert.equal((error as Error).message, text);
    return true;
  };

  it("takes the name in a certificate for the user's", slow, async () => {
    const root = as("root");
    await call(root, "Auth/UserAdd", AuthUserAddRequestSchema, { name: "root", password: "r" });
    await call(root, "Auth/RoleAdd", AuthRoleAddRequestSchema, { name: "root" });
    await call(root, "Auth/UserGrantRole", AuthUserGrantRoleRequestSchema, { user: "root", role: "root" });
    await call(root, "Auth/UserAdd", AuthUserAddRequestSchema, {
      name: "alice",
      options: { noPassword: true },
    });
    await call(root, "Auth/UserAdd", AuthUserAddRequestSchema, { name: "bob", password: "b" });
    await call(root, "Auth/RoleAdd", AuthRoleAddRequestSchema, { name: "some" });
    const perm = { permType: Permission_Type.READWRITE, key: bytes("a"), rangeEnd: bytes("b") };
    await call(root, "Auth/RoleGrantPermission", AuthRoleGrantPermissionRequestSchema, {
      name: "some",
      perm,
    });
    await call(root, "Auth/UserGrantRole", AuthUserGrantRoleRequestSchema, { user: "alice", role: "some" });
    await call(root, "Auth/AuthEnable", AuthEnableRequestSchema, {});
    await put(root, "z");
    const alice = as("alice");
    await put(alice, "a1");
    await assert.rejects(put(alice, "z"), refusal("etcdserver: permission denied"));
    await assert.rejects(put(as("nobody"), "a1"), refusal("etcdserver: user name is empty"));
  });

  it("lets a JWT say more than the certificate", slow, async () => {
    const alice = as("alice");
    const login = (name: string, password: string) =>
      call(alice, "Auth/Authenticate", AuthenticateRequestSchema, { name, password });
    const { token } = fromBinary(AuthenticateResponseSchema, await login("root", "r"));
    const [header, claims] = token.split(".").map((part) => Buffer.from(part, "base64url").toString());
    assert.deepEqual(JSON.parse(header!).alg, "ES256");
    assert.equal(JSON.parse(claims!).username, "root");
    await put(alice, "z", { token });
    await put(alice, "z", { authorization: `Bearer ${token}` });
    const [first, second] = token.split(".");
    const forged = `${first}.${second}.${"A".repeat(86)}`;
    await assert.rejects(put(alice, "z", { token: forged }), refusal("etcdserver: invalid auth token"));
    const bob = fromBinary(AuthenticateResponseSchema, await login("bob", "b")).token;
    await assert.rejects(put(alice, "a1", { token: bob }), refusal("etcdserver: permission denied"));
    const wrong = "etcdserver: authentication failed, invalid user ID or password";
    await assert.rejects(login("root", "x"), refusal(wrong));
  });

  function json(name: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const method = body === undefined ? "GET" : "POST";
      const options = { method, headers, agent: false, ...tlsOf(name) } as const;
      const sent = request(`https://127.0.0.1:${httpPort}${path}`, options, (answer) => {
        let text = "";
        answer.on("data", (piece) => {
          text += piece;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: text }));
      });
      sent.once("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** A counter of the method KV.Put. */
  async function counted(name: string, labels = ""): Promise<number> {
    const { body } = await json("nobody", "/metrics");
    const line = new RegExp(
      `^${name}\\{${labels}grpc_method="Put",grpc_service="etcdserverpb.KV".*\\} (\\d+)$`,
      "m",
    );
    return Number(line.exec(body)?.[1]);
  }

  it(
    "refuses JSON of those whose certificate has a name, and counts that of others, as etcd does",
    slow,
    async () => {
      const body = { key: btoa("a1"), value: btoa("v") };
      for (const path of ["/v3/kv/put", "/v3beta/kv/put", "/v3/no/such"]) {
        assert.deepEqual(await json("root", path, body), {
          status: 400,
          body: "CommonName of client sending a request against gateway will be ignored and not used as expected\n",
        });
      }
      const login = await json("nobody", "/v3/auth/authenticate", { name: "root", password: "r" });
      const { token } = JSON.parse(login.body) as { token: string };
      const started = await counted("grpc_server_started_total");
      const handled = await counted("grpc_server_handled_total", 'grpc_code="OK",');
      const sent = await counted("grpc_server_msg_sent_total");
      assert.equal((await json("nobody", "/v3/kv/put", body, { Authorization: token })).status, 200);
      assert.equal(await counted("grpc_server_started_total"), started + 1);
      assert.equal(await counted("grpc_server_handled_total", 'grpc_code="OK",'), handled + 1);
      assert.equal(await counted("grpc_server_msg_sent_total"), sent + 1);
      const { status, body: answer } = await json("nobody", "/v3/kv/put", body);
      assert.deepEqual([status, JSON.parse(answer).message], [400, "etcdserver: user name is empty"]);
      assert.equal((await json("root", "/health", {})).status, 405);
    },
  );

  it("GHSA-3wh4-j44w-pg92: turns revoked certificates away on every port", slow, async () => {
    for (const port of [server.clientPort, httpPort]) {
      const revoked = as("mallory", port);
      await assert.rejects(
        put(revoked, "a1").then(() => "let in"),
        (error: Error) => !/permission|user name|unknown service/.test(error.message),
      );
    }
    await assert.rejects(json("mallory", "/version"));
    const { serialNumber } = people["mallory"]!;
    // The log is written a moment later.
    await server.logged(new RegExp(`(certificate serial ${serialNumber} revoked[^]*){3}`));
    await put(as("alice"), "a1");
  });

  it("GHSA-6vch-q96h-7gc3: serves those who mean it, whoever keeps quiet", slow, async () => {
    for (let i = 0; i < 200; i++) {
      const socket = connect(server.clientPort, "127.0.0.1");
      silent.push(socket);
      socket.on("error", () => {});
      await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
      // Every other one begins a handshake and does not go on.
      if (i % 2 === 0) socket.write(Uint8Array.of(0x16, 3, 1, 0, 200, 1));
    }
    await put(as("alice"), "a1");
  });
});
