/**
 * The services over HTTP that is not gRPC: JSON, gRPC-web and Connect. Many a server is only ever spoken to in gRPC, so
 * what they need is loaded when the first such request comes.
 */
import { type Context, Hono } from "hono";
import { methodsOf, type ServiceTable } from "../codec/message-table.ts";
import type { GrpcRoutes, Peer } from "../transport/grpc.ts";
import type { CallRecords } from "../transport/grpc-server/call-records.ts";

export interface ServicesOptions {
  readonly services: readonly ServiceTable[];
  readonly routes: GrpcRoutes;
  readonly records?: CallRecords | undefined;
  /** `--enable-grpc-gateway`. */
  readonly gateway: boolean;
  readonly maxReceiveBytes: number;
}

/** Adds the services' paths to `app`. `finish` gives what is loaded the answers of `app` itself. */
export function addServices(app: Hono, options: ServicesOptions, finish: (part: Hono) => void): void {
  const peerOf = (context: Context) => (context.env as { peer: Peer }).peer;
  const part = (load: (into: Hono) => Promise<void>) => {
    let made: Promise<Hono> | undefined;
    const make = async (): Promise<Hono> => {
      const made = new Hono();
      await load(made);
      finish(made);
      // Its errors are for the application that it is part of.
      made.onError((error) => {
        throw error;
      });
      return made;
    };
    return async (context: Context): Promise<Response> => {
      made ??= make();
      return (await made).fetch(context.req.raw, context.env);
    };
  };
  const connect = part(async (into) => {
    const { loadConnect } = await import("./connect/load.ts");
    await loadConnect(into, { ...options, peerOf });
  });
  for (const { path } of options.services.flatMap(methodsOf)) app.all(path, connect);
  if (!options.gateway) return;
  const gateway = part(async (into) => {
    const { addGateway } = await import("./json/gateway.ts");
    addGateway(into, { ...options, peerOf });
  });
  app.all("/v3/*", gateway);
  app.all("/v3beta/*", gateway);
}
