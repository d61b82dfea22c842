import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Peer } from "../grpc.ts";

/** Who a TCP or unix socket leads to. */
export function plainPeer(socket: Socket, unixPath: string | undefined): Peer {
  return { address: unixPath ?? addressOf(socket), secure: false };
}

/** As `plainPeer`, with what a verified client certificate says. */
export function securePeer(socket: TLSSocket, unixPath: string | undefined): Peer {
  const subject = socket.authorized ? socket.getPeerCertificate()?.subject : undefined;
  const name: string | string[] | undefined = subject?.CN;
  return {
    address: unixPath ?? addressOf(socket),
    secure: true,
    certificateCommonName: Array.isArray(name) ? name[0] : name,
  };
}

/** `ip:port`, IPv6 in brackets; an IPv4 client of a dual-stack socket is shown as IPv4. */
function addressOf(socket: Socket): string {
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  return address.includes(":") ? `[${address}]:${socket.remotePort}` : `${address}:${socket.remotePort}`;
}
