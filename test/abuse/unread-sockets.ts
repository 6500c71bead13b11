import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** Returns the text of a GET request for a persistent connection. */
export function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;
}

/** Returns the text of a POST request for a persistent connection. */
export function post(body: object): string {
  const text = JSON.stringify(body);
  const head = "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json";
  return `${head}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** Opens connections that send `bytes` and read nothing. */
export function unreadSockets(origin: string, count: number, bytes: string): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1").pause();
    socket.on("error", () => {});
    socket.write(bytes);
    return socket;
  });
}

/** Returns the resident memory of a process in megabytes. */
export function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** Returns the number of open sockets of a process. */
export function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}
