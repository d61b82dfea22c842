/** What is on disk, or what others say, does not fit together, or not to the flags. The message says what and what to do. */
export class BootstrapError extends Error {}
