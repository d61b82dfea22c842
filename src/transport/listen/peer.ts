import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Peer } from "../grpc.ts";

/** Who a TCP or unix socket leads to. */
export function plainPeer(socket: Socket, unixPath: string | undefined): Peer {
  return { address: unixPath ?? addressOf(socket), secure: false };
}

/** As `plainPeer`, with what a verified client certificate says, if that counts. */
export function securePeer(socket: TLSSocket, unixPath: string | undefined, namesClients: boolean): Peer {
  const subject = namesClients && socket.authorized ? socket.getPeerCertificate()?.subject : undefined;
  const name: string | string[] | undefined = subject?.CN;
  return {
    address: unixPath ?? addressOf(socket),
    secure: true,
    // The last one, as in Go.
    certificateCommonName: Array.isArray(name) ? name.at(-1) : name,
  };
}

/** `ip:port`, IPv6 in brackets; an IPv4 client of a dual-stack socket is shown as IPv4. */
export function addressOf(socket: Socket): string {
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  return address.includes(":") ? `[${address}]:${socket.remotePort}` : `${address}:${socket.remotePort}`;
}
