import { UpstreamError } from "../upstream-error.js";
import type { Layer } from "./pipeline.js";

/**
 * Records whether PIOPIY accepts the account. A refusal stays recorded until an upstream request succeeds: other errors do not
 * show that the account is right.
 */
export class AccountState {
  #state: "up" | "refused" | "unknown" = "unknown";

  /** `unknown` until PIOPIY has responded. */
  get state(): "up" | "refused" | "unknown" {
    return this.#state;
  }

  readonly record: Layer = (next) => async (request) => {
    try {
      const response = await next(request);
      this.#state = "up";
      return response;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const isResponse = error.kind === "response" || error.kind === "mismatch";
      if (error.code === "UPSTREAM_UNAUTHENTICATED") this.#state = "refused";
      else if (isResponse && this.#state === "unknown") this.#state = "up";
      throw error;
    }
  };
}
