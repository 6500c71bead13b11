import type { DeprecatedProduct, Inventory, Product, ProductResearch, User } from "./product-types.js";

// The data that the suite expects.

export const user: User = {
  email: "support@apollographql.com",
  name: "Jane Smith",
  totalProductsCreated: 1337,
  yearsOfEmployment: 10,
};

const federationResearch: ProductResearch = {
  study: { caseNumber: "1234", description: "Federation Study" },
  outcome: null,
};
const studioResearch: ProductResearch = {
  study: { caseNumber: "1235", description: "Studio Study" },
  outcome: null,
};
export const research: readonly ProductResearch[] = [federationResearch, studioResearch];

const dimensions = { size: "small", weight: 1, unit: "kg" };

export const products: readonly Product[] = [
  {
    id: "apollo-federation",
    sku: "federation",
    package: "@apollo/federation",
    variation: { id: "OSS" },
    dimensions,
    createdBy: user,
    notes: null,
    research: [federationResearch],
  },
  {
    id: "apollo-studio",
    sku: "studio",
    package: "",
    variation: { id: "platform" },
    dimensions,
    createdBy: user,
    notes: null,
    research: [studioResearch],
  },
];

export const deprecatedProduct: DeprecatedProduct = {
  sku: "apollo-federation-v1",
  package: "@apollo/federation-v1",
  reason: "Migrate to Federation V2",
  createdBy: user,
};

export const inventory: Inventory = { id: "apollo-oss", deprecatedProducts: [deprecatedProduct] };
