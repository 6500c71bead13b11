import { GatewayError } from "../errors.js";

/**
 * A well-formed response that does not fit its request: fields are missing, or it is about something else. The same request
 * would bring the same response, so it is not sent again.
 */
export class Mismatch extends GatewayError {}
