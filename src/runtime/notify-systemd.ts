/**
 * Tells systemd how the service is (sd_notify(3)), so that a unit of `Type=notify`, as etcd's packages have, works. The
 * message is a datagram to a Unix socket, which no runtime offers, so it goes through the C library; on Node, which
 * cannot call that, through systemd's own `systemd-notify`, and the unit then needs `NotifyAccess=all`.
 */
import { spawn } from "node:child_process";
import { openLibc } from "./libc.ts";

const afUnix = 1;
const sockDgram = 2;
/** Close on exec, so that a child does not inherit the socket (Linux). */
const sockCloexec = 0o2000000;
/** No SIGPIPE (Linux). */
const msgNosignal = 0x4000;
/** sizeof(sockaddr_un.sun_path) on Linux. */
const pathBytesMax = 108;

/**
 * Sends `state`, such as `READY=1`, if systemd waits for it. Resolves to whether it was sent; false without systemd.
 * Rejects if it should have been sent and could not be.
 */
export async function notifySystemd(state: string): Promise<boolean> {
  const path = process.env["NOTIFY_SOCKET"];
  if (path === undefined || path === "" || process.platform !== "linux") return false;
  if (!/^[/@]./.test(path))
    throw new Error(`NOTIFY_SOCKET is ${path}: expected a path or an abstract name (@…)`);
  const libc = await openLibc({
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    sendto: { parameters: ["i32", "buffer", "u64", "i32", "buffer", "u32"], result: "i64" },
    close: { parameters: ["i32"], result: "i32" },
  });
  if (!libc) return runSystemdNotify(state);
  const address = unixAddress(path);
  const message = new TextEncoder().encode(state);
  const socket = libc.socket(afUnix, sockDgram | sockCloexec, 0);
  if (socket < 0) throw new Error("no socket for a message to systemd");
  const sent = libc.sendto(socket, message, message.length, msgNosignal, address, address.length);
  libc.close(socket);
  if (sent !== message.length) throw new Error(`systemd does not listen at ${path}`);
  return true;
}

/** A sockaddr_un; an abstract name begins with a zero byte where its `@` was, and a path ends with one. */
function unixAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  if (name.length >= pathBytesMax) throw new Error(`NOTIFY_SOCKET is longer than ${pathBytesMax - 1} bytes`);
  const isAbstract = path.startsWith("@");
  const address = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  new Uint16Array(address.buffer, 0, 1)[0] = afUnix;
  address.set(name, 2);
  if (isAbstract) address[2] = 0;
  return address;
}

function runSystemdNotify(state: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn("systemd-notify", [state], { stdio: "ignore" });
    child.once("error", (error) => reject(new Error(`systemd-notify: ${error.message}`)));
    child.once("exit", (status) =>
      status === 0 ? resolve(true) : reject(new Error(`systemd-notify ended with status ${status}`)),
    );
  });
}
