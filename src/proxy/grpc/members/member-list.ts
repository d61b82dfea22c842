/**
 * Cluster.MemberList: clients that look for members are to find proxies, or they would go past them. The registered
 * ones if there are any, otherwise this one.
 */
import { hostname } from "node:os";
import { memberListResponse } from "../../../client/messages/cluster.ts";
import { encode } from "../../../client/wire/codec.ts";
import type { SingleRequestHandler } from "../../../transport/grpc.ts";
import type { KnownProxies } from "./known-proxies.ts";

export function memberListHandler(address: string, known: KnownProxies | undefined): SingleRequestHandler {
  return {
    kind: "single",
    onRequest(call) {
      const registered = known?.all ?? [];
      const proxies = registered.length > 0 ? registered : [{ name: hostname(), address }];
      const members = proxies.map((proxy) => ({ name: proxy.name, clientURLs: [proxy.address] }));
      call.respond(encode(memberListResponse, { members }));
    },
  };
}
