import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const service = "http://127.0.0.1:8480";

export default defineConfig({
  plugins: [svelte()],
  // Addresses in the pages are relative, so that they also work behind a proxy's sub-path.
  base: "./",
  build: {
    outDir: "../src/casawatt/web/pages",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": service, "/healthz": service } },
});
