/** etcdserverpb.SnapshotResponse: as etcd sends it, without a header. */
import {
  bytesFieldSize,
  numberFieldSize,
  sealed,
  writeBytesField,
  writeNumberField,
} from "./protowire-write.ts";

/** `version` is the storage version's UTF-8. */
export function encodeSnapshotResponse(
  remainingBytes: number,
  blob: Uint8Array,
  version: Uint8Array,
): Uint8Array {
  const size = numberFieldSize(remainingBytes) + bytesFieldSize(blob) + bytesFieldSize(version);
  const buffer = new Uint8Array(size);
  let at = writeNumberField(buffer, 0, 0x10, remainingBytes);
  at = writeBytesField(buffer, at, 0x1a, blob);
  return sealed(buffer, writeBytesField(buffer, at, 0x22, version));
}
