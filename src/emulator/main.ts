import { startEmulator } from "./emulator.js";
import { EmulatorError } from "./emulator-error.js";
import { DEFAULT_SECRET, EmulatorSettingsError, readEmulatorSettings } from "./settings.js";

try {
  const settings = readEmulatorSettings(process.env);
  const emulator = await startEmulator(settings);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => emulator.close());
  console.log(
    [
      "This is an emulator of TeleCMI PIOPIY's SIP endpoint API, not PIOPIY: it reaches no telephone network.",
      `  address         ${emulator.url}`,
      `  app id          ${settings.appId}`,
      `  secret          ${settings.secret === DEFAULT_SECRET ? DEFAULT_SECRET : "what EMULATOR_SECRET says"}`,
      `  endpoints       ${settings.dataFile ?? "kept in memory, gone when it stops"}`,
      `  control routes  ${emulator.origin}/_emulator/  GET calls, POST reset, GET and POST faults, POST call`,
    ].join("\n"),
  );
} catch (error) {
  const isForeseen = error instanceof EmulatorSettingsError || error instanceof EmulatorError;
  console.error(isForeseen ? error.message : error);
  process.exitCode = 1;
}
