import { type IncomingRegisterRequest, type NameAddrHeader, URI } from "sip.js/lib/core/index.js";
import type { Endpoints } from "../endpoints.js";
import type { Authentication } from "./digest.js";
import type { Flow } from "./flow.js";
import { EVERY_CONTACT } from "./normalize-message.js";

/** Seconds for which a phone is registered if it asks for no time, or for a longer one. */
const MAX_EXPIRES = 3600;
const MAX_PHONES_PER_ENDPOINT = 10;

/** A registered phone of an endpoint: a binding of RFC 3261. */
export interface Phone {
  readonly username: string;
  readonly flow: Flow;
  /** The request URI of an INVITE for this phone. */
  readonly contact: URI;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

interface Binding extends Phone {
  readonly callId: string;
  readonly cseq: number;
  readonly expiry: NodeJS.Timeout;
}

interface RequestedBinding {
  readonly contact: URI;
  /** 0 removes the binding. */
  readonly seconds: number;
}

/** Remembers on which flows the phones of the endpoints can be reached, until their registration expires or the flow closes. */
export class Registrar {
  /** By username, then by contact. */
  readonly #bindings = new Map<string, Map<string, Binding>>();
  /** The same bindings by flow. */
  readonly #byFlow = new Map<Flow, Set<Binding>>();

  constructor(
    endpoints: Endpoints,
    private readonly authentication: Authentication,
  ) {
    endpoints.onChange(() => {
      for (const username of this.#bindings.keys()) if (!endpoints.find(username)) this.#evict(username);
    });
  }

  /** Returns the registered phones of an endpoint, the oldest first. */
  phonesOf(username: string): readonly Phone[] {
    return [...(this.#bindings.get(username)?.values() ?? [])];
  }

  /** Returns all registered phones. */
  list(): readonly Phone[] {
    return [...this.#bindings.keys()].flatMap((username) => this.phonesOf(username));
  }

  hasPhoneOn(flow: Flow): boolean {
    return this.#byFlow.has(flow);
  }

  /** Removes the phones of an endpoint that was removed. A browser that is not in a call is disconnected: it fails to register again, and so learns it. */
  #evict(username: string): void {
    const flows = new Set(this.phonesOf(username).map(({ flow }) => flow));
    this.#remove(username);
    for (const flow of flows) {
      if (flow.wire.transport === "ws" && !this.hasPhoneOn(flow) && !flow.isInCall) flow.close();
    }
  }

  /** Removes the phones of an endpoint. */
  #remove(username: string): void {
    for (const contact of [...(this.#bindings.get(username)?.keys() ?? [])]) this.#drop(username, contact);
  }

  /** Removes the phones on a flow that is closed. */
  removeFlow(flow: Flow): void {
    for (const { username, contact } of [...(this.#byFlow.get(flow) ?? [])]) {
      this.#drop(username, String(contact));
    }
  }

  close(): void {
    for (const username of [...this.#bindings.keys()]) this.#remove(username);
  }

  /** Responds to a REGISTER request: adds, renews, removes or only lists phones (RFC 3261, 10.3). */
  register(flow: Flow, request: IncomingRegisterRequest): void {
    const username = this.authentication.authenticate(flow, request, "www");
    if (username === undefined) return;
    const { message } = request;
    if (message.to.uri.user !== username) {
      request.reject({ statusCode: 403, reasonPhrase: "To Is Not the Authenticated Endpoint" });
      return;
    }
    const bindings = this.#bindings.get(username) ?? new Map<string, Binding>();
    const requested = requestedBindings(request, [...bindings.values()]);
    if (!requested) {
      request.reject({ statusCode: 400, reasonPhrase: "Invalid Contact" });
      return;
    }
    const isOutdated = requested.some(({ contact }) => {
      const current = bindings.get(String(contact));
      return current?.callId === message.callId && current.cseq >= message.cseq;
    });
    if (isOutdated) {
      request.reject({ statusCode: 500, reasonPhrase: "CSeq Must Increase" });
      return;
    }
    const contacts = new Set(bindings.keys());
    for (const { contact, seconds } of requested) {
      if (seconds === 0) contacts.delete(String(contact));
      else contacts.add(String(contact));
    }
    if (contacts.size > MAX_PHONES_PER_ENDPOINT) {
      request.reject({ statusCode: 503, reasonPhrase: "Too Many Registered Contacts" });
      return;
    }
    for (const { contact, seconds } of requested) {
      this.#drop(username, String(contact));
      if (seconds > 0)
        this.#add({ username, flow, contact, callId: message.callId, cseq: message.cseq }, seconds);
    }
    const extraHeaders = this.phonesOf(username).map(
      ({ contact, expiresAt }) =>
        `Contact: <${contact}>;expires=${Math.max(1, Math.ceil((expiresAt - Date.now()) / 1000))}`,
    );
    request.accept({ statusCode: 200, extraHeaders });
  }

  #add(added: Omit<Binding, "expiresAt" | "expiry">, seconds: number): void {
    const { username, flow } = added;
    const contact = String(added.contact);
    const expiry = setTimeout(() => this.#drop(username, contact), 1000 * seconds);
    const binding = { ...added, expiresAt: Date.now() + 1000 * seconds, expiry };
    const bindings = this.#bindings.get(username) ?? new Map<string, Binding>();
    this.#bindings.set(username, bindings.set(contact, binding));
    const onFlow = this.#byFlow.get(flow) ?? new Set<Binding>();
    this.#byFlow.set(flow, onFlow.add(binding));
  }

  #drop(username: string, contact: string): void {
    const bindings = this.#bindings.get(username);
    const binding = bindings?.get(contact);
    if (!bindings || !binding) return;
    clearTimeout(binding.expiry);
    bindings.delete(contact);
    if (bindings.size === 0) this.#bindings.delete(username);
    const onFlow = this.#byFlow.get(binding.flow);
    onFlow?.delete(binding);
    if (onFlow?.size === 0) this.#byFlow.delete(binding.flow);
  }
}

/** Returns the changes that a REGISTER request asks for, or undefined if they are invalid. */
function requestedBindings(
  { message }: IncomingRegisterRequest,
  current: readonly Phone[],
): readonly RequestedBinding[] | undefined {
  const fallback = secondsOf(message.getHeader("expires")) ?? MAX_EXPIRES;
  const requested = message.getHeaders("contact").map((_, index): RequestedBinding => {
    const header: NameAddrHeader = message.s("contact", index);
    const { scheme, user, host, port, parameters } = header.uri;
    const contact = new URI(scheme, user ?? "", host, port, { ...parameters }, {});
    return { contact, seconds: secondsOf(header.getParam("expires")) ?? fallback };
  });
  if (!requested.some(({ contact }) => String(contact) === EVERY_CONTACT)) return requested;
  // RFC 3261, 10.3: the wildcard only removes all bindings.
  return requested.length === 1 && fallback === 0
    ? current.map(({ contact }) => ({ contact, seconds: 0 }))
    : undefined;
}

/** Returns a number of seconds up to `MAX_EXPIRES`, or undefined if the text is missing or no whole number. */
function secondsOf(text: string | null | undefined): number | undefined {
  return text && /^\d{1,10}$/.test(text) ? Math.min(Number(text), MAX_EXPIRES) : undefined;
}
