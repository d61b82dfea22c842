/**
 * A message whose bytes go out as they are. Decoding an answer only to encode it again would cost more than all else,
 * and hold the event loop for as long as the answer is large.
 */
import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";

/** Only for `toBinary`: its fields are not there to be read. */
export function opaqueMessage(desc: DescMessage, bytes: Uint8Array): Message {
  const message = create(desc);
  if (bytes.length === 0) return message;
  const reader = new BinaryReader(bytes);
  const [no, wireType] = reader.tag();
  // What is unknown is written as it came: the tag, and then these bytes, which here are all that follow.
  message.$unknown = [{ no, wireType, data: bytes.subarray(reader.pos) }];
  return message;
}
