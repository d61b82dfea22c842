/** A method of the Lock or the Election service. */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { MessageTable } from "../../codec/message-table.ts";
import { DecodeError } from "../../codec/protowire-read.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import { asUnknown } from "./places.ts";

export function placeMethod<Input extends DescMessage, Output extends DescMessage>(
  input: MessageTable<Input>,
  output: MessageTable<Output>,
  handle: (request: MessageShape<Input>, call: GrpcCall) => Promise<MessageInitShape<Output>>,
): SingleRequestHandler {
  return unaryMessages(input, output, async (request, call) => {
    try {
      return await handle(request, call);
    } catch (error) {
      throw error instanceof DecodeError ? error : asUnknown(error);
    }
  });
}
