import type { Socket } from "node:net";
import type { Wire } from "./flow.js";

/** Returns the IPv4 address of an IPv4 connection to an IPv6 socket. Other addresses are returned unchanged. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/i, "").replace(/%.*$/, "");
}

/** Returns the addresses of both ends of a connection. */
export function addressesOf(
  socket: Socket,
): Pick<Wire, "remoteAddress" | "remotePort" | "localAddress" | "localPort"> {
  const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = socket;
  return {
    remoteAddress: plainAddress(remoteAddress),
    remotePort,
    localAddress: plainAddress(localAddress),
    localPort,
  };
}
