/** Commands on users, roles and what they may do. */
import type { Command } from "../../lib/command-line/command.ts";
import { bool, type Runner, text } from "./build.ts";

const group = "Authentication commands";

export function authCommands(run: Runner): readonly Command[] {
  const load = () => import("../commands/auth.ts");
  return [
    {
      use: "auth <enable or disable>",
      short: "Enable or disable authentication. Use `etcdctl auth --help` to see subcommands",
      long: "Enable or disable authentication",
      group,
      commands: [
        { use: "disable", short: "Disables authentication", run: run(async () => (await load()).disable) },
        { use: "enable", short: "Enables authentication", run: run(async () => (await load()).enable) },
        {
          use: "status",
          short: "Returns authentication status",
          run: run(async () => (await load()).status),
        },
      ],
    },
    role(run),
    user(run),
  ];
}

function role(run: Runner): Command {
  const load = () => import("../commands/role.ts");
  return {
    use: "role <subcommand>",
    short: "Role related commands. Use `etcdctl role --help` to see subcommands",
    long: "Role related commands",
    group,
    commands: [
      { use: "add <role name>", short: "Adds a new role", run: run(async () => (await load()).add) },
      { use: "delete <role name>", short: "Deletes a role", run: run(async () => (await load()).remove) },
      {
        use: "get <role name>",
        short: "Gets detailed information of a role",
        run: run(async () => (await load()).get),
      },
      {
        use: "grant-permission [options] <role name> <permission type> <key> [endkey]",
        short: "Grants a key to a role",
        flags: [
          bool("prefix", "grant a prefix permission"),
          bool(
            "from-key",
            "grant a permission of keys that are greater than or equal to the given key using byte compare",
          ),
        ],
        run: run(async () => (await load()).grantPermission),
      },
      { use: "list", short: "Lists all roles", run: run(async () => (await load()).list) },
      {
        use: "revoke-permission <role name> <key> [endkey]",
        short: "Revokes a key from a role",
        flags: [
          bool("prefix", "revoke a prefix permission"),
          bool(
            "from-key",
            "revoke a permission of keys that are greater than or equal to the given key using byte compare",
          ),
        ],
        run: run(async () => (await load()).revokePermission),
      },
    ],
  };
}

function user(run: Runner): Command {
  const load = () => import("../commands/user.ts");
  return {
    use: "user <subcommand>",
    short: "User related commands. Use `etcdctl user --help` to see subcommands",
    long: "User related commands",
    group,
    commands: [
      {
        use: "add <user name or user:password> [options]",
        short: "Adds a new user",
        flags: [
          bool("interactive", "Read password from stdin instead of interactive terminal", true),
          text("new-user-password", "Supply password from the command line flag"),
          bool("no-password", "Create a user without password (CN based auth only)"),
        ],
        run: run(async () => (await load()).add),
      },
      { use: "delete <user name>", short: "Deletes a user", run: run(async () => (await load()).remove) },
      {
        use: "get <user name> [options]",
        short: "Gets detailed information of a user",
        flags: [bool("detail", "Show permissions of roles granted to the user")],
        run: run(async () => (await load()).get),
      },
      {
        use: "grant-role <user name> <role name>",
        short: "Grants a role to a user",
        run: run(async () => (await load()).grantRole),
      },
      { use: "list", short: "Lists all users", run: run(async () => (await load()).list) },
      {
        use: "passwd <user name> [options]",
        short: "Changes password of user",
        flags: [
          bool("interactive", "If true, read password from stdin instead of interactive terminal", true),
        ],
        run: run(async () => (await load()).passwd),
      },
      {
        use: "revoke-role <user name> <role name>",
        short: "Revokes a role from a user",
        run: run(async () => (await load()).revokeRole),
      },
    ],
  };
}
