import type { Metadata } from "../transport/grpc.ts";

const prefix = "grpc-metadata-";

/** Of an HTTP request, gRPC handlers see what grpc-gateway hands on: `Authorization`, and any `Grpc-Metadata-X` as `x`. */
export function metadataOf(headers: Headers): Metadata {
  const entries = new Map<string, string>();
  for (const [name, value] of headers) {
    if (name === "authorization") entries.set(name, value);
    else if (name.startsWith(prefix)) entries.set(name.slice(prefix.length), value);
  }
  return { get: (name) => entries.get(name), entries: () => entries };
}
