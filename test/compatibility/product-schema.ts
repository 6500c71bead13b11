import "reflect-metadata";
import type { GraphQLSchema } from "graphql";
import { Arg, buildSchemaSync, Directive, FieldResolver, ID, Int, Query, Resolver, Root } from "type-graphql";
import { buildSubgraph } from "../../src/graphql/subgraph.js";
import { deprecatedProduct, inventory, products, research, user } from "./product-data.js";
import { DeprecatedProduct, Inventory, Product, type ProductResearch, User } from "./product-types.js";

const LINKS = `extend schema
  @link(
    url: "https://specs.apollo.dev/federation/v2.3"
    import: [
      "@composeDirective", "@extends", "@external", "@inaccessible", "@interfaceObject", "@key", "@override"
      "@provides", "@requires", "@shareable", "@tag"
    ]
  )
  @link(url: "https://myspecs.dev/myCustomDirective/v1.0", import: ["@custom"])
  @composeDirective(name: "@custom")

directive @custom on OBJECT`;

@Resolver()
class ProductResolver {
  @Query(() => Product, { nullable: true })
  product(@Arg("id", () => ID) id: string): Product | null {
    return findProduct({ id });
  }

  @Query(() => DeprecatedProduct, { nullable: true, deprecationReason: "Use product query instead" })
  deprecatedProduct(
    @Arg("sku", () => String) sku: string,
    @Arg("package", () => String) packageName: string,
  ): DeprecatedProduct | null {
    return findDeprecatedProduct({ sku, package: packageName });
  }
}

@Resolver(() => User)
class UserResolver {
  @Directive('@requires(fields: "totalProductsCreated yearsOfEmployment")')
  @FieldResolver(() => Int, { nullable: true })
  averageProductsCreatedPerYear(@Root() { totalProductsCreated, yearsOfEmployment }: User): number | null {
    return totalProductsCreated && Math.round(totalProductsCreated / yearsOfEmployment);
  }
}

/** Builds the schema that Apollo's compatibility suite tests, as a subgraph by the same function as the gateway's schema. */
export function buildProductSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [ProductResolver, UserResolver],
    orphanedTypes: [Inventory],
    validate: false,
  });
  return buildSubgraph(schema, LINKS, {
    Product: findProduct,
    DeprecatedProduct: findDeprecatedProduct,
    ProductResearch: findResearch,
    // The reference has the fields of other subgraphs that a field requires.
    User: (reference: Partial<User>) => (reference.email === user.email ? { ...user, ...reference } : null),
    Inventory: ({ id }: Pick<Inventory, "id">) => (id === inventory.id ? inventory : null),
  });
}

/** Finds a product by any of its three keys. */
function findProduct(key: Partial<Pick<Product, "id" | "sku" | "package" | "variation">>): Product | null {
  const found = products.find(({ id, sku, package: packageName, variation }) => {
    if (key.id !== undefined) return key.id === id;
    if (key.variation) return key.sku === sku && key.variation.id === variation?.id;
    return key.sku === sku && key.package === packageName;
  });
  return found ?? null;
}

function findDeprecatedProduct(key: Pick<DeprecatedProduct, "sku" | "package">): DeprecatedProduct | null {
  const { sku, package: packageName } = deprecatedProduct;
  return key.sku === sku && key.package === packageName ? deprecatedProduct : null;
}

function findResearch({ study }: Pick<ProductResearch, "study">): ProductResearch | null {
  return research.find((item) => item.study.caseNumber === study.caseNumber) ?? null;
}
