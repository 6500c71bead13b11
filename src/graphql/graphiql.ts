import { readdirSync, readFileSync } from "node:fs";
import { renderGraphiQL } from "@graphql-yoga/render-graphiql";

const OPERATIONS = new URL("../../schema/operations/", import.meta.url);

/** The GraphiQL page, whole: it loads nothing from elsewhere. Its tabs are the numbered files of `schema/operations`. */
export function renderGraphiqlPage(endpoint: string): string {
  const files = readdirSync(OPERATIONS).filter((file) => /^\d.*\.graphql$/.test(file));
  const defaultTabs = files
    .sort()
    .map((file) => ({ query: readFileSync(new URL(file, OPERATIONS), "utf8") }));
  return renderGraphiQL({ title: "PIOPIY GraphQL Gateway", endpoint, defaultTabs });
}
