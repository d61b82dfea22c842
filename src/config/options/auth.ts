/** Users' passwords and tokens. */
import { bool, integer, type OptionTable, text } from "../option.ts";

export const authOptions = {
  authToken: text("auth-token", {
    default: "simple",
    help: "The kind of token: 'simple', 'jwt,pub-key=...,priv-key=...,sign-method=...', or one's own (docs/tokens.md).",
    // It may be a token itself, and that of root.
    secret: true,
  }),
  bcryptCost: integer("bcrypt-cost", "uint", {
    default: 10,
    help: "How much work a password's hash is: 4 to 31, one more doubles it.",
  }),
  authTokenTtlSeconds: integer("auth-token-ttl", "uint", {
    default: 300,
    help: "For how many seconds a simple token is good after it was last used.",
  }),
  enableAuthorization: bool("enable-authorization", {
    default: false,
    ours: true,
    help: "Start with authentication on; a root user that is made for it gets a password, printed once to the console.",
  }),
} satisfies OptionTable;
