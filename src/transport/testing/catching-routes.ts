import type { GrpcCall, GrpcHandler } from "../grpc.ts";
import { testRoutes } from "./test-server.ts";

/** Routes with two more, `Catch` and `CatchStream`, whose calls go to `calls` and wait there. */
export function catchingRoutes(calls: GrpcCall[]): ReadonlyMap<string, GrpcHandler> {
  return new Map<string, GrpcHandler>([
    ...testRoutes,
    ["/test.Echo/Catch", { kind: "single", onRequest: (call) => void calls.push(call) }],
    [
      "/test.Echo/CatchStream",
      {
        kind: "stream",
        open(call) {
          calls.push(call);
          return { onMessage() {}, onHalfClose() {} };
        },
      },
    ],
  ]);
}
