import { defineConfig } from "rolldown";

// One file starts in half the time of the nine hundred that it is made of.
export default defineConfig({
  input: {
    main: "src/main.ts",
    "emulator/main": "src/emulator/main.ts",
    "auth/make-api-key": "src/auth/make-api-key.ts",
    "graphql/print-schema": "src/graphql/print-schema.ts",
  },
  platform: "node",
  // type-graphql would load it to check inputs, which is switched off here.
  external: ["class-validator"],
  output: {
    dir: "dist",
    cleanDir: true,
    // As deep as in src, since what a module reads it finds by its own address.
    chunkFileNames: "chunks/[name]-[hash].js",
    // reflect-metadata has to be there before the first decorator is.
    strictExecutionOrder: true,
  },
});
