import { GatewayError } from "../errors.js";

/**
 * PIOPIY was not asked, or not waited for: it is out of order, too many wait already, the operation's time is spent or
 * its caller has left. This says nothing about PIOPIY, and trying again at once would end the same way.
 */
export class NotAsked extends GatewayError {}
