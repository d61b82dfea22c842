/** A member in this process, behind real sockets, with users and roles. */
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Permission_Type } from "../../src/gen/authpb/auth_pb.ts";
import {
  Auth,
  AuthEnableRequestSchema,
  AuthenticateRequestSchema,
  AuthenticateResponseSchema,
  AuthRoleAddRequestSchema,
  AuthRoleGrantPermissionRequestSchema,
  AuthUserAddRequestSchema,
  AuthUserGrantRoleRequestSchema,
} from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { createHttpHandler } from "../../src/http/app.ts";
import { maxReceiveBytes, testHttpOptions } from "../../src/http/testing/test-app.ts";
import { HealthStatus } from "../../src/rpc/health.ts";
import { createRoutes } from "../../src/rpc/services.ts";
import { systemClock } from "../../src/runtime/system-clock.ts";
import type { AuthenticationOptions } from "../../src/server/auth/authentication.ts";
import { FakeTokens, fakeAuthentication } from "../../src/server/auth/testing/fake-tokens.ts";
import type { EtcdServer } from "../../src/server/etcd-server.ts";
import { newLog, startTestServer } from "../../src/server/testing/test-server.ts";
import type { GrpcRoutes } from "../../src/transport/grpc.ts";
import { RpcServer } from "../../src/transport/rpc-server.ts";
import { MemoryWal } from "../../src/wal/memory-wal.ts";
import { GrpcClient } from "../support/grpc-client.ts";

const callTimeoutMs = 60_000;

export const bytes = (text: string) => new TextEncoder().encode(text);

export class SecuredServer {
  readonly server: EtcdServer;
  readonly routes: GrpcRoutes;
  readonly url: string;
  readonly tokens: FakeTokens;
  readonly client: GrpcClient;
  readonly #ports: RpcServer;

  private constructor(
    server: EtcdServer,
    routes: GrpcRoutes,
    ports: RpcServer,
    url: string,
    tokens: FakeTokens,
  ) {
    this.server = server;
    this.routes = routes;
    this.#ports = ports;
    this.url = url;
    this.tokens = tokens;
    this.client = new GrpcClient(url);
  }

  static async start(more: Partial<AuthenticationOptions> = {}): Promise<SecuredServer> {
    const tokens = new FakeTokens();
    const { server } = await startTestServer({
      clock: systemClock,
      authentication: fakeAuthentication(tokens, more),
      openLog: newLog(new MemoryWal(systemClock)),
    });
    const routes = createRoutes(server, new HealthStatus());
    const fetch = createHttpHandler({ ...testHttpOptions(routes), cors: [] });
    const limits = {
      maxReceiveBytes,
      maxConcurrentStreams: 1000,
      keepaliveMinTimeMs: 5000,
      keepaliveIntervalMs: 0,
      keepaliveTimeoutMs: 20_000,
    };
    const ports = new RpcServer({ routes, fetch, limits });
    const { port } = await ports.listen("http://127.0.0.1:0");
    return new SecuredServer(server, routes, ports, `http://127.0.0.1:${port}`, tokens);
  }

  /** A call with one message there and one back. */
  async call<Input extends DescMessage, Output extends DescMessage>(
    path: string,
    input: Input,
    output: Output,
    request: MessageInitShape<Input>,
    metadata: Readonly<Record<string, string>> = {},
  ) {
    const message = toBinary(input, create(input, request));
    const answer = await this.client.unary(path, message, callTimeoutMs, metadata);
    return fromBinary(output, answer);
  }

  /** A call of the auth service. */
  async auth<Input extends DescMessage>(
    method: string,
    input: Input,
    request: MessageInitShape<Input>,
    token?: string,
  ): Promise<Uint8Array> {
    const message = toBinary(input, create(input, request));
    const metadata = token === undefined ? {} : { token };
    return this.client.unary(
      `/${Auth.typeName}/${method}`,
      message,
      callTimeoutMs,
      metadata as Record<string, string>,
    );
  }

  addUser(name: string, token?: string): Promise<Uint8Array> {
    return this.auth("UserAdd", AuthUserAddRequestSchema, { name, password: `${name}'s` }, token);
  }

  addRole(name: string, token?: string): Promise<Uint8Array> {
    return this.auth("RoleAdd", AuthRoleAddRequestSchema, { name }, token);
  }

  grantRole(user: string, role: string, token?: string): Promise<Uint8Array> {
    return this.auth("UserGrantRole", AuthUserGrantRoleRequestSchema, { user, role }, token);
  }

  grant(
    role: string,
    permType: Permission_Type,
    key: string,
    rangeEnd = "",
    token?: string,
  ): Promise<Uint8Array> {
    const perm = { permType, key: bytes(key), rangeEnd: bytes(rangeEnd) };
    return this.auth(
      "RoleGrantPermission",
      AuthRoleGrantPermissionRequestSchema,
      { name: role, perm },
      token,
    );
  }

  /** With a root user; other users come from the test. */
  async enable(): Promise<void> {
    await this.addUser("root");
    await this.grantRole("root", "root");
    await this.auth("AuthEnable", AuthEnableRequestSchema, {});
  }

  async login(name: string): Promise<string> {
    const request = { name, password: `${name}'s` };
    const answer = await this.auth("Authenticate", AuthenticateRequestSchema, request);
    return fromBinary(AuthenticateResponseSchema, answer).token;
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.#ports.shutdown(0);
    await this.server.stop();
  }
}
