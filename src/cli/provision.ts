import QRCode from "qrcode";
import { CliError, EXIT, type ExitCode } from "./cli-error.js";
import { readEndpoint } from "./endpoint.js";
import type { Gateway } from "./gateway.js";
import { writePrivateFile } from "./private-file.js";
import { note, print } from "./terminal.js";

/** Phone cameras read a code of this size from a screen and from paper. */
const PNG_PIXELS_PER_MODULE = 8;

/** What the largest code contains in the correction level that is the default. */
const MAX_QR_BYTES = 2331;

export interface ProvisionOptions {
  readonly png?: string;
  readonly svg?: string;
  readonly linphone?: string;
  readonly link?: string;
  readonly showPasswords?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The settings with which a softphone registers. */
interface SoftphoneAccount {
  readonly username: string;
  readonly sipUri: string;
  /** Host, port and parameters of the SBC, such as `sbc.example:5070;transport=tcp`. */
  readonly server: string;
  /** Host and port of the SBC. */
  readonly host: string;
  /** Host of the SBC. */
  readonly domain: string;
  /** Empty: the softphone asks for it. */
  readonly password: string;
}

/**
 * Prints the account settings of an endpoint, and a QR code with which its owner sets up a softphone. The code, and each file,
 * contains the password only with `showPasswords`.
 */
export async function provisionEndpoint(
  gateway: Gateway,
  username: string,
  { png, svg, linphone, link, showPasswords = false, force, json }: ProvisionOptions,
): Promise<ExitCode> {
  if (link !== undefined && !/^https?:$/.test(URL.canParse(link) ? new URL(link).protocol : "")) {
    throw new CliError(EXIT.usage, "--link must be an address that starts with https:// or http://.");
  }
  if (link !== undefined) requireFit(link, EXIT.usage);
  const { sipUri, password } = await readEndpoint(gateway, username, showPasswords);
  if (!sipUri) throw new CliError(EXIT.failed, "PIOPIY returned no address to register with.");
  if (showPasswords && !password) {
    throw new CliError(EXIT.failed, "PIOPIY returned no password. To set a new one: sip rotate.");
  }
  const account = { username, sipUri, ...partsOf(sipUri), password: password ?? "" };
  const content = link ?? grandstreamXml(account);
  if (link === undefined) requireFit(content, EXIT.failed);
  if (png !== undefined) {
    writePrivateFile(png, await QRCode.toBuffer(content, { scale: PNG_PIXELS_PER_MODULE }), force);
  }
  if (svg !== undefined) writePrivateFile(svg, await QRCode.toString(content, { type: "svg" }), force);
  if (linphone !== undefined) writePrivateFile(linphone, linphoneXml(account), force);
  const settings = { username, host: account.host, sipUri, ...(showPasswords ? { password } : {}) };
  if (json) {
    print(JSON.stringify({ ...settings, qrCode: content }));
    return EXIT.done;
  }
  for (const [name, value] of Object.entries(settings)) print(`${name.padEnd(9)} ${value}`);
  if (png === undefined && svg === undefined) {
    const hasColors = process.stdout.isTTY && process.stdout.hasColors();
    print(await QRCode.toString(content, hasColors ? { type: "terminal", small: true } : { type: "utf8" }));
  }
  if (!showPasswords) note("The password is not included. To include it, add --show-passwords.");
  return EXIT.done;
}

/** Throws if a text is too long for a QR code. */
function requireFit(text: string, exitCode: ExitCode): void {
  try {
    QRCode.create(text);
  } catch {
    throw new CliError(
      exitCode,
      `The text of the QR code is too long (got ${Buffer.byteLength(text)} bytes). At most ${MAX_QR_BYTES} bytes are allowed. ` +
        "Use a shorter --link.",
    );
  }
}

function partsOf(sipUri: string): Pick<SoftphoneAccount, "server" | "host" | "domain"> {
  // In the username, @ is escaped.
  const server = sipUri.slice(sipUri.indexOf("@") + 1);
  const host = server.replace(/;.*$/, "");
  return { server, host, domain: host.replace(/:\d+$/, "") };
}

/** Returns the account in the XML that Grandstream Wave (also known as GS Wave) reads from a QR code. */
function grandstreamXml({ username, host, password }: SoftphoneAccount): string {
  const user = escapeXml(username);
  return (
    '<?xml version="1.0" encoding="utf-8"?><AccountConfig version="1"><Account>' +
    `<RegisterServer>${escapeXml(host)}</RegisterServer><UserID>${user}</UserID><AuthID>${user}</AuthID>` +
    `<AuthPass>${escapeXml(password)}</AuthPass><AccountName>${user}</AccountName><DisplayName>${user}</DisplayName>` +
    "</Account></AccountConfig>"
  );
}

/** Returns the account in the XML of Linphone's remote provisioning. */
function linphoneXml({ username, sipUri, server, domain, password }: SoftphoneAccount): string {
  const sections = {
    proxy_0: {
      reg_identity: sipUri.slice(0, -server.length) + domain,
      reg_proxy: `<sip:${server}>`,
      reg_sendregister: "1",
    },
    auth_info_0: { username, passwd: password, domain },
  };
  const lines = Object.entries(sections).map(
    ([name, entries]) =>
      `  <section name="${name}">\n${Object.entries(entries)
        .map(([key, value]) => `    <entry name="${key}" overwrite="true">${escapeXml(value)}</entry>\n`)
        .join("")}  </section>\n`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">\n${lines.join("")}</config>\n`;
}

/** Escapes a text for XML, in ASCII: readers of QR codes guess the encoding of other characters. */
function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"']|[^ -~]/gu, (character) => `&#${character.codePointAt(0)};`);
}
