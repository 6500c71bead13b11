import type { ConnectActionSpecification } from "../pcmo/connect-action.js";
import type { AnswerSettings } from "./settings.js";
import { AnswerTokens, MAX_TOKEN_LENGTH } from "./token.js";

/** The longest that an expiry can be written. */
const LATEST_EXPIRY = 9_999_999_999;

/** Makes the addresses that answer PIOPIY's call webhook with a document. */
export class AnswerUrls {
  readonly tokens: AnswerTokens;
  private readonly publicUrl: () => string;

  /** @param origin returns the address that the gateway listens on, which stands for a `PUBLIC_URL` that is not set */
  constructor({ publicUrl, secrets }: AnswerSettings, origin: () => string) {
    this.tokens = new AnswerTokens(secrets);
    this.publicUrl = () => publicUrl ?? origin();
  }

  /** Whether a specification is short enough for an address, whenever that expires. */
  fits(specification: ConnectActionSpecification): boolean {
    return this.tokens.make(specification, LATEST_EXPIRY).length <= MAX_TOKEN_LENGTH;
  }

  /**
   * The address of a specification that fits.
   *
   * @param expiresIn seconds; without it the address does not expire
   */
  make(specification: ConnectActionSpecification, expiresIn?: number | null): string {
    const expiresAt = expiresIn == null ? 0 : Math.floor(Date.now() / 1000) + expiresIn;
    return `${this.publicUrl()}/answer/${this.tokens.make(specification, expiresAt)}`;
  }
}
