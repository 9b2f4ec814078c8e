import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Where `npm run dev` finds a running server. The built files are served by Onhand itself.
const server = process.env.ONHAND_DEV_SERVER ?? 'http://127.0.0.1:8000'
const proxied = Object.fromEntries(['/v1', '/files', '/healthz', '/readyz'].map((path) => [path, { target: server }]))

export default defineConfig({
  plugins: [react()],
  // Nothing is inlined: the page's security policy allows neither inline scripts nor data: fonts.
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  // docs/events holds the schemas that the page of events shows.
  server: { proxy: proxied, fs: { allow: ['.', '../docs/events'] } },
})
