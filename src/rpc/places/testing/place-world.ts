/** A member in this process, and clients that lock and campaign. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  CampaignRequestSchema,
  CampaignResponseSchema,
  Election,
  LeaderRequestSchema,
  LeaderResponseSchema,
} from "../../../gen/v3electionpb/v3election_pb.ts";
import {
  Lock,
  LockRequestSchema,
  LockResponseSchema,
  UnlockRequestSchema,
  UnlockResponseSchema,
} from "../../../gen/v3lockpb/v3lock_pb.ts";
import {
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from "../../../server/testing/test-server.ts";
import type { GrpcHandler } from "../../../transport/grpc.ts";
import { HealthStatus } from "../../health.ts";
import { createRoutes } from "../../services.ts";
import { OwnCall } from "../own-call.ts";

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (data: Uint8Array) => new TextDecoder().decode(data);

const nobody = {
  metadata: { get: () => undefined, entries: () => [] },
  peer: { address: "127.0.0.1:1", secure: false },
};

/** A call under way: its end so far. */
export interface Asked<Answer> {
  readonly answer: Promise<Answer>;
  /** Undefined while it goes on. */
  readonly outcome: () => Answer | string | undefined;
  cancel(): void;
}

/** A stream of answers. */
export class StreamCall extends OwnCall {
  readonly messages: Uint8Array[] = [];
  room = Number.POSITIVE_INFINITY;
  #drain = () => {};

  override write(message: Uint8Array): boolean {
    this.messages.push(message);
    return --this.room > 0;
  }

  override onDrain(callback?: () => void): void {
    this.#drain = callback ?? (() => {});
  }

  drain(room: number): void {
    this.room = room;
    this.#drain();
  }
}

export class PlaceWorld {
  readonly server: TestServer;
  readonly routes: Map<string, GrpcHandler>;
  /** Sent along with the calls that are made from now on. */
  token: string | undefined;

  private constructor(server: TestServer) {
    this.server = server;
    this.routes = createRoutes(server.server, new HealthStatus());
  }

  static async start(options: TestServerOptions = {}): Promise<PlaceWorld> {
    return new PlaceWorld(await startTestServer(options));
  }

  #caller() {
    const { token } = this;
    const metadata = { get: (name: string) => (name === "token" ? token : undefined), entries: () => [] };
    return { ...nobody, metadata };
  }

  ask<Input extends DescMessage, Output extends DescMessage>(
    path: string,
    [input, output]: readonly [Input, Output],
    request: MessageInitShape<Input>,
  ): Asked<MessageShape<Output>> {
    const call = new OwnCall(path, this.#caller());
    const handler = this.routes.get(path);
    if (handler?.kind !== "single") throw new Error(`no method ${path}`);
    let outcome: MessageShape<Output> | string | undefined;
    const answer = call.answer.then((message) => fromBinary(output, message));
    answer.then(
      (message) => {
        outcome = message;
      },
      (error: Error) => {
        outcome = error.message;
      },
    );
    handler.onRequest(call, toBinary(input, create(input, request)));
    return { answer, outcome: () => outcome, cancel: () => call.cancel() };
  }

  /** The same, when everything has happened that can happen now. */
  async asked<Input extends DescMessage, Output extends DescMessage>(
    path: string,
    schemas: readonly [Input, Output],
    request: MessageInitShape<Input>,
  ): Promise<Asked<MessageShape<Output>>> {
    const asked = this.ask(path, schemas, request);
    await this.run();
    return asked;
  }

  lock(name: string, lease: bigint) {
    const request = { name: bytes(name), lease };
    return this.asked(`/${Lock.typeName}/Lock`, [LockRequestSchema, LockResponseSchema], request);
  }

  unlock(key: string) {
    const request = { key: bytes(key) };
    return this.asked(`/${Lock.typeName}/Unlock`, [UnlockRequestSchema, UnlockResponseSchema], request);
  }

  campaign(name: string, lease: bigint, value: string) {
    const request = { name: bytes(name), lease, value: bytes(value) };
    const schemas = [CampaignRequestSchema, CampaignResponseSchema] as const;
    return this.asked(`/${Election.typeName}/Campaign`, schemas, request);
  }

  leader(name: string) {
    const schemas = [LeaderRequestSchema, LeaderResponseSchema] as const;
    return this.asked(`/${Election.typeName}/Leader`, schemas, { name: bytes(name) });
  }

  async observe(name: string): Promise<StreamCall> {
    const path = `/${Election.typeName}/Observe`;
    const call = new StreamCall(path, nobody);
    const handler = this.routes.get(path);
    if (handler?.kind !== "single") throw new Error(`no method ${path}`);
    call.answer.catch(() => {});
    handler.onRequest(
      call,
      toBinary(LeaderRequestSchema, create(LeaderRequestSchema, { name: bytes(name) })),
    );
    await this.run();
    return call;
  }

  async run(): Promise<void> {
    for (let i = 0; i < 5; i++) await this.server.run();
  }

  async grant(...ids: bigint[]): Promise<void> {
    for (const id of ids) await this.server.grant(id, 60);
  }

  /** Keys under a prefix that live now. */
  async keys(...names: string[]): Promise<string[]> {
    return names.filter((name) => this.server.get(name) !== undefined);
  }
}

/** The name of the lock's key, once it is held; the error's text if it is not; undefined while the call waits. */
export function held(asked: Asked<MessageShape<typeof LockResponseSchema>>): string | undefined {
  const outcome = asked.outcome();
  return typeof outcome === "object" ? text(outcome.key) : outcome;
}
