/** Who asks for something, as it stands in a log entry's header. */
export interface Caller {
  readonly username: string;
  /** The revision of the auth store that the name was found at. 0 if there is no name. */
  readonly authRevision: number;
}

/** The user, and the role, that may do everything. */
export const rootName = "root";
