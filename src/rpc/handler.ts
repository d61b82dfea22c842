/** How a method becomes a handler of the transport. */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { MessageTable } from "../codec/message-table.ts";
import { create, fromBinary, toBinary } from "../codec/messages.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import type { Steps } from "../lib/steps.ts";
import type { GrpcCall, SingleRequestHandler } from "../transport/grpc.ts";
import type { ProposalRequest, RpcServer } from "./rpc-server.ts";
import { statusOf, statusOfStream } from "./status-of.ts";

export { statusOf, statusOfStream } from "./status-of.ts";

/** A method whose handler reads the bytes itself. What it throws becomes the call's status. */
export function unary(handle: (call: GrpcCall, message: Uint8Array) => void): SingleRequestHandler {
  return singleRequest(handle, statusOf);
}

/** The same for one request with a stream of answers: grpc-go says of a malformed one what it says of those on streams. */
export function answeringStream(handle: (call: GrpcCall, message: Uint8Array) => void): SingleRequestHandler {
  return singleRequest(handle, statusOfStream);
}

function singleRequest(
  handle: (call: GrpcCall, message: Uint8Array) => void,
  status: (error: unknown) => EtcdError,
): SingleRequestHandler {
  return {
    kind: "single",
    onRequest(call, message) {
      try {
        handle(call, message);
      } catch (error) {
        call.fail(status(error));
      }
    },
  };
}

/** A method on messages that go by tables: for all that is not called thousands of times a second. */
export function unaryMessages<Input extends DescMessage, Output extends DescMessage>(
  input: MessageTable<Input>,
  output: MessageTable<Output>,
  handle: (
    request: MessageShape<Input>,
    call: GrpcCall,
    bytes: Uint8Array,
  ) => Promise<MessageInitShape<Output>>,
): SingleRequestHandler {
  return unary((call, bytes) => {
    handle(parse(input, bytes), call, bytes).then(
      (response) => call.respond(toBinary(output, create(output, response))),
      (error: unknown) => call.fail(statusOf(error)),
    );
  });
}

/** Throws a DecodeError. */
export function parse<Input extends DescMessage>(
  input: MessageTable<Input>,
  bytes: Uint8Array,
): MessageShape<Input> {
  return fromBinary(input, bytes);
}

/** Answers with a message that is encoded in steps. */
export function respondInSteps(server: RpcServer, call: GrpcCall, parts: Steps<Uint8Array[]>): void {
  server.runSteps(
    parts,
    (encoded) => call.respondParts(encoded),
    (error) => call.fail(error),
    () => call.cancelled,
  );
}

/** A proposal as a promise, for handlers that are one anyway. */
export function proposed<Result>(server: RpcServer, proposal: ProposalRequest): Promise<Result> {
  return new Promise((resolve, reject) => {
    server.propose<Result>(proposal, (error, result) => (error ? reject(error) : resolve(result as Result)));
  });
}

/** Resolves when this member has applied all that was committed when it was called. */
export function linearized(server: RpcServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.linearizable(resolve, reject);
  });
}

/** A long read as a promise. Never settles when the call is cancelled: nobody waits for it then. */
export function stepped<T>(server: RpcServer, call: GrpcCall, steps: Steps<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    server.runSteps(steps, resolve, reject, () => call.cancelled);
  });
}
