import { type Emulator, startEmulator } from "./emulator.js";
import { DEFAULT_SECRET, EmulatorError, type EmulatorSettings, readEmulatorSettings } from "./settings.js";

let starting: Promise<Emulator> | undefined;
let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    isStopping = true;
    // A start that fails is reported below.
    starting?.then((emulator) => emulator.close()).catch(() => {});
  });
}

try {
  const settings = readEmulatorSettings(process.env);
  starting = startEmulator(settings);
  const emulator = await starting;
  if (!isStopping) printStart(emulator, settings);
} catch (error) {
  console.error(error instanceof EmulatorError ? error.message : error);
  process.exitCode = 1;
}

function printStart(emulator: Emulator, settings: EmulatorSettings): void {
  console.log(
    [
      "This is an emulator of TeleCMI PIOPIY's SIP endpoint API, not PIOPIY. It is not connected to a telephone network.",
      `  address         ${emulator.url}`,
      `  app id          ${settings.appId}`,
      `  secret          ${settings.secret === DEFAULT_SECRET ? DEFAULT_SECRET : "the value of EMULATOR_SECRET"}`,
      `  endpoints       ${settings.dataFile ?? "in memory, lost when the emulator stops"}`,
      `  phone page      ${emulator.origin}/phone`,
      ...(emulator.sipAddress
        ? [`  SIP             ${emulator.sipAddress}  UDP and TCP, for development only, without encryption`]
        : []),
      `  control routes  ${emulator.origin}/_emulator/  GET calls, POST reset, GET and POST faults, POST call, GET phones, GET live-calls, GET and POST numbers`,
    ].join("\n"),
  );
}
