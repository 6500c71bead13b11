import { Field, InterfaceType } from "type-graphql";
import { ID } from "./scalars.js";

/** An object that clients can refetch by its id (Global Object Identification of the GraphQL documentation). */
@InterfaceType({ description: "An object with a globally unique id, by which `node` returns it." })
export abstract class Node {
  @Field(() => ID, { description: "Opaque, globally unique and permanent id of the object." })
  readonly id!: string;
}

/** Returns the id of an object. It depends only on the type and the key, so that all processes return the same id. */
export function encodeId(typeName: string, key: string): string {
  return Buffer.from(`${typeName}:${key}`).toString("base64url");
}

/** Returns the key of the object with this id. Returns undefined if the id is malformed or belongs to another type. */
export function decodeId(typeName: string, id: string): string | undefined {
  const text = Buffer.from(id, "base64url").toString();
  const key = text.slice(typeName.length + 1);
  return encodeId(typeName, key) === id ? key : undefined;
}
