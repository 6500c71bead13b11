import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { fields } from "../phone-call/fields.js";
import type { Sbc } from "./sbc.js";

const numberSchema = z.strictObject({
  number: fields.phoneNumber(),
  answerUrl: fields.url("http", "https"),
});

/** Adds the routes that list real calls and assign answer URLs to phone numbers. */
export function addSbcRoutes(control: FastifyInstance, sbc: () => Promise<Sbc>): void {
  control.get("/live-calls", async () => (await sbc()).calls.list());

  control.get("/numbers", async () => (await sbc()).calls.numbers.list());

  control.post<{ Body: z.output<typeof numberSchema> }>(
    "/numbers",
    { schema: { body: numberSchema } },
    async ({ body: { number, answerUrl } }) => {
      const { numbers } = (await sbc()).calls;
      numbers.put(number, answerUrl);
      return numbers.list();
    },
  );
}
