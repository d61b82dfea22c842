/** The services over HTTP that is not gRPC: JSON, gRPC-web and Connect. Loaded when the first such request comes. */
import type { DescService } from "@bufbuild/protobuf";
import { type Context, Hono } from "hono";
import type { GrpcRoutes, Peer } from "../transport/grpc.ts";
import type { CallRecords } from "../transport/grpc-server/call-records.ts";
import { addConnect } from "./connect/connect.ts";
import { addGateway } from "./json/gateway.ts";

export interface ServicesOptions {
  readonly services: readonly DescService[];
  readonly routes: GrpcRoutes;
  readonly records?: CallRecords | undefined;
  /** `--enable-grpc-gateway`. */
  readonly gateway: boolean;
  readonly maxReceiveBytes: number;
}

/** Its errors are for the application that it is part of. */
export function createServicesApp(options: ServicesOptions): Hono {
  const app = new Hono();
  const peerOf = (context: Context) => (context.env as { peer: Peer }).peer;
  addConnect(app, { ...options, peerOf });
  if (options.gateway) addGateway(app, { ...options, peerOf });
  app.onError((error) => {
    throw error;
  });
  return app;
}
