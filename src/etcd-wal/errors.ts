/** etcd's log is damaged or incomplete. The message names the file and, where there is one, the byte offset. */
export class EtcdWalError extends Error {
  constructor(file: string, offset: number | undefined, what: string) {
    super(offset === undefined ? `wal: ${what} in ${file}` : `wal: ${what} in ${file} at offset ${offset}`);
    this.name = "EtcdWalError";
  }
}
