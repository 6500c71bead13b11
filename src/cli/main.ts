import { Command, CommanderError } from "commander";
import { CliError, EXIT, type ExitCode } from "./cli-error.js";
import { createEndpoint, getEndpoint, rotateEndpoint } from "./endpoint.js";
import { Gateway } from "./gateway.js";
import { importEndpoints } from "./import.js";
import { exportEndpoints, listEndpoints } from "./list.js";
import { provisionEndpoint } from "./provision.js";
import { removeEndpoints } from "./remove.js";
import { note, print } from "./terminal.js";

interface GlobalOptions {
  readonly url?: string;
  readonly key?: string;
  readonly json?: boolean;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const DEFAULT_URL = "http://127.0.0.1:4000";

type OptionText = readonly [flags: string, description: string];
const selection: readonly OptionText[] = [
  ["--contains <text>", "only usernames that contain the text, in any letter case"],
  ["--starts-with <text>", "only usernames that start with the text, in any letter case"],
];
const force: OptionText = ["--force", "overwrite existing files"];
const passwords: readonly OptionText[] = [
  ["--passwords <file>", "write passwords to this file, readable by its owner only"],
  ["--show-passwords", "show passwords"],
  force,
];

const program = new Command("sip")
  .description(
    "Creates, finds, exports and removes SIP endpoints through a PIOPIY GraphQL Gateway.\n\n" +
      "Exit codes: 0 done; 1 something failed; 2 wrong use, nothing was sent; 3 the gateway is not reachable or refuses the key.",
  )
  .option("--url <address>", `address of the gateway (SIP_URL, or ${DEFAULT_URL})`)
  .option("--key <key>", "API key or token; other users of the machine can see it, so prefer SIP_KEY")
  .option("--json", "print one JSON document instead of text")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "")) })
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError("Run the command with --help to see its options.")
  .exitOverride();

command("list", "Prints the usernames.", selection).action(
  run((_, gateway, options) => listEndpoints(gateway, options)),
);

command("get <name>", "Prints a SIP endpoint.", passwords).action(
  run(([name = ""], gateway, options) => getEndpoint(gateway, name, options)),
);

command(
  "create <name>",
  "Creates a SIP endpoint. Without --password, the gateway generates a password.",
  passwords,
)
  .option(
    "--password <password>",
    "the password, which other users of the machine can see, or - to read it from the standard input",
  )
  .action(run(([name = ""], gateway, options) => createEndpoint(gateway, name, options)));

command("rotate <name>", "Replaces the password of a SIP endpoint by a generated one.", passwords).action(
  run(([name = ""], gateway, options) => rotateEndpoint(gateway, name, options)),
);

command("remove <names...>", "Removes SIP endpoints permanently. - reads names from the standard input.")
  .option("--yes", "do not ask")
  .action(run((names, gateway, options) => removeEndpoints(gateway, names, options)));

command(
  "import <file>",
  "Creates the SIP endpoints of a CSV file with the header username or username,password. - reads the standard input.",
  passwords,
)
  .option("--dry-run", "create nothing, and report what would be created")
  .action(
    run(([file = ""], gateway, options) => {
      const stopping = new AbortController();
      for (const signal of SIGNALS) {
        process.removeAllListeners(signal);
        // A second signal ends the process immediately.
        process.once(signal, () => stopping.abort());
      }
      return importEndpoints(gateway, file, options, stopping.signal);
    }),
  );

command("export", "Prints the SIP endpoints as CSV that import accepts.", selection, passwords).action(
  run((_, gateway, options) => exportEndpoints(gateway, options)),
);

command("provision <name>", "Prints the account settings of a SIP endpoint, and a QR code for a softphone.")
  .option("--png <file>", "write the QR code to this file")
  .option("--svg <file>", "write the QR code to this file")
  .option("--linphone <file>", "write Linphone's provisioning XML to this file")
  .option("--link <address>", "put this address into the QR code, such as that of Linphone's XML")
  .option("--show-passwords", "include the password in the QR code, in the files and in the output")
  .option(...force)
  .action(run(([name = ""], gateway, options) => provisionEndpoint(gateway, name, options)));

/** Adds a command with groups of options. */
function command(usage: string, description: string, ...groups: readonly (readonly OptionText[])[]): Command {
  const added = program.command(usage).description(description);
  for (const [flags, meaning] of groups.flat()) added.option(flags, meaning);
  return added;
}

/** Returns the action of a command: it sets the exit code. */
function run(
  act: (names: readonly string[], gateway: Gateway, options: GlobalOptions) => Promise<ExitCode>,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const running = args.at(-1) as Command;
    const options = running.optsWithGlobals<GlobalOptions>();
    // An empty variable counts as not set.
    const key = options.key ?? process.env.SIP_KEY?.trim();
    const gateway = new Gateway(
      options.url ?? (process.env.SIP_URL?.trim() || DEFAULT_URL),
      key || undefined,
    );
    process.exitCode = await act(args.slice(0, -2).flat().map(String), gateway, options);
  };
}

/** Prints an error on the standard output, if the output is JSON. */
function printError({ exitCode, message, results }: CliError): void {
  if (program.opts<GlobalOptions>().json) {
    print(JSON.stringify({ ...results, error: { exitCode, message } }));
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader of a pipe, such as head, has seen enough.
  if (error.code === "EPIPE") process.exit();
  process.stderr.write(`The output cannot be written (${error.code}).\n`);
  process.exit(EXIT.failed);
});
// The command continues without its messages.
process.stderr.on("error", () => {});
// An exit removes unfinished files, which the default action of a signal does not.
for (const signal of SIGNALS) process.once(signal, () => process.exit(EXIT.interrupted));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // The message has been printed.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (process.exitCode !== EXIT.done) {
      printError(new CliError(EXIT.usage, error.message.replace(/^error: /, "")));
    }
  } else if (error instanceof CliError) {
    process.exitCode = error.exitCode;
    note(error.message);
    printError(error);
  } else {
    throw error;
  }
}
