/** A header block that cannot be decoded. It ends the connection with COMPRESSION_ERROR (RFC 9113, 4.3). */
export class HpackError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "HpackError";
  }
}
